import { expect, test } from 'vitest'
import { mapText, overlayText, pictureText, removedText, shareText } from '#renderer/components/stage/captions.ts'
import { composeMasked } from '#renderer/components/stage/layer-cache.ts'
import { colormapInForce, contourLevel, scaleOf } from '#renderer/components/stage/scale.ts'
import { upsample } from '#shared/imaging/interpolation.ts'

const map = { width: 2, height: 2, data: Float32Array.from([0.25, 0.5, 0.5, 0.75]) }
const chosen = { colormap: 'magma', normalisation: 'range' } as const

test('the stated range is in force where there is one, else the map\'s own', () => {
  expect(scaleOf(map, chosen, { signed: false, range: [0, 1] })).toMatchObject({ limits: { low: 0, high: 1 }, normalisation: 'range' })
  expect(scaleOf(map, chosen, { signed: false, range: [0, null] })).toMatchObject({ limits: { low: 0.25, high: 0.75 }, normalisation: 'map' })
})

test('signed maps have a diverging scale and others never', () => {
  expect([colormapInForce('magma', false), colormapInForce('magma', true), colormapInForce('puor', true), colormapInForce('puor', false), colormapInForce('jet', false)])
    .toEqual(['magma', 'rdbu', 'puor', 'viridis', 'viridis'])
})

test('contours run at the threshold, or half way', () => {
  const scale = scaleOf(map, chosen, { signed: false, range: [0, 2] })
  expect([contourLevel(0, scale), contourLevel(0.25, scale)]).toEqual([1, 0.5])
})

test('captions say what is seen', () => {
  const raw = scaleOf(map, chosen, { signed: false, range: [0, 1] })
  expect(mapText(map, raw)).toBe('2 × 2, raw 0 to 1')
  expect(mapText(map, scaleOf(map, { ...chosen, normalisation: 'map' }, { signed: false, range: [0, 1] }))).toBe('2 × 2, 0.25 to 0.75, per map')
  const whole = { width: 10, height: 8 }
  expect(pictureText('pets.jpg', { picture: whole, size: whole, crop: { left: 1, top: 0, width: 8, height: 8 } })).toBe('pets.jpg, central crop')
  expect(pictureText('pets.jpg', null)).toBe('pets.jpg')
  expect(overlayText({ contours: true, threshold: 0, opacity: 1 })).toBe('contour at 0.50')
  expect(overlayText({ contours: false, threshold: 0.3, opacity: 1 })).toBe('from 0.30')
  expect([removedText('baseline', 'black'), removedText('checkerboard', 'black'), removedText('dimmed', 'black')]).toEqual(['black', '', 'removed dimmed'])
  expect([shareText(0.862), shareText(1), shareText(0.0012), shareText(0)]).toEqual(['0.86', '1.00', '0.0012', '0.00'])
})

test('a masked input takes the mask as large as the method makes it', () => {
  const seen = { width: 4, height: 4, data: new Uint8Array(48).fill(200) }
  const fill = { width: 4, height: 4, data: new Uint8Array(48).fill(100) }
  const mask = upsample(map, 4, 4).data
  const composed = composeMasked(map, seen, fill, 'baseline')
  mask.forEach((m, i) => expect(Math.abs(composed[i * 4]! - (100 + 100 * m))).toBeLessThanOrEqual(0.51))
  const cutOut = composeMasked(map, seen, null, 'baseline')
  expect([cutOut[0], cutOut[3]]).toEqual([200, Math.round(mask[0]! * 255)])
})

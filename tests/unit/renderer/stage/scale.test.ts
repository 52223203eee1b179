import { expect, test } from 'vitest'
import { mapText, overlayText, pictureText, removedText, scaledText, shareText } from '#renderer/components/stage/captions.ts'
import { composeMasked } from '#renderer/components/stage/layer-cache.ts'
import { colormapInForce, contourLevel, mapKindOf, scaleOf } from '#renderer/components/stage/scale.ts'
import { upsample } from '#shared/imaging/interpolation.ts'

const map = { width: 2, height: 2, data: Float32Array.from([0.25, 0.5, 0.5, 0.75]) }
const chosen = { colormap: 'magma', normalisation: 'range' } as const

const mask = { signed: false, range: [0, 1], mask: true } as const

test('the stated range is in force for masks; single pixels of other maps do not take all of the scale', () => {
  expect(scaleOf(map, chosen, mask)).toMatchObject({ limits: { low: 0, high: 1 }, normalisation: 'range' })
  const spiked = { width: 20, height: 20, data: Float32Array.from({ length: 400 }, (_, i) => (i === 7 ? 1000 : i % 2)) }
  expect(scaleOf(spiked, chosen, { signed: false, range: [0, null], mask: false })).toMatchObject({ limits: { low: 0, high: 1 }, normalisation: 'percentile-99' })
  expect(scaleOf(map, { ...chosen, normalisation: 'map' }, { ...mask, mask: false })).toMatchObject({ limits: { low: 0.25, high: 0.75 }, normalisation: 'map' })
})

test('a map between 0 and 1 is a mask only where something was hidden by it', () => {
  const facts = { signed: false, range: [0, 1] as const }
  expect(mapKindOf({ ...facts, probability: { original: 0.9, masked: 0.8 } }).mask).toBe(true)
  expect(mapKindOf({ ...facts, probability: { original: 0.9, masked: null } }).mask).toBe(false)
  expect(mapKindOf({ ...facts, probability: { original: 0.9, masked: Number.NaN } }).mask).toBe(false)
  // Of a classifier without probabilities nothing is known but the range.
  expect(mapKindOf({ ...facts, probability: { original: null, masked: null } }).mask).toBe(true)
  expect(mapKindOf({ signed: true, range: [null, null], probability: { original: null, masked: null } }).mask).toBe(false)
  expect([scaledText({ mask: true, signed: false }), scaledText({ mask: false, signed: false })]).toEqual(['', 'by the map, scaled to 0–1'])
})

test('signed maps have a diverging scale and others never', () => {
  expect([colormapInForce('magma', false), colormapInForce('magma', true), colormapInForce('puor', true), colormapInForce('puor', false), colormapInForce('jet', false)])
    .toEqual(['magma', 'rdbu', 'puor', 'viridis', 'viridis'])
})

test('contours run at the threshold, or half way', () => {
  const scale = scaleOf(map, chosen, { signed: false, range: [0, 2], mask: true })
  expect([contourLevel(0, scale), contourLevel(0.25, scale)]).toEqual([1, 0.5])
})

test('captions say what is seen', () => {
  const raw = scaleOf(map, chosen, mask)
  expect(mapText(map, raw)).toBe('2 × 2, raw 0 to 1')
  expect(mapText(map, scaleOf(map, { ...chosen, normalisation: 'map' }, mask))).toBe('2 × 2, 0.25 to 0.75, per map')
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
  // A method that deletes asked about the picture without what its mask marks.
  const without = composeMasked(map, seen, fill, 'baseline', true)
  mask.forEach((m, i) => expect(Math.abs(without[i * 4]! - (200 - 100 * m))).toBeLessThanOrEqual(0.51))
})

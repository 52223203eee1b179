import { expect, test } from 'vitest'
import { cropOf, prepareImage } from '#engine/classifier/prepare.ts'
import type { Preprocessing } from '#shared/domain/model.ts'

const crop: Preprocessing = { fit: 'crop', cropFraction: 0.875, resizeFilter: 'bilinear', range: [-1, 1], mean: [0, 0, 0], std: [1, 1, 1], channelOrder: 'rgb' }

test('the central square of the shorter side, or everything', () => {
  expect(cropOf({ width: 400, height: 320 }, crop)).toEqual({ left: 60, top: 20, width: 280, height: 280 })
  expect(cropOf({ width: 1, height: 1 }, crop)).toEqual({ left: 0, top: 0, width: 1, height: 1 })
  expect(cropOf({ width: 400, height: 320 }, { ...crop, fit: 'squash' })).toEqual({ left: 0, top: 0, width: 400, height: 320 })
})

test('a picture becomes a batch of one in [0, 1], whatever the range, and its view is told', () => {
  const picture = { width: 40, height: 20, data: new Uint8Array(40 * 20 * 3) }
  // the left half red, the right half white
  for (let i = 0; i < 40 * 20; i++) picture.data.set(i % 40 < 20 ? [255, 0, 0] : [255, 255, 255], i * 3)
  const { image, view } = prepareImage(picture, { height: 8, width: 8, channels: 3 }, { ...crop, fit: 'squash', resizeFilter: 'lanczos3' })
  expect(image).toMatchObject({ count: 1, height: 8, width: 8, channels: 3 })
  image.data.slice(0, 3).forEach((v, c) => expect(v).toBeCloseTo(c === 0 ? 1 : 0, 6))
  image.data.slice(-3).forEach((v) => expect(v).toBeCloseTo(1, 6))
  expect(image.data.every((v) => v >= 0 && v <= 1)).toBe(true)
  expect(view).toEqual({ picture: { width: 40, height: 20 }, crop: { left: 0, top: 0, width: 40, height: 20 }, size: { width: 8, height: 8 } })

  const grey = prepareImage(picture, { height: 4, width: 4, channels: 1 }, { ...crop, fit: 'squash' })
  expect(grey.image.data.length).toBe(16)
  expect(grey.image.data[0]).toBeCloseTo(0.299, 4)
  expect(grey.image.data[3]).toBeCloseTo(1, 4)
})

import { expect, test } from 'vitest'
import { cropOf, prepareImage } from '#engine/classifier/prepare.ts'
import type { Picture } from '#shared/domain/image.ts'
import type { Preprocessing } from '#shared/domain/model.ts'
import { resizeFilters } from '#shared/imaging/resize.ts'

const crop: Preprocessing = { fit: 'crop', cropFraction: 0.875, resizeFilter: 'bilinear', range: [-1, 1], mean: [0, 0, 0], std: [1, 1, 1], channelOrder: 'rgb' }

test('the central square of the shorter side, or everything', () => {
  expect(cropOf({ width: 400, height: 320 }, crop)).toEqual({ left: 60, top: 20, width: 280, height: 280 })
  expect(cropOf({ width: 1, height: 1 }, crop)).toEqual({ left: 0, top: 0, width: 1, height: 1 })
  expect(cropOf({ width: 400, height: 320 }, { ...crop, fit: 'squash' })).toEqual({ left: 0, top: 0, width: 400, height: 320 })
})

test('a picture becomes a batch of one in [0, 1], whatever the range, and its view is told', async () => {
  const picture = { width: 40, height: 20, data: new Uint8Array(40 * 20 * 3) }
  // the left half red, the right half white
  for (let i = 0; i < 40 * 20; i++) picture.data.set(i % 40 < 20 ? [255, 0, 0] : [255, 255, 255], i * 3)
  const { image, view } = await prepareImage(picture, { height: 8, width: 8, channels: 3 }, { ...crop, fit: 'squash', resizeFilter: 'lanczos3' })
  expect(image).toMatchObject({ count: 1, height: 8, width: 8, channels: 3 })
  image.data.slice(0, 3).forEach((v, c) => expect(v).toBeCloseTo(c === 0 ? 1 : 0, 6))
  image.data.slice(-3).forEach((v) => expect(v).toBeCloseTo(1, 6))
  expect(image.data.every((v) => v >= 0 && v <= 1)).toBe(true)
  expect(view).toEqual({ picture: { width: 40, height: 20 }, crop: { left: 0, top: 0, width: 40, height: 20 }, size: { width: 8, height: 8 } })

  const grey = await prepareImage(picture, { height: 4, width: 4, channels: 1 }, { ...crop, fit: 'squash' })
  expect(grey.image.data.length).toBe(16)
  expect(grey.image.data[0]).toBeCloseTo(0.299, 4)
  expect(grey.image.data[3]).toBeCloseTo(1, 4)
})

/** Red rises to the right, green downwards: the value of a place tells where it lies. */
function ramp(width: number, height: number): Picture {
  const data = new Uint8Array(width * height * 3)
  for (let y = 0; y < height; y++) {
    for (let x = 0; x < width; x++) data.set([Math.round((255 * (x + 0.5)) / width), Math.round((255 * (y + 0.5)) / height), 77], (y * width + x) * 3)
  }
  return { width, height, data }
}

test.each([
  [200, 120, 50, 30], [101, 97, 37, 41], [640, 480, 224, 224], // reduced
  [100, 100, 128, 128], [28, 28, 224, 224], [50, 300, 64, 64], // enlarged, and one of each
])('every filter keeps its place: %i×%i to %i×%i', async (width, height, w, h) => {
  for (const resizeFilter of resizeFilters) {
    const { image } = await prepareImage(ramp(width, height), { width: w, height: h, channels: 3 }, { ...crop, fit: 'squash', resizeFilter })
    let across = 0
    let down = 0
    let count = 0
    let blue = 0
    for (let y = Math.ceil(h / 8); y < h - h / 8; y++) {
      for (let x = Math.ceil(w / 8); x < w - w / 8; x++, count++) {
        across += image.data[(y * w + x) * 3]! - (x + 0.5) / w
        down += image.data[(y * w + x) * 3 + 1]! - (y + 0.5) / h
        blue = Math.max(blue, Math.abs(image.data[(y * w + x) * 3 + 2]! - 77 / 255))
      }
    }
    expect(blue, resizeFilter).toBeLessThan(5e-5)
    // In pixels of whichever side is coarser.
    expect(Math.abs(across / count) * Math.min(w, width), resizeFilter).toBeLessThan(0.1)
    expect(Math.abs(down / count) * Math.min(h, height), resizeFilter).toBeLessThan(0.1)
  }
})

import { expect, test } from 'vitest'
import { createFill, meanColour } from '#engine/methods/masks/fills.ts'
import { createRandom } from '#shared/random/random.ts'
import type { Frame } from '#engine/methods/masks/compose.ts'

const frame: Frame = { height: 24, width: 20, channels: 3 }
const source = createRandom(3, 'test')
// Middling colours, so that a recentred texture is hardly clipped.
const image = Float32Array.from({ length: 24 * 20 * 3 }, (_, i) => 0.4 + 0.05 * (i % 3) + 0.1 * source.uniform())
const make = (kind: Parameters<typeof createFill>[0], seed = 1, f = frame, x = image): ReturnType<typeof createFill> =>
  createFill(kind, f, x, 3, createRandom(seed, 'test', 'fill'))

test('zero is black, mean is the mean colour everywhere', () => {
  expect(new Set(make('zero').next())).toEqual(new Set([0]))
  const mean = meanColour(frame, image)
  make('mean').next().forEach((value, i) => expect(value).toBeCloseTo(mean[i % 3]!, 5))
})

test('blur keeps a constant image and flattens a spike, channel by channel', () => {
  const flat = new Float32Array(image.length).map((_, i) => [0.2, 0.5, 0.9][i % 3]!)
  make('blur', 1, frame, flat).next().forEach((value, i) => expect(value).toBeCloseTo(flat[i]!, 5))
  const spike = new Float32Array(image.length)
  spike[(12 * 20 + 10) * 3 + 1] = 1
  const blurred = make('blur', 1, frame, spike).next()
  const sum = (channel: number): number => blurred.reduce((total, value, i) => total + (i % 3 === channel ? value : 0), 0)
  expect(Math.max(...blurred)).toBeLessThan(0.05)
  expect(sum(1)).toBeCloseTo(1, 1)
  expect(sum(0)).toBe(0)
})

test('noise is uniform, seeded, and the same at every step', () => {
  const noise = make('noise', 5)
  const first = noise.next().slice()
  expect(noise.next()).toEqual(first)
  expect(make('noise', 5).next()).toEqual(first)
  expect(make('noise', 6).next()).not.toEqual(first)
  expect(first.reduce((sum, v) => sum + v, 0) / first.length).toBeCloseTo(0.5, 1)
})

test('drawn changes at every step, repeats with its seed, and has the mean colour of the image', () => {
  const fill = make('drawn', 5)
  const pictures = Array.from({ length: 6 }, () => fill.next().slice())
  const again = make('drawn', 5)
  for (const picture of pictures) expect(again.next()).toEqual(picture)
  expect(new Set(pictures.map((picture) => picture.join())).size).toBe(6)
  expect(fill.changes).toBe(true)
  const wanted = meanColour(frame, image)
  for (const picture of pictures) {
    meanColour(frame, picture).forEach((value, c) => expect(value).toBeCloseTo(wanted[c]!, 1))
    expect(Math.max(...picture)).toBeLessThanOrEqual(1)
    expect(Math.min(...picture)).toBeGreaterThanOrEqual(0)
  }
})

test('drawn fills exist for one grey channel and for images larger than the painted textures', () => {
  const grey: Frame = { height: 160, width: 200, channels: 1 }
  const picture = make('drawn', 1, grey, new Float32Array(160 * 200).fill(0.5)).next()
  expect(picture.length).toBe(160 * 200)
  expect(picture.every((value) => value >= 0 && value <= 1)).toBe(true)
  expect(new Set(picture).size).toBeGreaterThan(2)
})

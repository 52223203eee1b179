import { expect, test } from 'vitest'
import type { View } from '#shared/domain/image.ts'
import { colormap } from '#shared/imaging/colormap.ts'
import { colourMap, composeOverlay, cropBox, enlargePicture, seesAll } from '#shared/imaging/overlay.ts'

const limits = { low: 0, high: 1 }
const viridis = colormap('viridis')

function whole(width: number, height: number): View {
  return { picture: { width, height }, crop: { left: 0, top: 0, width, height }, size: { width: 8, height: 8 } }
}

function flat(width: number, height: number, colour: readonly [number, number, number]): { width: number; height: number; data: Uint8Array } {
  const data = new Uint8Array(width * height * 3)
  for (let i = 0; i < data.length; i++) data[i] = colour[i % 3]!
  return { width, height, data }
}

function pixel(picture: { width: number; data: Uint8Array }, x: number, y: number): number[] {
  const at = (y * picture.width + x) * 3
  return [...picture.data.subarray(at, at + 3)]
}

test('where the map is zero nothing is added: grey stays grey', () => {
  const map = { width: 2, height: 1, data: Float32Array.from([0, 1]) }
  const out = composeOverlay(flat(4, 2, [200, 40, 90]), map, { view: whole(4, 2), limits, colormap: viridis, lighten: 0 })
  const [r, g, b] = pixel(out, 0, 0)
  expect(r).toBe(g)
  expect(g).toBe(b)
  expect(r).toBe(Math.round(0.2126 * 200 + 0.7152 * 40 + 0.0722 * 90))
})

test('at the upper limit the colour is the scale’s own', () => {
  const map = { width: 2, height: 1, data: Float32Array.from([0, 1]) }
  const out = composeOverlay(flat(4, 2, [200, 40, 90]), map, { view: whole(4, 2), limits, colormap: viridis })
  expect(pixel(out, 2, 1)).toEqual([253, 231, 37])
})

test('signed maps: opacity by magnitude, nothing added at zero', () => {
  const map = { width: 3, height: 1, data: Float32Array.from([-2, 0, 2]) }
  const scale = colormap('rdbu')
  const out = composeOverlay(flat(3, 1, [100, 100, 100]), map, { view: whole(3, 1), limits: { low: -2, high: 2 }, colormap: scale, lighten: 0 })
  expect(pixel(out, 0, 0)).toEqual([...scale.table.subarray(0, 3)])
  expect(pixel(out, 1, 0)).toEqual([100, 100, 100])
  expect(pixel(out, 2, 0)).toEqual([...scale.table.subarray(765)])
})

test('a coarse map falls on whole blocks of pixels, inside the crop only', () => {
  const view: View = { picture: { width: 12, height: 8 }, crop: { left: 2, top: 0, width: 8, height: 8 }, size: { width: 4, height: 4 } }
  const map = { width: 2, height: 2, data: Float32Array.from([1, 0, 0, 1]) }
  const out = composeOverlay(flat(12, 8, [80, 80, 80]), map, { view, limits, colormap: viridis, lighten: 0, fade: 0.5 })
  const yellow = [253, 231, 37]
  for (let y = 0; y < 8; y++) {
    for (let x = 0; x < 12; x++) {
      const inside = x >= 2 && x < 10
      const on = inside && (x < 6) === (y < 4)
      expect(pixel(out, x, y), `${x}, ${y}`).toEqual(on ? yellow : inside ? [80, 80, 80] : [168, 168, 168])
    }
  }
})

test('a picture with fewer pixels than its map is enlarged by a whole number', () => {
  const map = { width: 6, height: 6, data: new Float32Array(36).fill(1) }
  const out = composeOverlay(flat(1, 1, [1, 2, 3]), map, { view: whole(1, 1), limits, colormap: viridis })
  expect([out.width, out.height]).toEqual([6, 6])
})

test('colourMap has one pixel per value', () => {
  const picture = colourMap({ width: 2, height: 1, data: Float32Array.from([0, 1]) }, limits, viridis)
  expect([...picture.data]).toEqual([68, 1, 84, 253, 231, 37])
})

test('enlargePicture repeats every pixel', () => {
  const out = enlargePicture({ width: 2, height: 1, data: Uint8Array.from([1, 2, 3, 4, 5, 6]) }, 2, 3)
  expect([out.width, out.height]).toEqual([4, 3])
  for (let y = 0; y < 3; y++) expect([...out.data.subarray(y * 12, y * 12 + 12)]).toEqual([1, 2, 3, 1, 2, 3, 4, 5, 6, 4, 5, 6])
})

test('the crop scales with the shown picture', () => {
  const view: View = { picture: { width: 4000, height: 2000 }, crop: { left: 1000, top: 0, width: 2000, height: 2000 }, size: { width: 8, height: 8 } }
  expect(cropBox(view, { width: 400, height: 200 })).toEqual({ left: 100, top: 0, width: 200, height: 200 })
  expect(seesAll(view)).toBe(false)
  expect(seesAll(whole(3, 3))).toBe(true)
})

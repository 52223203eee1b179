import { expect, test } from 'vitest'
import { colormap } from '#shared/imaging/colormap.ts'
import { mapLayer, maskedCutOut, maskedDimmed, maskedWithFill, overlayLayer, quieten } from '#shared/imaging/layers.ts'
import { composeOverlay } from '#shared/imaging/overlay.ts'

const map = (height: number, width: number, values: number[]) => ({ height, width, data: Float32Array.from(values) })
const unit = { low: 0, high: 1 }
const viridis = colormap('viridis')

test('a map becomes one pixel per value, with the colours of its scale', () => {
  const layer = mapLayer(map(1, 3, [0, 1, 2]), unit, viridis)
  expect(Array.from(layer.slice(0, 4))).toEqual([...viridis.table.slice(0, 3), 255])
  expect(Array.from(layer.slice(4, 8))).toEqual([...viridis.table.slice(-3), 255])
  expect(layer.slice(8)).toEqual(layer.slice(4, 8))
})

test('an overlay adds nothing where the map is zero, and its opacity at the greatest value', () => {
  const layer = overlayLayer(map(1, 3, [0, 0.5, 1]), unit, viridis, 0.5, 0)
  expect(layer[3]).toBe(0)
  expect(layer[7]).toBe(Math.round(0.5 ** 0.7 * 0.5 * 255))
  expect(layer[11]).toBe(Math.round(0.5 * 255))
})

test('below the threshold an overlay adds nothing; of a signed map the magnitude counts', () => {
  const layer = overlayLayer(map(1, 4, [-0.9, -0.1, 0.49, 0.5]), { low: -1, high: 1 }, colormap('rdbu'), 1, 0.5)
  expect([layer[3]! > 0, layer[7], layer[11], layer[15]! > 0]).toEqual([true, 0, 0, true])
})

test('layers drawn over each other are the overlay of print', () => {
  const picture = { width: 4, height: 2, data: Uint8Array.from({ length: 24 }, (_, i) => (i * 37) % 256) }
  const values = map(2, 4, [0, 0.1, 0.3, 0.5, 0.7, 0.9, 1, 0.2])
  const whole = { width: 4, height: 2 }
  const printed = composeOverlay(picture, values, { view: { picture: whole, size: whole, crop: { left: 0, top: 0, ...whole } }, limits: unit, colormap: viridis })
  const base = new Uint8ClampedArray(32).fill(255)
  for (let i = 0; i < 8; i++) base.set(picture.data.subarray(i * 3, i * 3 + 3), i * 4)
  quieten(base)
  const layer = overlayLayer(values, unit, viridis, 1, 0)
  for (let i = 0; i < 8; i++) {
    const alpha = layer[i * 4 + 3]! / 255
    for (let c = 0; c < 3; c++) {
      const composed = layer[i * 4 + c]! * alpha + base[i * 4 + c]! * (1 - alpha)
      expect(Math.abs(composed - printed.data[i * 3 + c]!)).toBeLessThanOrEqual(1.5)
    }
  }
})

const seen = { width: 2, height: 1, data: Uint8Array.from([200, 100, 0, 10, 20, 30]) }
const mask = Float32Array.from([0.25, 1])

test('a masked input mixes what is seen with the fill', () => {
  const fill = { width: 2, height: 1, data: Uint8Array.from([0, 100, 200, 1, 2, 3]) }
  expect(Array.from(maskedWithFill(mask, seen, fill))).toEqual([50, 100, 150, 255, 10, 20, 30, 255])
})

test('cut out, the mask is the opacity', () => {
  expect(Array.from(maskedCutOut(mask, seen))).toEqual([200, 100, 0, 64, 10, 20, 30, 255])
})

test('dimmed, what is removed is grey and what is kept untouched', () => {
  const [r, g, b] = maskedDimmed(Float32Array.from([0, 1]), seen)
  expect(r === g && g === b).toBe(true)
  expect(Array.from(maskedDimmed(Float32Array.from([0, 1]), seen).slice(4))).toEqual([10, 20, 30, 255])
})

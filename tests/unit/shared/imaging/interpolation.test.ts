import { describe, expect, test } from 'vitest'
import { upsample, upsampleAdjoint } from '#shared/imaging/interpolation.ts'
import { createRandom } from '#shared/random/random.ts'
import type { MapData } from '#shared/domain/image.ts'

function randomMap(height: number, width: number, seed: number): MapData {
  const random = createRandom(seed, 'test')
  return { height, width, data: Float32Array.from({ length: height * width }, () => random.between(-1, 1)) }
}

/** The definition, pixel by pixel, with no matrices. */
function sampled(map: MapData, height: number, width: number): Float32Array {
  const at = (y: number, x: number): number => map.data[y * map.width + x]!
  return Float32Array.from({ length: height * width }, (_, i) => {
    const y = Math.min(Math.max(((Math.floor(i / width) + 0.5) * map.height) / height - 0.5, 0), map.height - 1)
    const x = Math.min(Math.max((((i % width) + 0.5) * map.width) / width - 0.5, 0), map.width - 1)
    const [y0, x0] = [Math.floor(y), Math.floor(x)]
    const [y1, x1] = [Math.min(y0 + 1, map.height - 1), Math.min(x0 + 1, map.width - 1)]
    const top = at(y0, x0) * (1 - (x - x0)) + at(y0, x1) * (x - x0)
    const bottom = at(y1, x0) * (1 - (x - x0)) + at(y1, x1) * (x - x0)
    return top * (1 - (y - y0)) + bottom * (y - y0)
  })
}

function dot(a: Float32Array, b: Float32Array): number {
  return a.reduce((sum, value, i) => sum + value * b[i]!, 0)
}

describe('upsample', () => {
  test('a one-hot cell 3 of 7 peaks at 111.5 of 224', () => {
    const map: MapData = { height: 7, width: 7, data: new Float32Array(49) }
    map.data[3 * 7 + 3] = 1
    const large = upsample(map, 224, 224)
    const row = large.data.subarray(111 * 224, 112 * 224)
    const peak = Math.max(...row)
    const at = [...row.keys()].filter((x) => row[x] === peak)
    expect(at).toEqual([111, 112])
    // The centre of mass is the centre of the cell.
    const mass = row.reduce((sum, v) => sum + v, 0)
    expect(row.reduce((sum, v, x) => sum + v * x, 0) / mass).toBeCloseTo(111.5, 4)
  })

  test.each([
    [3, 5, 7, 9], [7, 7, 224, 224], [1, 4, 6, 3], [28, 28, 64, 64], [9, 6, 4, 2], [2, 1, 5, 5], [13, 8, 13, 21],
  ])('%i×%i to %i×%i agrees with the definition', (h, w, height, width) => {
    const map = randomMap(h, w, h * 100 + w)
    const expected = sampled(map, height, width)
    upsample(map, height, width).data.forEach((value, i) => expect(value).toBeCloseTo(expected[i]!, 6))
  })

  test('a constant stays constant and the same size is a copy', () => {
    const flat: MapData = { height: 5, width: 4, data: new Float32Array(20).fill(0.3) }
    upsample(flat, 33, 17).data.forEach((value) => expect(value).toBeCloseTo(0.3, 6))
    const map = randomMap(6, 6, 1)
    const copy = upsample(map, 6, 6)
    expect(copy.data).toEqual(map.data)
    expect(copy.data).not.toBe(map.data)
  })

  test('refuses a map whose size and data disagree', () => {
    expect(() => upsample({ height: 2, width: 2, data: new Float32Array(3) }, 4, 4)).toThrow(RangeError)
  })
})

describe('upsampleAdjoint', () => {
  test.each([[7, 7, 224, 224], [5, 3, 8, 11], [1, 1, 4, 4], [12, 12, 5, 7], [28, 28, 64, 64]])(
    'is the adjoint for %i×%i to %i×%i: ⟨U m, g⟩ = ⟨m, Uᵀ g⟩',
    (h, w, height, width) => {
      const map = randomMap(h, w, 1)
      const gradient = randomMap(height, width, 2)
      const forward = dot(upsample(map, height, width).data, gradient.data)
      const backward = dot(map.data, upsampleAdjoint(gradient, h, w).data)
      expect(Math.abs(forward - backward)).toBeLessThan(1e-4 * (1 + Math.abs(forward)))
    },
  )

  test('agrees with finite differences of a smooth function of the upsampled map', () => {
    const map = randomMap(4, 5, 3)
    const f = (m: MapData): number => upsample(m, 9, 8).data.reduce((sum, v, i) => sum + v ** 3 * Math.sin(i), 0)
    const large = upsample(map, 9, 8)
    const gradient = upsampleAdjoint({ ...large, data: large.data.map((v, i) => 3 * v * v * Math.sin(i)) }, 4, 5)
    for (let k = 0; k < 20; k++) {
      const step = 1e-2
      const moved = (by: number): MapData => ({ ...map, data: map.data.map((v, i) => (i === k ? v + by : v)) })
      const difference = (f(moved(step)) - f(moved(-step))) / (2 * step)
      expect(gradient.data[k]!).toBeCloseTo(difference, 2)
    }
  })
})

import { describe, expect, test } from 'vitest'
import { createSmoothness, sparsity } from '#engine/methods/masks/regularisers.ts'
import { createRandom } from '#shared/random/random.ts'

function randomMap(length: number, range: number, seed = 1): Float32Array {
  const random = createRandom(seed, 'test')
  return Float32Array.from({ length }, () => random.between(-range, range))
}

describe('sparsity', () => {
  test('is λ·mean|w + L| with the sign as its gradient, 0 at the kink', () => {
    const gradient = new Float32Array(4)
    // |−4 + 3|, |−3 + 3|, |0 + 3|, |1 + 3| = 1, 0, 3, 4: mean 2
    expect(sparsity(Float32Array.of(-4, -3, 0, 1), 3, 0.5, gradient)).toBeCloseTo(1, 12)
    expect([...gradient]).toEqual([-0.125, 0, 0.125, 0.125])
  })

  test('at the published start, U(−10, 10) and L = 10, λ = .35, the term is 3.5', () => {
    expect(sparsity(randomMap(299 * 299, 10), 10, 0.35, new Float32Array(299 * 299))).toBeCloseTo(3.5, 1)
  })
})

/** (K∗w) where K fits, by the definition. */
function highPass(map: Float32Array, height: number, width: number, size: number): number[] {
  const out: number[] = []
  for (let y = 0; y + size <= height; y++) {
    for (let x = 0; x + size <= width; x++) {
      let sum = 0
      for (let dy = 0; dy < size; dy++) {
        for (let dx = 0; dx < size; dx++) {
          const weight = dy === (size - 1) / 2 && dx === dy ? size * size - 1 : -1
          sum += weight * map[(y + dy) * width + x + dx]!
        }
      }
      out.push(sum)
    }
  }
  return out
}

describe('smoothness', () => {
  test('by hand: one spike in the middle of 3×3 responds with 8, off the middle with −1', () => {
    const middle = new Float32Array(9)
    middle[4] = 1
    const gradient = new Float32Array(9)
    expect(createSmoothness(3, 3, 3)(middle, 0.5, gradient)).toBeCloseTo(0.5 * 64, 12)
    // 2·λ·8·K
    expect([...gradient]).toEqual([-8, -8, -8, -8, 64, -8, -8, -8, -8])
    const corner = new Float32Array(9)
    corner[0] = 2
    expect(createSmoothness(3, 3, 3)(corner, 1, new Float32Array(9))).toBeCloseTo(4, 12)
  })

  test.each([[3, 7, 6], [5, 9, 8], [5, 5, 5], [3, 3, 11], [5, 12, 7]])(
    'the %i×%i kernel on %i×%i agrees with the definition and with finite differences',
    (size, height, width) => {
      const map = randomMap(height * width, 1)
      const term = createSmoothness(height, width, size)
      const expected = highPass(map, height, width, size).reduce((sum, r, _, all) => sum + (r * r) / all.length, 0)
      const gradient = new Float32Array(map.length).fill(0.25)
      expect(term(map, 3, gradient)).toBeCloseTo(3 * expected, 3)
      for (let i = 0; i < map.length; i++) {
        const moved = (by: number): number => term(map.map((v, k) => (k === i ? v + by : v)), 3, new Float32Array(map.length))
        // A quadratic form: central differences are exact but for rounding.
        const difference = (moved(0.5) - moved(-0.5)) / (map.map((v, k) => (k === i ? v + 0.5 : v))[i]! - map.map((v, k) => (k === i ? v - 0.5 : v))[i]!)
        expect(gradient[i]! - 0.25).toBeCloseTo(difference, 2)
      }
      // Called again it gives the same: nothing stays behind in its buffers.
      const again = new Float32Array(map.length).fill(0.25)
      term(map, 3, again)
      expect(again).toEqual(gradient)
    },
  )

  test('the published starting losses: 600 for the 5×5 kernel at 299², 360 for the 3×3', () => {
    const mean = (size: number, height: number, weight: number): number => {
      const term = createSmoothness(height, height, size)
      const values = [1, 2, 3, 4, 5].map((seed) => term(randomMap(height * height, 10, seed), weight, new Float32Array(height * height)))
      return values.reduce((a, b) => a + b, 0) / values.length
    }
    // λd·(24² + 24)·100/3 and λd·(8² + 8)·100/3
    expect(Math.abs(mean(5, 299, 0.03) - 600)).toBeLessThan(2)
    expect(Math.abs(mean(3, 299, 0.15) - 360)).toBeLessThan(2)
  })

  test('refuses a map smaller than the kernel', () => {
    expect(() => createSmoothness(4, 9, 5)).toThrow(RangeError)
  })
})

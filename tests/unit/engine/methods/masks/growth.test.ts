import { describe, expect, test } from 'vitest'
import { createGrowth, type Growth } from '#engine/methods/masks/growth.ts'
import { createRandom } from '#shared/random/random.ts'

const size = { height: 7, width: 9 }
const cells = size.height * size.width

/** One whose next masks are grown. */
function grown(radius: number, scale = 1): Growth {
  const growth = createGrowth(size, createRandom(1), scale)
  const single = new Float32Array(cells)
  single[3 * 9 + 4] = 1
  for (let k = 0; k < 50; k++) {
    growth.next(radius)
    if (growth.show(single) !== single) return growth
  }
  throw new Error('In 50 steps none was grown.')
}

describe('a grown mask', () => {
  test('has in each cell the greatest value within the radius', () => {
    const random = createRandom(2)
    const own = Float32Array.from({ length: cells }, () => random.uniform())
    for (const radius of [1, 2, 3]) {
      const shown = grown(radius).show(own)
      for (let y = 0; y < 7; y++) {
        for (let x = 0; x < 9; x++) {
          const within = [...own].filter((_, i) => (Math.floor(i / 9) - y) ** 2 + ((i % 9) - x) ** 2 <= radius * radius)
          expect(shown[y * 9 + x]).toBe(Math.max(...within))
        }
      }
    }
  })

  test('gives its gradient back to the cells that are shown: a small change moves what is seen by as much', () => {
    const random = createRandom(3)
    const own = Float32Array.from({ length: cells }, () => random.uniform())
    const weights = Float32Array.from({ length: cells }, () => random.normal())
    const growth = grown(2)
    const seen = (mask: Float32Array): number => growth.show(mask).reduce((sum, value, i) => sum + value * weights[i]!, 0)
    growth.show(own)
    const gradient = growth.pullBack(weights)
    // Of a step so small that no other cell becomes the greatest.
    const step = 2 ** -12
    own.forEach((value, i) => {
      const moved = (by: number): Float32Array => own.map((other, k) => (k === i ? value + by : other))
      expect((seen(moved(step)) - seen(moved(-step))) / (2 * step)).toBeCloseTo(gradient[i]!, 1)
    })
    expect(gradient.reduce((a, b) => a + b)).toBeCloseTo(weights.reduce((a, b) => a + b), 4)
  })

  test('comes in half of the steps, with a radius that goes with the resolution', () => {
    const growth = createGrowth(size, createRandom(4))
    const own = new Float32Array(cells).fill(0.5)
    let times = 0
    for (let k = 0; k < 1000; k++) {
      growth.next(1)
      if (growth.show(own) !== own) times++
    }
    expect(Math.abs(times - 500)).toBeLessThan(60)
    const single = new Float32Array(cells)
    single[3 * 9 + 4] = 1
    expect(grown(4, 0.5).show(single).filter((value) => value === 1)).toHaveLength(13)
  })
})

test('without a radius nothing is drawn and nothing moves', () => {
  const random = createRandom(5)
  const growth = createGrowth(size, random)
  const own = new Float32Array(cells)
  growth.next(0)
  expect(growth.show(own)).toBe(own)
  expect(growth.pullBack(own)).toBe(own)
  expect(random.uniform()).toBe(createRandom(5).uniform())
})

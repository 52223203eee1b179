import { describe, expect, test } from 'vitest'
import { averagePrecision } from '#engine/metrics/average-precision.ts'
import { energyPointingGame } from '#engine/metrics/energy-pointing-game.ts'
import { createRandom } from '#shared/random/random.ts'

describe('averagePrecision', () => {
  test('by hand: hits at ranks 1, 3 and 4 of 5', () => {
    expect(averagePrecision(Float32Array.of(5, 4, 3, 2, 1), Uint8Array.of(1, 0, 1, 1, 0))).toBeCloseTo((1 + 2 / 3 + 3 / 4) / 3, 12)
  })

  test('ties are one step: precision at the end of the group for all its hits', () => {
    expect(averagePrecision(Float32Array.of(1, 0.5, 0.5, 0.5, 0), Uint8Array.of(1, 1, 0, 0, 0))).toBeCloseTo((1 + 2 / 4) / 2, 12)
    expect(averagePrecision(Float32Array.of(1, 0.5, 0.5, 0.5, 0), Uint8Array.of(1, 0, 0, 1, 0))).toBeCloseTo((1 + 2 / 4) / 2, 12)
  })

  test('a constant map scores the prevalence, a perfect one 1, the reverse little', () => {
    const mask = Uint8Array.from({ length: 40 }, (_, i) => (i < 6 ? 1 : 0))
    expect(averagePrecision(new Float32Array(40).fill(0.3), mask)).toBeCloseTo(6 / 40, 12)
    expect(averagePrecision(Float32Array.from(mask), mask)).toBe(1)
    const reverse = averagePrecision(Float32Array.from({ length: 40 }, (_, i) => i), mask)
    expect(reverse).toBeCloseTo([1, 2, 3, 4, 5, 6].reduce((sum, k) => sum + k / (34 + k), 0) / 6, 12)
  })

  test('depends on the order alone', () => {
    const random = createRandom(1, 'test')
    const map = Float32Array.from({ length: 200 }, () => random.uniform())
    const mask = Uint8Array.from({ length: 200 }, () => random.below(2))
    expect(averagePrecision(map.map((v) => v ** 3), mask)).toBeCloseTo(averagePrecision(map, mask), 12)
  })
})

describe('energyPointingGame', () => {
  test('by hand, after taking the minimum away; a constant map scores the share of the mask', () => {
    expect(energyPointingGame(Float32Array.of(0.6, 0.2, 0.4, 0.2), Uint8Array.of(1, 0, 0, 1))).toBeCloseTo(0.4 / 0.6, 6)
    expect(energyPointingGame(Float32Array.of(-3, 2, 2, -1), Uint8Array.of(1, 1, 0, 0))).toBeCloseTo(0.5, 12)
    expect(energyPointingGame(new Float32Array(8).fill(0.5), Uint8Array.of(1, 0, 0, 1, 0, 0, 0, 0))).toBe(0.25)
  })
})

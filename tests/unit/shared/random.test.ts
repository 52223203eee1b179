import { describe, expect, test } from 'vitest'
import { createRandom, xoshiro128 } from '#shared/random/random.ts'

describe('createRandom', () => {
  test('the same seed and stream give the same numbers; another seed or stream gives others', () => {
    const draw = (seed: number, ...stream: (string | number)[]): number[] => {
      const random = createRandom(seed, ...stream)
      return Array.from({ length: 8 }, () => random.uint32())
    }
    expect(draw(7, 'fill', 3)).toEqual(draw(7, 'fill', 3))
    const others = [draw(8, 'fill', 3), draw(7, 'fill', 4), draw(7, 'fil', 3), draw(7, 'l', 'fil'), draw(7 + 2 ** 32, 'fill', 3), draw(7)]
    for (const other of others) expect(other).not.toEqual(draw(7, 'fill', 3))
  })

  test('xoshiro128** gives the first outputs published for the state 1, 2, 3, 4', () => {
    const next = xoshiro128(1, 2, 3, 4)
    expect([next(), next(), next(), next()]).toEqual([11520, 0, 5927040, 70819200])
  })

  test.each([0, 1, 2, 3, 42, 2_000_007])('small seeds have no bad first draws (seed %i)', (seed) => {
    const random = createRandom(seed)
    const first = Array.from({ length: 4 }, () => random.uniform())
    for (const value of first) expect(value > 0.001 && value < 0.999).toBe(true)
  })

  test('uniform and normal have the moments they should', () => {
    const random = createRandom(11)
    const n = 200_000
    let mean = 0
    let square = 0
    let fourth = 0
    let uniformMean = 0
    for (let i = 0; i < n; i++) {
      const z = random.normal()
      mean += z / n
      square += z ** 2 / n
      fourth += z ** 4 / n
      uniformMean += random.uniform() / n
    }
    expect(Math.abs(mean)).toBeLessThan(0.01)
    expect(Math.abs(square - 1)).toBeLessThan(0.015)
    expect(Math.abs(fourth - 3)).toBeLessThan(0.1)
    expect(Math.abs(uniformMean - 0.5)).toBeLessThan(0.004)
  })

  test('neighbouring seeds are uncorrelated', () => {
    let sum = 0
    const n = 20_000
    for (let seed = 0; seed < n; seed++) {
      sum += (createRandom(seed).uniform() - 0.5) * (createRandom(seed + 1).uniform() - 0.5)
    }
    // Standard error of the correlation: 1/sqrt(n) = .007
    expect(Math.abs((sum / n) * 12)).toBeLessThan(0.03)
  })

  test('shuffle keeps the items, and every place is equally likely for the first', () => {
    const random = createRandom(5)
    const places = [0, 0, 0, 0, 0]
    for (let i = 0; i < 10_000; i++) {
      const items = random.shuffle([0, 1, 2, 3, 4])
      places[items.indexOf(0)]! += 1
    }
    for (const count of places) expect(Math.abs(count - 2000)).toBeLessThan(200)
  })
})

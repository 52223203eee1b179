import { expect, test } from 'vitest'
import { createAdam } from '#engine/methods/masks/adam.ts'
import { createRmsProp } from '#engine/methods/masks/rmsprop.ts'
import { variation } from '#engine/methods/masks/variation.ts'

test('the first step at w = 1, g = .1, η = .03 is .0031605 (TF.js would take .0948636)', () => {
  const values = Float32Array.of(1)
  createRmsProp(1).step(values, Float32Array.of(0.1), 0.03)
  expect(1 - values[0]!).toBeCloseTo(0.0031605, 6)
})

test('follows the recurrence over many steps, in double precision', () => {
  const optimiser = createRmsProp(2)
  const values = Float32Array.of(0.5, -2)
  const expected = [0.5, -2]
  const square = [1, 1]
  for (let n = 0; n < 50; n++) {
    const gradient = [Math.sin(n), 0.001 * n]
    optimiser.step(values, Float32Array.from(gradient), 0.1)
    for (let i = 0; i < 2; i++) {
      square[i] = 0.9 * square[i]! + 0.1 * gradient[i]! ** 2
      expected[i]! -= (0.1 * gradient[i]!) / Math.sqrt(square[i]! + 1e-10)
    }
  }
  expect(values[0]).toBeCloseTo(expected[0]!, 5)
  expect(values[1]).toBeCloseTo(expected[1]!, 5)
})

test('the settled step on the published sparsity gradient is .0109', () => {
  const values = Float32Array.of(0)
  const optimiser = createRmsProp(1)
  const gradient = Float32Array.of(0.35 / (299 * 299))
  for (let n = 0; n < 1000; n++) optimiser.step(values, gradient, 0.03)
  const before = values[0]!
  optimiser.step(values, gradient, 0.03)
  expect(before - values[0]!).toBeCloseTo(0.0109, 4)
})

test('Adam: the first step is the learning rate against the sign, and later ones follow the paper\'s recurrence', () => {
  const adam = createAdam(2)
  const values = Float32Array.of(1, 1)
  const expected = [1, 1]
  const [mean, square] = [[0, 0], [0, 0]]
  for (let n = 1; n <= 40; n++) {
    const gradient = [0.01 * Math.cos(n), -3]
    adam.step(values, Float32Array.from(gradient), 0.1, Float32Array.of(1, 0.5))
    for (let i = 0; i < 2; i++) {
      mean[i] = 0.9 * mean[i]! + 0.1 * gradient[i]!
      square[i] = 0.999 * square[i]! + 0.001 * gradient[i]! ** 2
      const step = mean[i]! / (1 - 0.9 ** n) / (Math.sqrt(square[i]! / (1 - 0.999 ** n)) + 1e-8)
      expected[i]! -= 0.1 * [1, 0.5][i]! * step
    }
    if (n === 1) expect([...values].map((v) => Number(v.toFixed(5)))).toEqual([0.9, 1.05])
  }
  expect(values[0]).toBeCloseTo(expected[0]!, 5)
  expect(values[1]).toBeCloseTo(expected[1]!, 5)
})

test('total variation by hand: mean differences to the right and below, and their signs as its gradient', () => {
  const map = Float32Array.of(0, 1, 3, 3, 3, 2)
  const gradient = new Float32Array(6)
  // Rows 0 1 3 and 3 3 2: |∂x| = 1, 2, 0, 1 over 4 places; |∂y| = 3, 2, 1 over 3.
  expect(variation(map, 2, 3, 12, gradient)).toBeCloseTo(12 * (4 / 4 + 6 / 3), 5)
  expect([...gradient]).toEqual([-3 - 4, 3 - 3 - 4, 3 + 4, 4, 3 + 4, -3 - 4])
})

import { expect, test } from 'vitest'
import { createRmsProp } from '#engine/methods/masks/rmsprop.ts'

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

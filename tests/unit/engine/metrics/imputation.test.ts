import { describe, expect, test } from 'vitest'
import { imputationResidual, noisyLinearImputation } from '#engine/metrics/imputation.ts'
import { renderUnseenFill } from '#engine/metrics/unseen-fills.ts'
import { createRandom } from '#shared/random/random.ts'

const random = createRandom(2, 'test')

describe('noisyLinearImputation', () => {
  test('solves its system: every removed pixel is the weighted mean of its neighbours, also far from what is known', () => {
    const image = Float32Array.from({ length: 32 * 40 * 3 }, () => random.uniform())
    const removed = Uint8Array.from({ length: 32 * 40 }, (_, i) => (i % 40 < 6 && i < 400 ? 0 : 1))
    const out = noisyLinearImputation(image, 32, 40, 3, removed)
    for (let c = 0; c < 3; c++) {
      const plane = Float64Array.from({ length: 32 * 40 }, (_, i) => out[i * 3 + c]!)
      expect(imputationResidual(plane, 32, 40, removed)).toBeLessThan(1e-5)
      removed.forEach((gone, i) => gone === 0 && expect(out[i * 3 + c]).toBe(image[i * 3 + c]))
    }
  })

  test.each([
    ['one pixel left', (i: number) => i !== 1200],
    ['half of them, scattered', (i: number) => (Math.imul(i, 0x9e3779b1) >>> 31) === 1],
    ['all but a frame', (i: number) => i % 57 > 0 && i % 57 < 56 && i > 56 && i < 40 * 57],
  ])('odd sizes, %s: the system is solved and nothing leaves the range of what is known', (_, gone) => {
    const image = Float32Array.from({ length: 41 * 57 }, (_, i) => 0.5 + 0.5 * Math.sin(i / 9))
    const removed = Uint8Array.from({ length: image.length }, (_, i) => (gone(i) ? 1 : 0))
    const out = noisyLinearImputation(image, 41, 57, 1, removed)
    expect(imputationResidual(Float64Array.from(out), 41, 57, removed)).toBeLessThan(1e-6)
    const known = image.filter((_, i) => removed[i] === 0)
    const [least, most] = [known.reduce((a, b) => Math.min(a, b)), known.reduce((a, b) => Math.max(a, b))]
    for (const value of out) expect(value >= least - 1e-5 && value <= most + 1e-5).toBe(true)
    // Looser, it is still close: the noise that ROAD adds is ten times as large.
    const loose = noisyLinearImputation(image, 41, 57, 1, removed, undefined, 1e-6)
    expect(loose.reduce((worst, v, i) => Math.max(worst, Math.abs(v - out[i]!)), 0)).toBeLessThan(1e-3)
  })

  test('by hand: one removed pixel inside, and one in a corner with its weights renormalised', () => {
    const image = Float32Array.of(9, 2, 3, 4, 9, 6, 7, 8, 1)
    const middle = noisyLinearImputation(image, 3, 3, 1, Uint8Array.of(0, 0, 0, 0, 1, 0, 0, 0, 0))
    expect(middle[4]).toBeCloseTo((2 + 4 + 6 + 8) / 6 + (9 + 3 + 7 + 1) / 12, 5)
    const corner = noisyLinearImputation(image, 3, 3, 1, Uint8Array.of(1, 0, 0, 0, 0, 0, 0, 0, 0))
    expect(corner[0]).toBeCloseTo(((2 + 4) / 6 + 9 / 12) / (2 / 6 + 1 / 12), 5)
  })

  test('a plane is imputed exactly inside, and the noise is small and seeded', () => {
    const ramp = Float32Array.from({ length: 81 }, (_, i) => 0.05 * (i % 9) + 0.04 * Math.floor(i / 9))
    const removed = Uint8Array.from({ length: 81 }, (_, i) => (i % 9 > 1 && i % 9 < 7 && i > 18 && i < 60 ? 1 : 0))
    noisyLinearImputation(ramp, 9, 9, 1, removed).forEach((v, i) => expect(v).toBeCloseTo(ramp[i]!, 4))
    const noisy = noisyLinearImputation(ramp, 9, 9, 1, removed, createRandom(5))
    expect(noisy).toEqual(noisyLinearImputation(ramp, 9, 9, 1, removed, createRandom(5)))
    const errors = [...noisy].flatMap((v, i) => (removed[i] === 1 ? [v - ramp[i]!] : []))
    const sd = Math.sqrt(errors.reduce((sum, e) => sum + e * e, 0) / errors.length)
    expect(sd).toBeGreaterThan(0.005)
    expect(sd).toBeLessThan(0.02)
  })

  test('with nothing left it is the mean colour', () => {
    const image = Float32Array.of(0, 1, 0.5, 0.5)
    expect([...noisyLinearImputation(image, 2, 2, 1, new Uint8Array(4).fill(1))]).toEqual([0.5, 0.5, 0.5, 0.5])
  })
})

test('the unseen fills: noise is noise, the checkerboard alternates, ROAD keeps what the mask shows', () => {
  const image = Float32Array.from({ length: 16 * 16 * 3 }, () => random.uniform())
  const mask = Float32Array.from({ length: 256 }, (_, i) => (i < 128 ? 0.9 : 0.1))
  const render = (kind: Parameters<typeof renderUnseenFill>[0], x = image): Float32Array =>
    renderUnseenFill(kind, x, 16, 16, 3, mask, createRandom(1))
  const mean = [0, 1, 2].map((c) => image.reduce((sum, v, i) => sum + (i % 3 === c ? v / 256 : 0), 0))
  const noise = render('noise')
  const spread = Math.sqrt(noise.reduce((sum, v, i) => sum + (v - mean[i % 3]!) ** 2, 0) / noise.length)
  expect(spread).toBeCloseTo(0.1, 2)
  expect(render('full-noise').reduce((sum, v) => sum + v, 0) / noise.length).toBeCloseTo(0.5, 1)
  // Squares of one pixel at 16.
  const board = render('checkerboard')
  expect(board[0]).toBeCloseTo(mean[0]! - 0.1, 5)
  expect(board[3]).toBeCloseTo(mean[0]! + 0.1, 5)
  expect(board[48 + 2]).toBeCloseTo(mean[2]! + 0.1, 5)
  expect(board[48 + 3 + 1]).toBeCloseTo(mean[1]! - 0.1, 5)
  const full = render('full-checkerboard')
  expect([full[0], full[3], full[48], full[51]]).toEqual([0, 1, 1, 0])
  const road = render('road')
  expect(road.subarray(0, 384)).toEqual(image.subarray(0, 384))
  expect(road.subarray(384)).not.toEqual(image.subarray(384))
})

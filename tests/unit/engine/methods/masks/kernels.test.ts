import { expect, test } from 'vitest'
import { createParametrisation } from '#engine/methods/masks/parametrisation.ts'
import { applyFast } from '#engine/methods/masks/separable.ts'
import { begin, kernels, put, putDoubles, putIntegers, room, take } from '#engine/methods/masks/simd/kernels.ts'
import { applySeparable, transpose } from '#shared/imaging/banded.ts'
import { interpolationMatrix } from '#shared/imaging/interpolation.ts'
import { createRandom } from '#shared/random/random.ts'

const random = createRandom(5, 'kernels')
const values = (n: number): Float32Array => Float32Array.from({ length: n }, () => random.normal())

test('the sigmoid is that of Math.exp at every size of its argument, to float32', () => {
  const v = Float32Array.from([0, 1e-6, 0.3, -0.3, 1, 17, -17, 40, -40, 87, -80, 500, -500, 1e5, -1e5, 3.4e38, -3.4e38])
  for (const temperature of [0.1, 0.3, 1, 7]) {
    const own = createParametrisation({ height: 1, width: v.length }, 0, 0, temperature).squash(v)
    v.forEach((value, i) => {
      const exact = 1 / (1 + Math.exp(-value / temperature))
      expect(Math.abs(own[i]! - exact), `${value}`).toBeLessThanOrEqual(1.2e-7 * exact + 1e-45)
    })
  }
})

test.each([[7, 5, 30, 41], [30, 41, 7, 5], [28, 28, 64, 64], [64, 33, 9, 33], [1, 1, 6, 3]])('%i×%i to %i×%i: as the plain loops', (h, w, height, width) => {
  const source = values(h * w)
  const [vertical, horizontal] = [interpolationMatrix(h, height), interpolationMatrix(w, width)]
  const expected = applySeparable(vertical, horizontal, source)
  applyFast(vertical, horizontal, source).forEach((value, i) => expect(value).toBeCloseTo(expected[i]!, 5))
  const gradient = values(height * width)
  const back = applySeparable(transpose(vertical), transpose(horizontal), gradient)
  applyFast(transpose(vertical), transpose(horizontal), gradient).forEach((value, i) => expect(value).toBeCloseTo(back[i]!, 4))
})

test.each([1, 3, 4])('a window of a texture with %i channels has the mean that is wanted, and is cut to [0, 1]', (channels) => {
  const [height, width] = [6, 7]
  const texture = Float32Array.from({ length: height * width * channels }, () => random.uniform())
  const rows = Int32Array.from({ length: height }, (_, y) => height - 1 - y)
  const columns = Int32Array.from({ length: width }, (_, x) => (x + 3) % width)
  // The last channel would leave [0, 1].
  const wanted = Array.from({ length: channels }, (_, c) => (c === channels - 1 ? 0.9 : 0.5))
  const out = new Float32Array(texture.length)
  begin()
  const to = room(out.length + 12)
  kernels.drawWindow(
    put(texture), putIntegers(rows.map((y) => y * width * channels * 4)), putIntegers(columns.map((x) => x * channels * 4)), to,
    height, width, channels, putDoubles(wanted),
  )
  take(to, out)
  for (let c = 0; c < channels; c++) {
    const shown = Array.from({ length: height * width }, (_, i) => texture[(rows[Math.floor(i / width)]! * width + columns[i % width]!) * channels + c]!)
    const by = wanted[c]! - shown.reduce((a, b) => a + b) / shown.length
    shown.forEach((value, i) => expect(out[i * channels + c]).toBeCloseTo(Math.min(1, Math.max(0, value + by)), 6))
  }
})

test('arrays larger than the memory so far', () => {
  const n = 3_000_000
  const v = new Float32Array(n).fill(2)
  const y = createParametrisation({ height: 1, width: n }, 0, 0, 1).squash(v)
  expect(y[0]).toBeCloseTo(1 / (1 + Math.exp(-2)), 7)
  expect(y[n - 1]).toBe(y[0])
})

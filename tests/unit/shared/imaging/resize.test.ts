import { expect, test } from 'vitest'
import { resize, resizeFilters } from '#shared/imaging/resize.ts'
import { createRandom } from '#shared/random/random.ts'

function row(values: readonly number[], width: number, filter: (typeof resizeFilters)[number]): number[] {
  const data = Float32Array.from(values)
  return [...resize({ width: values.length, data, channels: 1 }, { left: 0, top: 0, width: values.length, height: 1 }, { width, height: 1 }, filter)]
}

function expectClose(found: readonly number[], expected: readonly number[]): void {
  expect(found.length).toBe(expected.length)
  found.forEach((v, i) => expect(v, `at ${i}`).toBeCloseTo(expected[i]!, 5))
}

test('the same size changes nothing', () => {
  const values = [3, 1, 4, 1, 5, 9]
  for (const filter of resizeFilters) expectClose(row(values, 6, filter), values)
})

test('box: halving takes means of two, thirds share no pixel', () => {
  expectClose(row([1, 3, 5, 11], 2, 'box'), [2, 8])
  expectClose(row([1, 2, 3, 4, 5, 6], 2, 'box'), [2, 5])
})

test('bilinear: the support grows with the reduction, and edges are renormalised', () => {
  // centres at 1 and 3; distances ½, ½, 3/2 over a stretch of 2 weigh ¾, ¾, ¼
  expectClose(row([1, 0, 0, 0], 2, 'bilinear'), [0.75 / 1.75, 0])
  expectClose(row([0, 0, 1, 0], 2, 'bilinear'), [0.25 / 1.75, 0.75 / 1.75])
  // enlarging: weights ¾ and ¼ between neighbours, the edge alone at the edge
  expectClose(row([0, 4], 4, 'bilinear'), [0, 1, 3, 4])
})

test('bicubic and lanczos3 enlarge with their own kernels', () => {
  // position 1.25 between the centres .5, 1.5, 2.5, 3.5: distances .75, .25, 1.25, 2.25 by Keys' cubic, a = −½
  const near = (x: number): number => 1.5 * x ** 3 - 2.5 * x ** 2 + 1
  const far = (x: number): number => -0.5 * x ** 3 + 2.5 * x ** 2 - 4 * x + 2
  const found = row([0, 1, 0, 0], 8, 'bicubic')
  expect(found[2]).toBeCloseTo(near(0.25) / (near(0.75) + near(0.25) + far(1.25)), 5)
  const sinc = (x: number): number => Math.sin(Math.PI * x) / (Math.PI * x)
  const lanczos = (x: number): number => sinc(x) * sinc(x / 3)
  const at = row([0, 0, 0, 1, 0, 0, 0, 0], 16, 'lanczos3')
  // output 7 sits at 3.75; its pixels are at distances ¼, ¾, 5/4, ... on both sides
  const sum = [0.25, 0.75, 1.25, 1.75, 2.25, 2.75].reduce((s, x) => s + lanczos(x), 0)
  expect(at[7]).toBeCloseTo(lanczos(0.25) / sum, 5)
})

test('a constant stays constant and a ramp a ramp, in both directions', () => {
  const [width, height] = [37, 23]
  for (const filter of resizeFilters) {
    const flat = resize({ width, data: new Uint8Array(width * height * 3).fill(200), channels: 3 }, { left: 0, top: 0, width, height }, { width: 11, height: 41 }, filter, 1 / 255)
    for (const v of flat) expect(v).toBeCloseTo(200 / 255, 5)
  }
  const ramp = Float32Array.from({ length: 64 * 64 }, (_, i) => (i % 64) + 2 * Math.floor(i / 64))
  const small = resize({ width: 64, data: ramp, channels: 1 }, { left: 0, top: 0, width: 64, height: 64 }, { width: 16, height: 16 }, 'bilinear')
  // away from the edges, the value at the centre of each pixel
  for (let y = 2; y < 14; y++) for (let x = 2; x < 14; x++) expect(small[y * 16 + x]).toBeCloseTo(4 * x + 1.5 + 2 * (4 * y + 1.5), 3)
})

test('a region is what it is alone, and rows and columns are independent', () => {
  const random = createRandom(2, 'resize')
  const [width, height] = [19, 17]
  const data = Uint8Array.from({ length: width * height * 3 }, () => random.below(256))
  const region = { left: 4, top: 3, width: 9, height: 11 }
  const alone = new Uint8Array(region.width * region.height * 3)
  for (let y = 0; y < region.height; y++) {
    const from = ((y + region.top) * width + region.left) * 3
    alone.set(data.subarray(from, from + region.width * 3), y * region.width * 3)
  }
  const size = { width: 5, height: 4 }
  const part = resize({ width, data, channels: 3 }, region, size, 'lanczos3')
  const whole = resize({ width: region.width, data: alone, channels: 3 }, { left: 0, top: 0, width: region.width, height: region.height }, size, 'lanczos3')
  expect(part).toEqual(whole)
  const turned = new Float32Array(alone.length)
  for (let y = 0; y < region.height; y++) for (let x = 0; x < region.width; x++) for (let c = 0; c < 3; c++) turned[(x * region.height + y) * 3 + c] = alone[(y * region.width + x) * 3 + c]!
  const other = resize({ width: region.height, data: turned, channels: 3 }, { left: 0, top: 0, width: region.height, height: region.width }, { width: 4, height: 5 }, 'lanczos3')
  for (let y = 0; y < 4; y++) for (let x = 0; x < 5; x++) for (let c = 0; c < 3; c++) expect(other[(x * 4 + y) * 3 + c]).toBeCloseTo(whole[(y * 5 + x) * 3 + c]!, 3)
})

test('a single pixel can be enlarged', () => {
  expectClose(row([7], 3, 'lanczos3'), [7, 7, 7])
})

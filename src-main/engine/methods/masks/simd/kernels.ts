import { createMemory, instantiate } from '../../../web-assembly.ts'
import { simdBinary } from './binary.ts'

/** Where an array begins in the kernels' memory, in bytes. */
export type Pointer = number

/** The exports of kernels.as, documented there. */
interface Kernels {
  sigmoid(v: Pointer, out: Pointer, n: number, steepness: number): void
  sigmoidPullBack(y: Pointer, dy: Pointer, out: Pointer, n: number, factor: number): void
  compose(
    image: Pointer, mask: Pointer, fill: Pointer, out: Pointer, count: number, channels: number, step: number, base: number, sign: number,
  ): void
  pullBack(
    image: Pointer, maskGradient: Pointer, fill: Pointer, gradient: Pointer, count: number, channels: number, step: number, factor: number,
  ): void
  drawWindow(
    texture: Pointer, rows: Pointer, columns: Pointer, out: Pointer, height: number, width: number, channels: number, wanted: Pointer,
  ): void
  alongRows(
    begin: Pointer, offset: Pointer, weights: Pointer, rows: number, columns: number, source: Pointer, height: number, out: Pointer,
  ): void
  alongColumns(begin: Pointer, offset: Pointer, weights: Pointer, rows: number, source: Pointer, width: number, out: Pointer): void
  sparsity(map: Pointer, gradient: Pointer, n: number, offset: number, weight: number): number
  smoothness(
    map: Pointer, gradient: Pointer, height: number, width: number, k: number, weight: number, response: Pointer, room: Pointer,
  ): number
  rmsProp(values: Pointer, gradient: Pointer, meanSquare: Pointer, n: number, rate: number): void
}

const page = 65536
/** Below it nothing is laid: the compiler's own place. */
const first = 1024

const memory = createMemory(16)
export const kernels = instantiate(simdBinary, memory) as Kernels

let floats = new Float32Array(memory.buffer)
let doubles = new Float64Array(memory.buffer)
let integers = new Int32Array(memory.buffer)
let top = first

/** Forgets what lies in the kernels' memory; arrays are copied in for one calculation and its results out (20 µs for 224²·3). */
export function begin(): void {
  top = first
}

/** Room for so many float32 values, not cleared. */
export function room(count: number): Pointer {
  return reserve(count * 4)
}

export function roomForDoubles(count: number): Pointer {
  return reserve(count * 8)
}

export function put(values: Float32Array): Pointer {
  const at = reserve(values.length * 4)
  floats.set(values, at >> 2)
  return at
}

export function putDoubles(values: ArrayLike<number>): Pointer {
  const at = reserve(values.length * 8)
  doubles.set(values, at >> 3)
  return at
}

export function putIntegers(values: Int32Array): Pointer {
  const at = reserve(values.length * 4)
  integers.set(values, at >> 2)
  return at
}

/** Fills `out` with what lies at a pointer. */
export function take(at: Pointer, out: Float32Array): void {
  out.set(floats.subarray(at >> 2, (at >> 2) + out.length))
}

/** Whole vectors: kernels may go past the last value up to the end of its vector. */
function reserve(bytes: number): Pointer {
  const at = top
  top += Math.ceil(bytes / 16) * 16
  if (top > memory.buffer.byteLength) {
    memory.grow(Math.ceil((top - memory.buffer.byteLength) / page))
    floats = new Float32Array(memory.buffer)
    doubles = new Float64Array(memory.buffer)
    integers = new Int32Array(memory.buffer)
  }
  return at
}

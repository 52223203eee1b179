import { createMemory, instantiate } from '../../../web-assembly.ts'
import { simdBinary } from './binary.ts'

/** Where an array begins in the kernels' memory, in bytes. */
export type Pointer = number

/** The exports of kernels.as, documented there. */
interface Kernels {
  enlarge(
    cells: Pointer, cellsHeight: number, cellsWidth: number, rows: Pointer, rowShares: Pointer, columns: Pointer, columnShares: Pointer,
    between: Pointer, out: Pointer, height: number, width: number,
  ): void
  spread(labels: Pointer, values: Pointer, out: Pointer, n: number): void
  compose(image: Pointer, mask: Pointer, fill: Pointer, out: Pointer, pixels: number, channels: number, base: number, sign: number): void
  box(
    outside: Pointer, inside: Pointer, out: Pointer, height: number, pitch: number, top: number, bottom: number, left: number, right: number,
  ): void
  gather(mask: Pointer, weight: number, sums: Pointer, n: number): void
}

/** The kernels over a memory of their own. Everything in it is laid anew for each piece of work. */
export interface Desk {
  readonly kernels: Kernels
  /**
   * Forgets what lies there and makes room for so many bytes in all, so that no `lay` or `room` that follows moves the memory:
   * views of it hold until the next `clear`.
   */
  clear(bytes: number): void
  room(bytes: number): Pointer
  lay(values: Float32Array | Int32Array | Float64Array): Pointer
  floats(at: Pointer, count: number): Float32Array
  doubles(at: Pointer, count: number): Float64Array
}

const page = 65536
/** Below it nothing is laid: the compiler's own place. */
const first = 1024
/** Kernels may go past the last value up to the end of its vector. */
const vector = 16

export function createDesk(): Desk {
  const memory = createMemory(16)
  let top = first

  function room(bytes: number): Pointer {
    const at = top
    top += Math.ceil(bytes / vector) * vector
    if (top > memory.buffer.byteLength) throw new RangeError(`The mask kernels were to use ${top} bytes of ${memory.buffer.byteLength}.`)
    return at
  }

  return {
    kernels: instantiate(simdBinary, memory) as Kernels,
    clear(bytes) {
      top = first
      // So many arrays as are laid are each rounded up.
      const lacking = first + bytes + 64 * vector - memory.buffer.byteLength
      if (lacking > 0) memory.grow(Math.ceil(lacking / page))
    },
    room,
    lay(values) {
      const at = room(values.byteLength)
      new Uint8Array(memory.buffer, at, values.byteLength).set(new Uint8Array(values.buffer, values.byteOffset, values.byteLength))
      return at
    },
    floats: (at, count) => new Float32Array(memory.buffer, at, count),
    doubles: (at, count) => new Float64Array(memory.buffer, at, count),
  }
}

import type { Shape, Weight } from '../../graph.ts'
import { permuted } from './permute.ts'
import type { Known } from './value.ts'

const made = new WeakMap<Known, Map<string, Weight>>()

/** A weight made from a known value once: nodes that share the value share the weight. */
export function weightOf(known: Known, key: string, make: () => Weight): Weight {
  const forms = made.get(known) ?? new Map<string, Weight>()
  made.set(known, forms)
  const weight = forms.get(key) ?? make()
  forms.set(key, weight)
  return weight
}

export function floatsOf({ data }: Known): Float32Array {
  return data instanceof Float32Array ? data : Float32Array.from(data)
}

/** The value with axis order[i] as axis i, as a weight of another shape with as many elements. */
export function permutedWeight(known: Known, order: readonly number[], shape: Shape): Weight {
  return weightOf(known, `${order.join()}|${shape.join()}`, () => ({
    shape,
    data: order.length === 2 && order[0] === 1 ? transposed(floatsOf(known), known.shape[0]!, known.shape[1]!) : permuted(floatsOf(known), known.shape, order),
  }))
}

/** In blocks, so that large matrices stay in the cache. */
function transposed(data: Float32Array, rows: number, columns: number): Float32Array {
  const block = 32
  const out = new Float32Array(data.length)
  for (let top = 0; top < rows; top += block) {
    const bottom = Math.min(rows, top + block)
    for (let left = 0; left < columns; left += block) {
      const right = Math.min(columns, left + block)
      for (let i = top; i < bottom; i++) for (let j = left; j < right; j++) out[j * rows + i] = data[i * columns + j]!
    }
  }
  return out
}

/** A filter with zeros between its taps, for operations that know no dilation. @param weight [height, width, ...] */
export function spreadTaps({ shape, data }: Weight, down: number, across: number): Weight {
  const [height, width, ...rest] = shape as [number, number, ...number[]]
  const [outHeight, outWidth] = [(height - 1) * down + 1, (width - 1) * across + 1]
  const block = rest.reduce((product, n) => product * n, 1)
  const out = new Float32Array(outHeight * outWidth * block)
  for (let row = 0; row < height; row++) {
    for (let column = 0; column < width; column++) {
      const from = (row * width + column) * block
      out.set(data.subarray(from, from + block), (row * down * outWidth + column * across) * block)
    }
  }
  return { shape: [outHeight, outWidth, ...rest], data: out }
}

import type { Weight } from '../../graph.ts'
import type { OnnxNode } from '../../onnx-format/schema.ts'
import type { OnnxContext } from './context.ts'
import type { Dynamic, OnnxValue } from './value.ts'

type Method = 'bilinear' | 'nearest'

interface Convention {
  readonly alignCorners: boolean
  readonly halfPixelCenters: boolean
}

const conventions: readonly Convention[] = [
  { alignCorners: false, halfPixelCenters: true },
  { alignCorners: true, halfPixelCenters: false },
  { alignCorners: false, halfPixelCenters: false },
]

/**
 * The graph's own resize, where it does exactly what the matrices of height and width do; null where it does not, or another axis is
 * resized too.
 * @param matrices [in, out] by ONNX's axis
 */
export function asGraphResize(node: OnnxNode, x: Dynamic, method: Method, matrices: readonly (Weight | null)[], context: OnnxContext): OnnxValue | null {
  const shape = context.shape(x)
  if (shape.length !== 4 || matrices[0] || matrices[1]) return null
  const [rows, columns] = [matrices[2] ?? null, matrices[3] ?? null]
  const fits = conventions.find((c) => [rows, columns].every((m) => m === null || matches(m, method, c)))
  // an axis that stays must stay under the convention, which with equal sizes it does under any
  if (!fits) return null
  const size = [rows?.shape[1] ?? shape[2]!, columns?.shape[1] ?? shape[3]!]
  const ref = context.add(node, { op: 'resize', method, ...fits }, [context.images(x)], [shape[0]!, ...size, shape[1]!])
  return context.value(ref, [0, 2, 3, 1], x.type)
}

/** Whether the convention gives this matrix, in double and in single precision alike. */
function matches({ shape, data }: Weight, method: Method, convention: Convention): boolean {
  const [input, output] = shape as [number, number]
  const same = (round: (v: number) => number): boolean =>
    data.every((v, i) => Math.abs(v - shareOf(Math.floor(i / output), i % output, input, output, method, convention, round)) < 1e-5)
  return same((v) => v) && same(Math.fround)
}

/** The share of input i in output o, as in the graph. */
function shareOf(i: number, o: number, input: number, output: number, method: Method, { alignCorners, halfPixelCenters }: Convention, round: (v: number) => number): number {
  const scale = round(alignCorners && output > 1 ? (input - 1) / (output - 1) : input / output)
  const last = input - 1
  if (method === 'nearest') {
    const at = round((halfPixelCenters ? o + 0.5 : o) * scale)
    return i === Math.min(last, alignCorners ? Math.round(at) : Math.floor(at)) ? 1 : 0
  }
  const at = halfPixelCenters ? round(round((o + 0.5) * scale) - 0.5) : round(o * scale)
  const low = Math.max(0, Math.floor(at))
  const high = Math.min(last, Math.ceil(at))
  const share = at - low
  return (i === low ? 1 - share : 0) + (i === high ? share : 0)
}

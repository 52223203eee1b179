import type { Ref } from '../../build.ts'
import type { OnnxNode } from '../../onnx-format/schema.ts'
import { taken } from './along-axis.ts'
import { unsupported } from './attributes.ts'
import type { OnnxContext } from './context.ts'
import type { Images } from './images.ts'
import { knownFloats } from './value.ts'
import type { Slide } from './windows.ts'

/** Smaller than any activation; the largest negative float. */
const lowest = -3.4028234663852886e38

/** More taps than any pool has: each is a few nodes. */
const MOST_TAPS = 4096

const oneRow: Slide = { input: 1, window: 1, dilation: 1, stride: 1, before: 0, after: 0, output: 1, overhang: 0 }

const rowsAndColumns = (slides: readonly Slide[]): [Slide, Slide] => (slides.length === 2 ? [slides[0]!, slides[1]!] : [oneRow, slides[0]!])

/** Where tap `t` of each window stands in the padded image. */
function positionsOf(s: Slide, t: number): number[] {
  return Array.from({ length: s.output }, (_, o) => o * s.stride + t * s.dilation)
}

function padded(node: OnnxNode, images: Images, slides: readonly Slide[], context: OnnxContext): Ref {
  const edges = rowsAndColumns(slides).map((s): [number, number] => {
    const needed = (s.output - 1) * s.stride + (s.window - 1) * s.dilation + 1
    return [s.before, Math.max(0, needed - s.input - s.before)]
  })
  if (edges.flat().every((n) => n === 0)) return images.ref
  return context.part(node, 'padded', { op: 'pad', mode: 'constant', value: lowest, paddings: [[0, 0], ...edges, [0, 0]] }, [images.ref])
}

/** Maxima over windows with gaps: over the taps in a row, then over rows, so that of equal ones the first in row-major order counts. */
export function dilatedMax(node: OnnxNode, images: Images, slides: readonly Slide[], context: OnnxContext, add: OnnxContext['add']): Ref {
  const [rows, columns] = rowsAndColumns(slides)
  if (rows.window + columns.window > MOST_TAPS) throw unsupported(node, 'with gaps in a window that large')
  const over = (x: Ref, s: Slide, axis: number, last: boolean): Ref => {
    const taps = Array.from({ length: s.window }, (_, t) => taken(node, x, axis, positionsOf(s, t), context, `tap-${axis}-${t}`))
    return taps.slice(1).reduce((a, b, i) => {
      const operation = { op: 'binary', function: 'maximum' } as const
      return last && i === taps.length - 2 ? add(node, operation, [a, b]) : context.part(node, 'maximum', operation, [a, b])
    }, taps[0]!)
  }
  return over(over(padded(node, images, slides, context), columns, 2, rows.window === 1), rows, 1, true)
}

/** Beyond this whole numbers are not exact in float32. */
const LARGEST_EXACT = 2 ** 24

/** Where each maximum stands, counted through the whole input as it is in ONNX: image, channel, row, column. */
export function maxIndices(node: OnnxNode, images: Images, slides: readonly Slide[], columnsFirst: boolean, context: OnnxContext, add: OnnxContext['add']): Ref {
  const [rows, columns] = rowsAndColumns(slides)
  const plane = rows.input * columns.input
  if (images.batch * images.channels * plane > LARGEST_EXACT || rows.window * columns.window > MOST_TAPS) throw unsupported(node, 'positions in an input that large')
  context.allow(node, rows.window * columns.window * rows.output * columns.output)
  const x = padded(node, images, slides, context)
  const taps = Array.from({ length: rows.window * columns.window }, (_, i) => [Math.floor(i / columns.window), i % columns.window] as const)
  const values = taps.map(([i, j]) => taken(node, taken(node, x, 1, positionsOf(rows, i), context, 'rows'), 2, positionsOf(columns, j), context, 'columns'))
  const largest = values.slice(1).reduce((a, b) => context.part(node, 'largest', { op: 'binary', function: 'maximum' }, [a, b]), values[0]!)
  const position = ([i, j]: readonly [number, number]): Ref => {
    const data = new Float32Array(rows.output * columns.output)
    positionsOf(rows, i).forEach((r, a) => positionsOf(columns, j).forEach((c, b) => {
      const [row, column] = [r - rows.before, c - columns.before]
      data[a * columns.output + b] = columnsFirst ? column * rows.input + row : row * columns.input + column
    }))
    return context.constant(knownFloats([1, rows.output, columns.output, 1], data))
  }
  // from the last tap to the first, so that the first of equal ones stays
  const within = taps.slice(0, -1).reduceRight((later, tap, k) => {
    const here = context.part(node, 'here', { op: 'binary', function: 'equal' }, [values[k]!, largest])
    return context.part(node, 'position', { op: 'where' }, [here, position(tap), later])
  }, position(taps.at(-1)!))
  const starts = Float32Array.from({ length: images.batch * images.channels }, (_, i) => i * plane)
  const start = context.constant(knownFloats([images.batch, 1, 1, images.channels], starts))
  return add({ ...node, name: node.outputs[1]! }, { op: 'binary', function: 'add' }, [within, start])
}

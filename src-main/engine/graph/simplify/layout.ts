import type { GraphNode, NodeOf, Shape } from '../graph.ts'
import { bypass, find, inputOf, onlyConsumer, remove, replace, sameShape, supplant } from './draft.ts'
import type { Rewrite } from './rewrite.ts'

/** Reshapes to the shape that is there already, and all but the last of several in a row. */
export const dropReshapes: Rewrite = (draft, node) => {
  if (node.op !== 'reshape') return false
  const before = inputOf(draft, node)
  if (before.op === 'reshape') {
    supplant(draft, node, { op: 'reshape' }, before.inputs)
    return true
  }
  if (before.op === 'input' || !sameShape(before.shape, node.shape)) return false
  bypass(draft, node)
  return true
}

/** Nodes that change nothing. */
export const dropNoOps: Rewrite = (draft, node) => {
  if (node.inputs.length !== 1 || !sameShape(inputOf(draft, node).shape, node.shape)) return false
  const nothing =
    node.op === 'expand' || node.op === 'slice' || node.op === 'concat' ||
    (node.op === 'pad' && node.paddings.flat().every((n) => n === 0)) ||
    (node.op === 'transpose' && node.permutation.every((from, to) => from === to)) ||
    (node.op === 'gather' && node.indices.every((from, to) => from === to)) ||
    (node.op === 'reduce' && node.axes.every((axis) => node.shape[axis] === 1)) ||
    (node.op === 'resize' && node.method === 'nearest')
  if (!nothing) return false
  bypass(draft, node)
  return true
}

/** Two transposes in a row are one. */
export const composeTransposes: Rewrite = (draft, node) => {
  if (node.op !== 'transpose') return false
  const before = inputOf(draft, node)
  if (before.op !== 'transpose') return false
  supplant(draft, node, { op: 'transpose', permutation: node.permutation.map((i) => before.permutation[i]!) }, before.inputs)
  return true
}

/** A transpose that only moves dimensions of one is a reshape. */
export const reshapeForTranspose: Rewrite = (draft, node) => {
  if (node.op !== 'transpose') return false
  const { shape } = inputOf(draft, node)
  const moved = node.permutation.filter((from) => shape[from] !== 1)
  if (moved.some((from, i) => i > 0 && from < moved[i - 1]!)) return false
  replace(draft, { name: node.name, inputs: node.inputs, shape: node.shape, layers: node.layers, op: 'reshape' })
  return true
}

/** A transpose moves past elementwise nodes where another one follows them, which then takes it up. */
export const sinkTranspose: Rewrite = (draft, node) => {
  if (node.op !== 'transpose') return false
  const between: GraphNode[] = []
  let next = onlyConsumer(draft, node.name)
  while (next && isMovable(next, node)) {
    between.push(next)
    next = onlyConsumer(draft, next.name)
  }
  if (next?.op !== 'transpose' || between.length === 0) return false
  const { shape } = inputOf(draft, node)
  between.forEach((step, i) => replace(draft, { ...step, shape, ...(i === 0 ? { inputs: node.inputs } : {}) }))
  supplant(draft, next, { op: 'transpose', permutation: next.permutation.map((i) => node.permutation[i]!) }, next.inputs)
  remove(draft, node.name)
  return true
}

/** Whether a node gives the same before the transpose as after it. */
function isMovable(node: GraphNode, transpose: NodeOf<'transpose'>): boolean {
  if (node.op === 'unary') return true
  if (node.op !== 'affine') return false
  const last = transpose.permutation.length - 1
  return transpose.permutation[last] === last || [node.scale, node.offset].every(({ data }) => data.every((v) => v === data[0]))
}

/** Two operands that are transposed alike are combined first. */
export const transposeAfterBinary: Rewrite = (draft, node) => {
  if (node.op !== 'binary') return false
  const a = find(draft, node.inputs[0]!)
  const b = find(draft, node.inputs[1]!)
  if (a.op !== 'transpose' || b.op !== 'transpose' || a === b || !sameShape(a.permutation, b.permutation)) return false
  if (a.shape.length !== b.shape.length || !onlyConsumer(draft, a.name) || !onlyConsumer(draft, b.name)) return false
  const shape: Shape = invert(a.permutation).map((i) => node.shape[i]!)
  // the later of the two, by then both operands are there, becomes the sum
  const [earlier, later] = draft.order.indexOf(a.name) < draft.order.indexOf(b.name) ? ([a, b] as const) : ([b, a] as const)
  const inputs = [a.inputs[0]!, b.inputs[0]!]
  const sum: GraphNode = { name: later.name, inputs, shape, layers: [], op: 'binary', function: node.function }
  const { permutation } = a
  replace(draft, { name: node.name, inputs: [later.name], shape: node.shape, layers: [...earlier.layers, ...later.layers, ...node.layers], op: 'transpose', permutation })
  replace(draft, sum)
  remove(draft, earlier.name)
  return true
}

function invert(permutation: readonly number[]): number[] {
  const inverse: number[] = []
  permutation.forEach((from, to) => (inverse[from] = to))
  return inverse
}

import { UnsupportedNode } from '../../build.ts'
import type { GraphBuilder, Ref } from '../../build.ts'
import type { GraphNode, Shape } from '../../graph.ts'

/** A builder that knows how the images lie in each node. */
export interface BatchTracker {
  readonly builder: GraphBuilder
  /**
   * Where one axis of a node holds the batch together with other elements, the number of those that vary more slowly than the
   * image: 1 where an axis of heads is [image, head], 17 where one of tokens is [token, image]. Null where that is not known.
   */
  slower(ref: Ref): number | null
}

/** Shapes alone do not tell [image, token] from [token, image] once they are one axis, and a wrong guess would mix the images. */
export function trackBatch(inner: GraphBuilder): BatchTracker {
  const known = new Map<Ref, number | null>()
  const noted = (ref: Ref): Ref => {
    const node = inner.node(ref)
    if (joinsImages(node, node.inputs.map((name) => inner.shapeOf(name)))) throw new UnsupportedNode(node.name, node.op, 'over the batch')
    known.set(ref, slowerOf(node))
    return ref
  }

  function slowerOf(node: GraphNode): number | null {
    const axis = batchAxis(node.shape)
    if (axis === null) return null
    if (node.shape[axis] === -1) return 1
    if (node.op === 'reshape') return afterReshape(node.inputs[0]!, node.shape, axis)
    const before = node.inputs.filter((name) => inner.shapeOf(name).some((n) => n < 0)).map((name) => known.get(name) ?? null)
    const [first] = before
    if (before.some((n) => n !== null && first !== null && n !== first)) throw new UnsupportedNode(node.name, node.op, 'which would mix the images')
    return first === undefined || before.includes(null) ? null : first
  }

  function afterReshape(from: Ref, shape: Shape, axis: number): number | null {
    const now = inner.shapeOf(from)
    const before = batchAxis(now)
    const within = known.get(from) ?? null
    if (before === null || within === null) return null
    const slower = (product(now.slice(0, before)) * within) / product(shape.slice(0, axis))
    return Number.isInteger(slower) && -shape[axis]! % slower === 0 ? slower : null
  }

  return {
    builder: { ...inner, add: (...given) => noted(inner.add(...given)), part: (...given) => noted(inner.part(...given)) },
    slower: (ref) => known.get(ref) ?? null,
  }
}

/** Whether the node brings elements along the batch together. */
function joinsImages(node: GraphNode, [x = [], y = []]: readonly Shape[]): boolean {
  switch (node.op) {
    case 'softmax':
    case 'lrn':
    case 'dense':
      return x[x.length - 1]! < 0
    case 'reduce':
    case 'normalize':
      return node.axes.some((axis) => x[axis]! < 0)
    case 'matmul':
      return x.at(node.transposeA ? -2 : -1)! < 0 || y.at(node.transposeB ? -1 : -2)! < 0
    default:
      return false
  }
}

/** The only axis with the batch. */
function batchAxis(shape: Shape): number | null {
  const axes = shape.flatMap((n, i) => (n < 0 ? [i] : []))
  return axes.length === 1 ? axes[0]! : null
}

function product(sizes: readonly number[]): number {
  return sizes.reduce((p, n) => p * n, 1)
}

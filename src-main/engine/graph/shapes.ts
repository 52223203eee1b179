import type { Operation, Pads, Shape, Size2 } from './graph.ts'

/**
 * The output shape of an operation. `reshape`, `expand`, `slice`, `resize`, `conv2dTranspose`, `input` and `constant` state theirs
 * and are not asked for here.
 * @throws Error where the inputs do not fit; the importer adds the node's name.
 */
export function inferShape(operation: Operation, inputs: readonly Shape[]): Shape {
  const x = inputs[0] ?? []
  switch (operation.op) {
    case 'conv2d': {
      const [height, width, channels, out] = operation.filter.shape
      if (x.length !== 4 || x[3] !== channels! * operation.groups) throw mismatch(operation.op, x, operation.filter.shape)
      return slide(x, [height!, width!], operation.strides, operation.dilations, operation.pads, out!)
    }
    case 'depthwiseConv2d': {
      const [height, width, channels, multiplier] = operation.filter.shape
      if (x.length !== 4 || x[3] !== channels) throw mismatch(operation.op, x, operation.filter.shape)
      return slide(x, [height!, width!], operation.strides, operation.dilations, operation.pads, channels! * multiplier!)
    }
    case 'pool':
      if (x.length !== 4) throw mismatch(operation.op, x, operation.size)
      return slide(x, operation.size, operation.strides, [1, 1], operation.pads, x[3]!)
    case 'dense':
      if (x[x.length - 1] !== operation.matrix.shape[0]) throw mismatch(operation.op, x, operation.matrix.shape)
      return [...x.slice(0, -1), operation.matrix.shape[1]!]
    case 'affine':
      if (x[x.length - 1] !== operation.scale.shape[0]) throw mismatch(operation.op, x, operation.scale.shape)
      return x
    case 'unary':
    case 'prelu':
    case 'softmax':
    case 'reverse':
    case 'lrn':
    case 'normalize':
      return x
    case 'binary':
      return broadcast(x, inputs[1]!)
    case 'where':
      return broadcast(broadcast(x, inputs[1]!), inputs[2]!)
    case 'gather':
      return x.map((n, i) => (i === operation.axis ? operation.indices.length : n))
    case 'matmul': {
      const b = inputs[1]!
      const [rows, innerA] = lastTwo(x, operation.transposeA)
      const [innerB, columns] = lastTwo(b, operation.transposeB)
      if (innerA !== innerB) throw mismatch(operation.op, x, b)
      return [...broadcast(x.slice(0, -2), b.slice(0, -2)), rows, columns]
    }
    case 'reduce': {
      const axes = new Set(operation.axes)
      return operation.keepDims ? x.map((n, i) => (axes.has(i) ? 1 : n)) : x.filter((_, i) => !axes.has(i))
    }
    case 'transpose':
      return operation.permutation.map((i) => x[i]!)
    case 'pad':
      return x.map((n, i) => (n < 0 ? n : n + operation.paddings[i]![0] + operation.paddings[i]![1]))
    case 'concat':
      return x.map((n, i) => (i === operation.axis ? inputs.reduce((sum, s) => sum + s[i]!, 0) : n))
    case 'reshape':
    case 'expand':
    case 'slice':
    case 'resize':
    case 'conv2dTranspose':
    case 'input':
    case 'constant':
      throw new Error(`${operation.op} states its own shape`)
  }
}

function slide(x: Shape, window: Size2, strides: Size2, dilations: Size2, pads: Pads, channels: number): Shape {
  const along = (size: number, axis: 0 | 1, padding: number): number =>
    Math.floor((size + padding - (window[axis] - 1) * dilations[axis] - 1) / strides[axis]) + 1
  const height = along(x[1]!, 0, pads.top + pads.bottom)
  const width = along(x[2]!, 1, pads.left + pads.right)
  if (height < 1 || width < 1) throw new Error(`a window of ${window.join('×')} does not fit ${x[1]}×${x[2]} pixels`)
  return [x[0]!, height, width, channels]
}

export function broadcast(a: Shape, b: Shape): Shape {
  const rank = Math.max(a.length, b.length)
  return Array.from({ length: rank }, (_, i) => {
    const m = a[i - rank + a.length] ?? 1
    const n = b[i - rank + b.length] ?? 1
    if (m === n || n === 1) return m
    if (m === 1) return n
    throw mismatch('broadcasting', a, b)
  })
}

function lastTwo(shape: Shape, transposed: boolean): [number, number] {
  const [m, n] = shape.slice(-2)
  return transposed ? [n!, m!] : [m!, n!]
}

function mismatch(what: string, a: Shape, b: Shape): Error {
  return new Error(`${what} of [${a.join(', ')}] with [${b.join(', ')}] does not fit`)
}

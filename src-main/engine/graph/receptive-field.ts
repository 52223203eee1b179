import type { Graph, GraphNode, NodeOf, Shape, Size2 } from './graph.ts'

/** Along height and width. */
export interface Field {
  /** Input pixels that one place depends on. */
  size: Size2
  /** Input pixels from one place to the next; below 1 where places were added between. */
  stride: Size2
}

/** What is known of a node: nothing depends on the picture, everything does, or a field at the axes that are places. */
type Reach = 'none' | 'all' | (Field & { /** Per axis: going along it moves over the picture. */ places: readonly boolean[] })

/**
 * The receptive field of every node, exact through convolutions, pools, dilations and resizing; where branches join, the larger.
 * Null once a value depends on all places, and where windows of attention make it anything but a rectangle; size 0 where nothing of
 * the picture is read. Padding is not counted: the field is that of a place in the middle.
 */
export function receptiveFields(graph: Graph): Map<string, Field | null> {
  const nodes = new Map(graph.nodes.map((node) => [node.name, node]))
  const reaches = new Map<string, Reach>()
  for (const node of graph.nodes) {
    const inputs = node.inputs.map((name) => ({ shape: nodes.get(name)!.shape, reach: reaches.get(name)! }))
    reaches.set(node.name, reachOf(node, inputs))
  }
  return new Map([...reaches].map(([name, reach]) => [name, fieldOf(reach)]))
}

function fieldOf(reach: Reach): Field | null {
  if (reach === 'all') return null
  if (reach === 'none') return { size: [0, 0], stride: [0, 0] }
  return { size: reach.size, stride: reach.stride }
}

interface Read {
  shape: Shape
  reach: Reach
}

function reachOf(node: GraphNode, inputs: readonly Read[]): Reach {
  if (node.op === 'input') return { size: [1, 1], stride: [1, 1], places: [false, true, true, false] }
  if (node.op === 'constant') return 'none'
  if (inputs.some(({ reach }) => reach === 'all')) return 'all'
  if (node.op === 'matmul') return product(node, inputs)
  const [first] = inputs as [Read]
  if (inputs.length > 1) return join(node.shape.length, inputs)
  const { reach, shape } = first
  if (reach === 'none' || reach === 'all') return reach
  const mixes = (axes: readonly number[]): boolean => axes.some((axis) => reach.places[axis] && Math.abs(shape[axis]!) > 1)
  switch (node.op) {
    case 'conv2d':
    case 'depthwiseConv2d':
    case 'conv2dTranspose':
    case 'pool':
      return slide(node, first, reach)
    case 'dense':
    case 'softmax':
      return mixes([shape.length - 1]) ? 'all' : reach
    case 'normalize':
      return mixes(node.axes) ? 'all' : reach
    case 'reduce':
      if (mixes(node.axes)) return 'all'
      return node.keepDims ? reach : { ...reach, places: reach.places.filter((_, axis) => !node.axes.includes(axis)) }
    case 'reshape':
      return { ...reach, places: regroup(shape, node.shape, reach.places) }
    case 'transpose':
      return { ...reach, places: node.permutation.map((axis) => reach.places[axis]!) }
    case 'expand':
      return { ...reach, places: aligned(reach.places, node.shape.length) }
    case 'gather':
      return gathered(node, reach)
    case 'resize':
      return resized(node, shape, reach)
    default:
      return reach
  }
}

function slide(node: NodeOf<'conv2d' | 'depthwiseConv2d' | 'conv2dTranspose' | 'pool'>, { shape }: Read, reach: Exclude<Reach, string>): Reach {
  // Channels that are places in disguise, as after a transpose, are all read at once.
  if (node.op !== 'pool' && reach.places[3] && shape[3]! > 1) return 'all'
  const window = node.op === 'pool' ? node.size : node.filter.shape
  const along = (axis: 0 | 1): { size: number; stride: number; whole: boolean } => {
    const jump = reach.stride[axis]
    const step = node.strides[axis]
    if (node.op === 'conv2dTranspose') {
      return { size: reach.size[axis] + (Math.ceil(window[axis]! / step) - 1) * jump, stride: jump / step, whole: false }
    }
    const dilation = 'dilations' in node ? node.dilations[axis] : 1
    const reads = (window[axis]! - 1) * dilation
    return { size: reach.size[axis] + reads * jump, stride: jump * step, whole: node.shape[axis + 1] === 1 && dilation === 1 && reads + 1 >= shape[axis + 1]! }
  }
  const [vertical, horizontal] = [along(0), along(1)]
  if (vertical.whole && horizontal.whole && (shape[1]! > 1 || shape[2]! > 1)) return 'all'
  return { ...reach, size: [vertical.size, horizontal.size], stride: [vertical.stride, horizontal.stride] }
}

/** An index into both factors' places would depend on two fields far apart. */
function product(node: NodeOf<'matmul'>, [a, b]: readonly Read[]): Reach {
  const inner = (read: Read, last: boolean): boolean => {
    const axis = read.shape.length - (last ? 1 : 2)
    return typeof read.reach !== 'string' && read.reach.places[axis]! && Math.abs(read.shape[axis]!) > 1
  }
  const [mixedA, rows] = [inner(a!, !node.transposeA), inner(a!, node.transposeA)]
  const [mixedB, columns] = [inner(b!, node.transposeB), inner(b!, !node.transposeB)]
  if (mixedA || mixedB || (rows && columns)) return 'all'
  const joined = join(node.shape.length, [a!, b!])
  if (typeof joined === 'string') return joined
  const rank = node.shape.length
  return { ...joined, places: joined.places.map((place, axis) => (axis === rank - 2 ? rows : axis === rank - 1 ? columns : place)) }
}

function join(rank: number, reads: readonly Read[]): Reach {
  const reaches = reads.map(({ reach }) => reach).filter((reach) => typeof reach !== 'string')
  if (reaches.length === 0) return 'none'
  const larger = (key: 'size' | 'stride', axis: 0 | 1): number => Math.max(...reaches.map((reach) => reach[key][axis]))
  const places = reaches.map((reach) => aligned(reach.places, rank))
  return {
    size: [larger('size', 0), larger('size', 1)],
    stride: [larger('stride', 0), larger('stride', 1)],
    places: Array.from({ length: rank }, (_, axis) => places.some((own) => own[axis])),
  }
}

/** As broadcasting aligns them: at the end. */
function aligned(places: readonly boolean[], rank: number): boolean[] {
  return Array.from({ length: rank }, (_, axis) => places[axis - rank + places.length] ?? false)
}

/** Every k-th element of an axis that moves over the picture. */
function gathered(node: NodeOf<'gather'>, reach: Exclude<Reach, string>): Reach {
  const { axis, indices } = node
  const step = indices.length > 1 ? indices[1]! - indices[0]! : 1
  const even = step > 1 && indices.every((index, i) => i === 0 || index - indices[i - 1]! === step)
  if (!even || !reach.places[axis] || (axis !== 1 && axis !== 2)) return reach
  const [vertical, horizontal] = reach.stride
  return { ...reach, stride: axis === 1 ? [vertical * step, horizontal] : [vertical, horizontal * step] }
}

function resized(node: NodeOf<'resize'>, shape: Shape, reach: Exclude<Reach, string>): Reach {
  const along = (axis: 0 | 1): [size: number, stride: number] => {
    const [from, to] = [shape[axis + 1]!, node.shape[axis + 1]!]
    if (from === to) return [reach.size[axis], reach.stride[axis]]
    const between = node.method === 'bilinear' && from > 1 ? reach.stride[axis] : 0
    return [reach.size[axis] + between, reach.stride[axis] * (from / to)]
  }
  const [vertical, horizontal] = [along(0), along(1)]
  return { ...reach, size: [vertical[0], horizontal[0]], stride: [vertical[1], horizontal[1]] }
}

/** Which axes of a reshaped array move over the picture: those that hold the elements of one that did. */
function regroup(from: Shape, to: Shape, places: readonly boolean[]): boolean[] {
  const found = to.map(() => false)
  let [i, j, fromSize, toSize] = [0, 0, 1, 1]
  let group: number[] = []
  let place = false
  while (i < from.length || j < to.length) {
    if ((fromSize <= toSize && i < from.length) || j >= to.length) {
      fromSize *= Math.abs(from[i]!)
      place ||= places[i]! && Math.abs(from[i]!) > 1
      i++
    } else {
      toSize *= Math.abs(to[j]!)
      group.push(j++)
    }
    if (fromSize === toSize && group.length > 0) {
      for (const axis of group) found[axis] = place && Math.abs(to[axis]!) > 1;
      [group, place, fromSize, toSize] = [[], false, 1, 1]
    }
  }
  return found
}

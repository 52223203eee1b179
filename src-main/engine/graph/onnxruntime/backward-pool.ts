import { weight } from '../build.ts'
import type { Pads, Shape } from '../graph.ts'
import { hasPads, noPads, sizeOf } from '../graph.ts'
import { elementTypes } from '../onnx-format/schema.ts'
import { expandedTo } from './backward-broadcast.ts'
import type { Emitter } from './emitter.ts'
import { onnxPads } from './forward-linear.ts'
import { insideShares, padded, padsFit } from './forward-pool.ts'
import { inputGradient } from './input-gradient.ts'
import type { Stored } from './layout.ts'
import { imagesOrder, storedAxis } from './layout.ts'
import { aroundImages, emitPad } from './padding.ts'
import type { BackwardRule, BackwardStep } from './rule.ts'

export const pool: BackwardRule<'pool'> = (step) => [
  { name: step.node.kind === 'max' ? maximum(step) : average(step), shape: step.inputs[0]!.shape, order: imagesOrder },
]

/** Each window's gradient goes to the pixel that the forward chose: of equal ones the first, row by row. */
function maximum({ node, dy, inputs, saved, emitter }: BackwardStep<'pool'>): string {
  const x = inputs[0]!
  const { strides, size, pads } = node
  const gradient = emitter.images(dy)
  const kept = saved['indices']
  const geometry = { kernel_shape: size, strides, pads: onnxPads(kept === undefined ? noPads : pads) }
  // where ONNX Runtime refuses the pads, the image is padded before and the gradient cropped after
  const chosen = kept ?? emitter.ops('MaxPool', [padded(node, x, emitter)], 2, geometry)[1]!
  const [batch, height, width, channels] = x.shape as [number, number, number, number]
  const shape = kept === undefined ? [batch, channels, height + pads.top + pads.bottom, width + pads.left + pads.right] : [batch, channels, height, width]
  const found = size[0] <= strides[0] && size[1] <= strides[1]
    // windows that do not overlap choose no pixel twice
    ? emitter.op('MaxUnpool', [gradient, chosen, emitter.shape(shape)], geometry)
    : scattered(gradient, chosen, shape, emitter)
  if (kept !== undefined) return found
  return emitPad(found, aroundImages({ top: -pads.top, bottom: -pads.bottom, left: -pads.left, right: -pads.right }), 0, emitter)
}

function scattered(gradient: string, chosen: string, shape: Shape, emitter: Emitter): string {
  const zeros = emitter.op('ConstantOfShape', [emitter.shape([sizeOf(shape)])])
  const flat = (name: string): string => emitter.op('Reshape', [name, emitter.ints([-1])])
  return emitter.reshape(emitter.op('ScatterElements', [zeros, flat(chosen), flat(gradient)], { axis: 0, reduction: 'add' }), shape)
}

/** Every pixel of a window gets an equal share; where padding does not count, only pixels inside do. */
function average({ node, dy, inputs, emitter }: BackwardStep<'pool'>): string {
  const { shape } = inputs[0]!
  const { size, strides, pads, countPadding } = node
  const [, height, width, channels] = shape as [number, number, number, number]
  const [, outHeight, outWidth] = node.shape as [number, number, number, number]
  const inside = insideShares(node, inputs[0]!)
  const images = emitter.images(dy)
  const cut = !countPadding && inside.some((share) => share !== 1)
  // a window that lies on padding alone has no pixels to share with
  const divisors = inside.map((share) => (share === 0 ? 1 : share))
  const gradient = cut ? emitter.op('Div', [images, emitter.floats([1, 1, outHeight, outWidth], divisors)]) : images
  if (strides[0] === 1 && strides[1] === 1 && padsFit(node)) {
    // the transpose of a sliding mean is one
    const around: Pads = { top: size[0] - 1 - pads.top, bottom: size[0] - 1 - pads.bottom, left: size[1] - 1 - pads.left, right: size[1] - 1 - pads.right }
    return emitter.op('AveragePool', [gradient], { kernel_shape: size, pads: onnxPads(around), count_include_pad: 1 })
  }
  const whole = !hasPads(pads) && height === outHeight * size[0] && width === outWidth * size[1]
  if (whole && size[0] === strides[0] && size[1] === strides[1]) {
    const share = emitter.op('Mul', [gradient, emitter.scalar(1 / (size[0] * size[1]))])
    const attributes = { mode: 'nearest', coordinate_transformation_mode: 'asymmetric', nearest_mode: 'floor' }
    return emitter.op('Resize', [share, '', emitter.floats([4], [1, 1, ...size])], attributes)
  }
  // every channel as an image of its own
  const filter = weight([...size, 1, 1], new Float32Array(size[0] * size[1]).fill(1 / (size[0] * size[1])))
  const planes = emitter.reshape(gradient, [-channels, 1, outHeight, outWidth])
  const geometry = { filter, strides, dilations: [1, 1], pads, groups: 1, inputSize: [height, width], outputSize: [outHeight, outWidth] } as const
  return emitter.reshape(inputGradient(planes, geometry, emitter), [shape[0]!, channels, height, width])
}

export const reduce: BackwardRule<'reduce'> = ({ node, dy, inputs, emitter }) => {
  const x = inputs[0]!
  if (node.axes.length === 0) return [dy]
  const kept = x.shape.map((n, i) => (node.axes.includes(i) ? 1 : n))
  const asKept = (value: Stored): string => emitter.stored(node.keepDims ? value : emitter.value(emitter.reshape(emitter.natural(value), kept), kept), x.order)
  const gradient = asKept(dy)
  const spread = (name: string): Stored => expandedTo({ name, shape: kept, order: x.order }, x.shape, emitter)
  switch (node.function) {
    case 'sum':
      return [spread(gradient)]
    case 'mean': {
      const count = node.axes.reduce((product, axis) => product * x.shape[axis]!, 1)
      return [spread(emitter.op('Mul', [gradient, emitter.scalar(1 / count)]))]
    }
    default: {
      // equal extremes share
      const axes = emitter.ints(node.axes.map((axis) => storedAxis(x.order, axis)))
      const extreme = emitter.op(node.function === 'max' ? 'ReduceMax' : 'ReduceMin', [x.name, axes], { keepdims: 1 })
      const mask = emitter.op('Cast', [emitter.op('Equal', [x.name, extreme])], { to: elementTypes.float })
      const share = emitter.op('Div', [gradient, emitter.op('ReduceSum', [mask, axes], { keepdims: 1 })])
      return [{ name: emitter.op('Mul', [mask, share]), shape: x.shape, order: x.order }]
    }
  }
}

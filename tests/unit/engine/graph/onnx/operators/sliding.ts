import type { AttributeValue } from '#engine/graph/onnx-format/write.ts'
import type { Dice, Draw } from './draw.ts'
import { drawn, imageShape } from './draw.ts'

/** Window, strides, dilations and pads on an image; the window fits. */
function sliding(dice: Dice, sizes: readonly number[], kind: 'conv' | 'pool'): { window: number[]; attributes: Record<string, AttributeValue> } {
  const window = sizes.map(() => dice.int(1, 3))
  const attributes: Record<string, AttributeValue> = { kernel_shape: window }
  const auto = dice.pick(['', '', '', 'SAME_UPPER', 'SAME_LOWER', 'VALID', 'NOTSET'])
  // ONNX Runtime refuses pools that SAME would give a negative padding
  if (dice.maybe()) attributes['strides'] = window.map((n) => dice.int(1, kind === 'pool' && auto.startsWith('SAME') ? n : 3))
  if (kind === 'conv' && !auto.startsWith('SAME') && dice.maybe()) attributes['dilations'] = sizes.map(() => dice.int(1, 2))
  if (auto !== '') attributes['auto_pad'] = auto
  if ((auto === '' || auto === 'NOTSET') && dice.maybe()) {
    const most = (i: number): number => (kind === 'pool' ? window[i % sizes.length]! - 1 : 2)
    attributes['pads'] = [...sizes, ...sizes].map((_, i) => dice.int(0, most(i)))
  }
  return { window, attributes }
}

const conv: Draw = (dice) => {
  const groups = dice.pick([1, 1, 2, 3])
  const inner = dice.int(1, 2)
  const x = imageShape(dice, groups * inner, 6)
  const { window, attributes } = sliding(dice, x.slice(2), 'conv')
  const out = groups * dice.int(1, 2)
  if (groups > 1) attributes['group'] = groups
  return drawn('Conv', x, attributes, [dice.floats('w', [out, inner, ...window]), ...(dice.maybe() ? [dice.floats('b', [out])] : [])])
}

const depthwise: Draw = (dice) => {
  const x = imageShape(dice, dice.int(2, 4), 6)
  const { window, attributes } = sliding(dice, x.slice(2), 'conv')
  return drawn('Conv', x, { ...attributes, group: x[1]! }, [dice.floats('w', [x[1]! * dice.int(1, 2), 1, ...window])])
}

const convTranspose: Draw = (dice) => {
  const groups = dice.pick([1, 1, 2])
  const inner = groups * dice.int(1, 2)
  const perGroup = dice.int(1, 2)
  const x = imageShape(dice, inner, 2)
  const sizes = x.slice(2)
  const window = sizes.map(() => dice.int(1, 3))
  const strides = sizes.map(() => dice.int(1, 3))
  const dilations = sizes.map(() => dice.int(1, 2))
  const attributes: Record<string, AttributeValue> = { strides, dilations, kernel_shape: window }
  if (groups > 1) attributes['group'] = groups
  const extent = sizes.map((_, i) => (window[i]! - 1) * dilations[i]! + 1)
  const form = dice.pick(['pads', 'pads', 'shape', 'same', 'none'])
  if (form !== 'same' && dice.maybe()) attributes['output_padding'] = sizes.map((_, i) => dice.int(0, strides[i]! - 1))
  if (form === 'pads') attributes['pads'] = [...sizes, ...sizes].map((_, i) => dice.int(0, Math.floor(extent[i % sizes.length]! / 2)))
  if (form === 'same') attributes['auto_pad'] = dice.pick(['SAME_UPPER', 'SAME_LOWER'])
  if (form === 'shape') {
    attributes['output_shape'] = sizes.map((n, i) => Math.max(1, strides[i]! * (n - 1) + extent[i]! - dice.int(0, extent[i]! - 1)))
    if (dice.maybe()) attributes['auto_pad'] = dice.pick(['SAME_UPPER', 'NOTSET'])
  }
  return drawn('ConvTranspose', x, attributes, [dice.floats('w', [inner, perGroup, ...window]), ...(dice.maybe() ? [dice.floats('b', [groups * perGroup])] : [])])
}

function pool(opType: 'MaxPool' | 'AveragePool' | 'LpPool'): Draw {
  return (dice) => {
    const x = imageShape(dice, undefined, 5)
    const { attributes } = sliding(dice, x.slice(2), 'pool')
    const same = typeof attributes['auto_pad'] === 'string' && attributes['auto_pad'].startsWith('SAME')
    const opset = opType === 'MaxPool' ? 12 : opType === 'LpPool' ? 18 : dice.pick([11, 19])
    if (!same && opset > 11 && opType !== 'LpPool' && dice.maybe()) attributes['dilations'] = x.slice(2).map(() => dice.int(1, 2))
    if (!same && opType !== 'LpPool' && dice.maybe()) attributes['ceil_mode'] = 1
    if (opType === 'AveragePool' && dice.maybe()) attributes['count_include_pad'] = 1
    if (opType === 'LpPool') attributes['p'] = dice.int(1, 3)
    return drawn(opType, x, attributes, [], { opset })
  }
}

const maxPoolIndices: Draw = (dice) => {
  const x = imageShape(dice, undefined, 5)
  const { attributes } = sliding(dice, x.slice(2), 'pool')
  if (dice.maybe()) attributes['storage_order'] = 1
  return drawn('MaxPool', x, attributes, [], { opset: 12, outputs: ['y', 'indices'] })
}

export const sliders: Record<string, Draw> = {
  Conv: conv, 'Conv, depthwise': depthwise, ConvTranspose: convTranspose, MaxPool: pool('MaxPool'), 'MaxPool, Indices': maxPoolIndices,
  AveragePool: pool('AveragePool'), LpPool: pool('LpPool'),
  GlobalAveragePool: (dice) => drawn('GlobalAveragePool', imageShape(dice), {}),
  GlobalMaxPool: (dice) => drawn('GlobalMaxPool', imageShape(dice), {}),
}

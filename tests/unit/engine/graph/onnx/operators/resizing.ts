import type { OnnxTensor } from '#engine/graph/onnx-format/schema.ts'
import type { AttributeValue } from '#engine/graph/onnx-format/write.ts'
import { floatTensor } from '#engine/graph/onnx-format/write.ts'
import type { Dice, Draw, Drawn } from './draw.ts'
import { drawn } from './draw.ts'

interface Axes {
  readonly sizes: readonly number[]
  /** Output sizes; those of unchanged axes included. */
  readonly target: readonly number[]
}

/** Height and width, sometimes one of them only. */
function axes(dice: Dice): Axes {
  const sizes = [dice.int(3, 6), dice.int(3, 6)]
  return { sizes, target: sizes.map((n) => (dice.int(0, 3) === 0 ? n : dice.int(2, 11))) }
}

const modes = ['half_pixel', 'pytorch_half_pixel', 'align_corners', 'asymmetric'] as const

/** What operator sets before 13 want in the place of an input that is left out. */
const none = (name: string): OnnxTensor => floatTensor(name, [0], new Float32Array(0))

/** Sizes are whole multiples of the stated scales: ONNX Runtime and ONNX differ on what others mean with aligned corners. */
function sized(dice: Dice, attributes: Record<string, AttributeValue>, opset: number, { sizes, target }: Axes): Drawn {
  const x = [1, 2, ...sizes]
  if (dice.maybe() && target.every((n, i) => Number.isInteger((n / sizes[i]!) * 4))) {
    const scales = [1, 1, ...target.map((n, i) => n / sizes[i]!)]
    const tensor = dice.floats('scales', [4], 0, 0)
    new Float32Array(tensor.rawData!.buffer).set(scales)
    return drawn('Resize', x, attributes, [none('roi'), tensor], { opset })
  }
  return drawn('Resize', x, attributes, [none('roi'), none('scales'), dice.ints('sizes', [1, 2, ...target])], { opset })
}

const nearest: Draw = (dice) => {
  const attributes = {
    mode: 'nearest', coordinate_transformation_mode: dice.pick([...modes, 'tf_half_pixel_for_nn']), nearest_mode: dice.pick(['round_prefer_floor', 'round_prefer_ceil', 'floor', 'ceil']),
  }
  const opset = attributes.coordinate_transformation_mode === 'tf_half_pixel_for_nn' ? 11 : dice.pick([11, 13, 18, 19])
  return sized(dice, attributes, opset, axes(dice))
}

const linear: Draw = (dice) => sized(dice, { mode: 'linear', coordinate_transformation_mode: dice.pick(modes) }, dice.pick([11, 13, 18]), axes(dice))

const symmetric: Draw = (dice) => sized(dice, { mode: 'linear', coordinate_transformation_mode: 'half_pixel_symmetric' }, 19, axes(dice))

const cubic: Draw = (dice) => sized(dice, {
  mode: 'cubic', coordinate_transformation_mode: dice.pick(modes), ...(dice.maybe() ? { cubic_coeff_a: { float: -0.5 } } : {}), ...(dice.maybe() ? { exclude_outside: 1 } : {}),
}, dice.pick([11, 18]), axes(dice))

const antialias: Draw = (dice) => sized(dice, { mode: dice.pick(['linear', 'cubic']), antialias: 1, exclude_outside: 1 }, 18, { sizes: [dice.int(6, 9), dice.int(6, 9)], target: [dice.int(2, 7), dice.int(2, 7)] })

const cropped: Draw = (dice) => {
  const region = [0, 0, dice.between(-0.2, 0.4), dice.between(0, 0.4), 1, 1, dice.between(0.6, 1.2), dice.between(0.6, 1)]
  const roi = dice.floats('roi', [8])
  new Float32Array(roi.rawData!.buffer).set(region)
  const attributes = { mode: 'linear', coordinate_transformation_mode: 'tf_crop_and_resize', extrapolation_value: { float: dice.pick([0, 3.5]) } }
  // an axis whose size stays ONNX Runtime does not crop
  return drawn('Resize', [1, 2, 5, 6], attributes, [roi, none('scales'), dice.ints('sizes', [1, 2, dice.pick([1, 2, 4, 7]), dice.pick([2, 3, 5, 8])])], { opset: dice.pick([11, 13]) })
}

const policy: Draw = (dice) =>
  drawn('Resize', [1, 2, dice.int(3, 7), dice.int(3, 7)], { mode: 'linear', axes: [2, 3], keep_aspect_ratio_policy: dice.pick(['not_larger', 'not_smaller']) }, ['', '', dice.ints('sizes', [dice.int(3, 9), dice.int(3, 9)])], { opset: 18 })

const old: Draw = (dice) => {
  const tensor = dice.floats('scales', [4])
  new Float32Array(tensor.rawData!.buffer).set([1, 1, dice.pick([1, 2, 3]), dice.pick([1, 2, 2.5])])
  return drawn(dice.maybe() ? 'Upsample' : 'Resize', [2, 2, dice.int(2, 5), 4], { mode: dice.pick(['nearest', 'linear']) }, [tensor], { opset: 9 })
}

export const resizing: Record<string, Draw> = {
  'Resize, nearest': nearest, 'Resize, linear': linear, 'Resize, symmetric': symmetric, 'Resize, cubic': cubic, 'Resize, antialias': antialias,
  'Resize, cropped': cropped, 'Resize, policy': policy,
  'Upsample and Resize of operator set 10': (dice) => {
    const given = old(dice)
    return { ...given, opset: given.node.opType === 'Resize' ? 10 : 9 }
  },
}

import type { AttributeValue } from '#engine/graph/onnx-format/write.ts'
import type { Dice, Draw } from './draw.ts'
import { anyShape, broadcastable, drawn, imageShape } from './draw.ts'

const gemm: Draw = (dice) => {
  const [rows, inner, columns] = [dice.int(1, 4), dice.int(1, 4), dice.int(1, 4)]
  const attributes: Record<string, AttributeValue> = {}
  const [turnA, turnB] = [dice.maybe(), dice.maybe()]
  if (turnA) attributes['transA'] = 1
  if (turnB) attributes['transB'] = 1
  if (dice.maybe()) attributes['alpha'] = { float: dice.between(-2, 2) }
  if (dice.maybe()) attributes['beta'] = { float: dice.between(-2, 2) }
  const b = turnB ? [columns, inner] : [inner, columns]
  const c = dice.pick([null, [columns], [1, columns], [rows, 1], [rows, columns], [1], []] as const)
  const computed = dice.pick([[], ['b'], ['c'], ['b', 'c']] as const) as readonly string[]
  const shapes = Object.entries({ b, ...(c ? { c } : {}) })
  return drawn('Gemm', turnA ? [inner, rows] : [rows, inner], attributes, shapes.filter(([name]) => !computed.includes(name)).map(([name, shape]) => dice.floats(name, shape)), {
    data: Object.fromEntries(shapes.filter(([name]) => computed.includes(name))), inputs: ['x', ...shapes.map(([name]) => name)],
  })
}

const matMul: Draw = (dice) => {
  const [rows, inner, columns] = [dice.int(1, 4), dice.int(1, 4), dice.int(1, 4)]
  const stack = Array.from({ length: dice.int(0, 2) }, () => dice.int(1, 3))
  const a = dice.int(0, 4) === 0 ? [inner] : [...(dice.maybe() ? stack : broadcastable(dice, stack)), rows, inner]
  const b = dice.int(0, 4) === 0 ? [inner] : [...(dice.maybe() ? stack : broadcastable(dice, stack)), inner, columns]
  switch (dice.int(0, 2)) {
    case 0:
      return drawn('MatMul', a, {}, [dice.floats('b', b)])
    case 1:
      return drawn('MatMul', b, {}, [dice.floats('a', a)], { inputs: ['a', 'x'] })
    default:
      return drawn('MatMul', a, {}, [], { data: { b }, inputs: ['x', 'b'] })
  }
}

const batchNormalization: Draw = (dice) => {
  const x = imageShape(dice)
  const vectors = ['scale', 'offset', 'mean'].map((name) => dice.floats(name, [x[1]!]))
  return drawn('BatchNormalization', x, dice.maybe() ? { epsilon: { float: 0.01 } } : {}, [...vectors, dice.floats('variance', [x[1]!], 0.2, 2)], { opset: dice.pick([9, 15]) })
}

/** Operator set 7: a statistic for each pixel. */
const perPixel: Draw = (dice) => {
  const x = [2, 2, 3, 4]
  const shape = x.slice(1)
  return drawn('BatchNormalization', x, { spatial: 0 }, [...['scale', 'offset', 'mean'].map((name) => dice.floats(name, shape)), dice.floats('variance', shape, 0.2, 2)], { opset: 7 })
}

const batchStatistics: Draw = (dice) => {
  const x = imageShape(dice)
  const vectors = ['scale', 'offset', 'mean'].map((name) => dice.floats(name, [x[1]!]))
  return drawn('BatchNormalization', x, { training_mode: 1, momentum: { float: 0.7 } }, [...vectors, dice.floats('variance', [x[1]!], 0.2, 2)], { opset: 15, outputs: ['y', 'm', 'v'] })
}

const layerNormalization: Draw = (dice) => {
  const x = anyShape(dice, 2)
  const axis = dice.int(0, x.length - 1)
  const shape = x.slice(axis)
  const weights = [dice.floats('scale', shape), ...(dice.maybe() ? [dice.floats('offset', shape)] : [])]
  return drawn('LayerNormalization', x, { axis: dice.maybe() ? axis : axis - x.length, epsilon: { float: 0.01 } }, weights, dice.maybe() ? { outputs: ['y', 'mean', 'deviation'] } : {})
}

const groupNormalization: Draw = (dice) => {
  const groups = dice.int(1, 3)
  const x = imageShape(dice, groups * dice.int(1, 3))
  const opset = dice.pick([18, 21])
  const count = opset === 18 ? groups : x[1]!
  return drawn('GroupNormalization', x, { num_groups: groups, epsilon: { float: 0.01 } }, [dice.floats('scale', [count]), dice.floats('offset', [count])], { opset })
}

const instanceNormalization: Draw = (dice) => {
  const x = imageShape(dice)
  return drawn('InstanceNormalization', x, { epsilon: { float: 0.01 } }, [dice.floats('scale', [x[1]!]), dice.floats('offset', [x[1]!])])
}

/** Axes as attribute or input, or none. */
function reduction(opType: string, inputSince: number, positive = false): Draw {
  return (dice) => {
    const x = anyShape(dice)
    const axes = x.flatMap((_, i) => (dice.maybe() ? [dice.maybe() ? i : i - x.length] : []))
    const opset = dice.pick([11, 13, 18])
    const keep: Record<string, AttributeValue> = dice.maybe() ? { keepdims: 0 } : {}
    if (opset < inputSince) return drawn(opType, x, { ...keep, ...(axes.length > 0 ? { axes } : {}) }, [], { opset, positive })
    return drawn(opType, x, { ...keep, ...(dice.maybe() ? { noop_with_empty_axes: 1 } : {}) }, axes.length > 0 ? [dice.ints('axes', axes)] : [], { opset, positive })
  }
}

function softmax(opType: string): Draw {
  return (dice) => {
    const x = anyShape(dice, 2)
    return drawn(opType, x, dice.int(0, 3) === 0 ? {} : { axis: dice.int(-x.length, x.length - 1) }, [], { opset: dice.pick([11, 13]) })
  }
}

const lrn = (dice: Dice): ReturnType<Draw> =>
  drawn('LRN', [2, dice.int(1, 7), 3, 4], { size: dice.pick([1, 3, 5]), ...(dice.maybe() ? { alpha: { float: 0.5 }, beta: { float: 0.6 }, bias: { float: 1.5 } } : {}) })

/** Heads in an axis of their own or in the last one; keys and values may have fewer heads. */
const attention: Draw = (dice) => {
  const [n, tokens, keys, depth, valueDepth] = [dice.int(1, 2), dice.int(1, 4), dice.int(1, 4), dice.int(1, 4), dice.int(1, 4)]
  const own = dice.int(1, 2)
  const heads = own * dice.int(1, 2)
  const shape = (count: number, length: number, size: number, flat: boolean): number[] => (flat ? [n, length, count * size] : [n, count, length, size])
  const flat = dice.maybe()
  const masked = dice.maybe()
  return drawn('Attention', shape(heads, tokens, depth, flat), {
    ...(flat ? { q_num_heads: heads, kv_num_heads: own } : {}), ...(dice.maybe() ? { scale: { float: 0.7 } } : {}), ...(!masked && dice.maybe() ? { is_causal: 1 } : {}),
  }, masked ? [dice.floats('mask', [tokens, keys])] : [], {
    opset: 23, data: { k: shape(own, keys, depth, flat), v: shape(own, keys, valueDepth, flat) }, inputs: ['x', 'k', 'v', ...(masked ? ['mask'] : [])],
  })
}

const rmsNormalization: Draw = (dice) => {
  const x = anyShape(dice, 2)
  const axis = dice.int(0, x.length - 1)
  return drawn('RMSNormalization', x, { axis, epsilon: { float: 0.01 } }, [dice.floats('scale', x.slice(axis))], { opset: 23 })
}

export const products: Record<string, Draw> = {
  Gemm: gemm, MatMul: matMul, BatchNormalization: batchNormalization, 'BatchNormalization by pixel': perPixel,
  'BatchNormalization in training mode': batchStatistics,
  LayerNormalization: layerNormalization, GroupNormalization: groupNormalization, InstanceNormalization: instanceNormalization, LRN: lrn,
  LpNormalization: (dice) => {
    const x = anyShape(dice)
    return drawn('LpNormalization', x, { p: dice.int(1, 2), axis: dice.int(-x.length, x.length - 1) })
  },
  MeanVarianceNormalization: () => drawn('MeanVarianceNormalization', [2, 3, 4, 5], {}),
  Attention: attention, RMSNormalization: rmsNormalization,
  ReduceMean: reduction('ReduceMean', 18), ReduceSum: reduction('ReduceSum', 13), ReduceMax: reduction('ReduceMax', 18), ReduceMin: reduction('ReduceMin', 18),
  ReduceL1: reduction('ReduceL1', 18), ReduceL2: reduction('ReduceL2', 18), ReduceSumSquare: reduction('ReduceSumSquare', 18),
  ReduceLogSum: reduction('ReduceLogSum', 18, true), ReduceLogSumExp: reduction('ReduceLogSumExp', 18),
  Softmax: softmax('Softmax'), LogSoftmax: softmax('LogSoftmax'),
}

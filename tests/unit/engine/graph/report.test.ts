import { expect, test } from 'vitest'
import { createBuilder, pads, weight, type GraphBuilder, type Ref } from '#engine/graph/build.ts'
import type { Graph, Operation, Shape, Unary } from '#engine/graph/graph.ts'
import { samePads, sizeOf } from '#engine/graph/graph.ts'
import { graphReport } from '#engine/graph/report.ts'
import type { GraphReport, LayerInfo } from '#shared/domain/layers.ts'

const relu: Unary = { kind: 'relu', max: null }
const zeros = (...shape: number[]) => weight(shape, new Float32Array(sizeOf(shape)))

interface Conv { size: number; out: number; stride?: number; dilation?: number; act?: boolean }

/** Builds images of one side, with convolutions padded as 'SAME' is. */
function begin(side: number, channels = 3) {
  const builder = createBuilder()
  const input = builder.add('input', { op: 'input' }, [], [-1, side, side, channels])
  const padsOf = (from: Ref, size: number, stride: number, dilation: number) => {
    const side = builder.shapeOf(from)[1]!
    return pads(samePads(side, size, stride, dilation), samePads(side, size, stride, dilation))
  }
  function conv(name: string, from: Ref, { size, out, stride = 1, dilation = 1, act = false }: Conv): Ref {
    return builder.add(name, {
      op: 'conv2d', filter: zeros(size, size, builder.shapeOf(from)[3]!, out), bias: zeros(out), strides: [stride, stride], dilations: [dilation, dilation],
      groups: 1, pads: padsOf(from, size, stride, dilation), activation: act ? relu : null,
    }, [from])
  }
  function pool(name: string, from: Ref, kind: 'max' | 'average', size: number, stride: number): Ref {
    return builder.add(name, { op: 'pool', kind, size: [size, size], strides: [stride, stride], pads: padsOf(from, size, stride, 1), countPadding: false }, [from])
  }
  const add = (name: string, operation: Operation, from: Ref[], shape?: Shape): Ref => builder.add(name, operation, from, shape)
  return { builder, input, conv, pool, add }
}

function head(builder: GraphBuilder, input: Ref, from: Ref, classes = 10): Graph {
  const mean = builder.add('mean', { op: 'reduce', function: 'mean', axes: [1, 2], keepDims: false }, [from])
  const logits = builder.add('logits', { op: 'dense', matrix: zeros(builder.shapeOf(mean)[1]!, classes), bias: zeros(classes), activation: null }, [mean])
  return builder.finish(input, logits)
}

const layer = (report: GraphReport, name: string): LayerInfo => report.layers.find((one) => one.name === name)!
const field = (report: GraphReport, name: string): LayerInfo['receptiveField'] => layer(report, name).receptiveField

test('a network like ResNet-18: the published field of 435 pixels, and the last convolution before the mean for CAM methods', () => {
  const { builder, input, conv, pool, add } = begin(224)
  let x = pool('pool', conv('stem', input, { size: 7, out: 4, stride: 2, act: true }), 'max', 3, 2)
  for (const [stage, stride] of [1, 2, 2, 2].entries()) {
    for (const block of [0, 1]) {
      const name = `${stage}.${block}`
      const first = block === 0 ? stride : 1
      const skip = block === 0 && stride > 1 ? conv(`${name}.skip`, x, { size: 1, out: 4, stride }) : x
      const inner = conv(`${name}.b`, conv(`${name}.a`, x, { size: 3, out: 4, stride: first, act: true }), { size: 3, out: 4 })
      x = add(`${name}.relu`, { op: 'unary', function: relu }, [add(`${name}.add`, { op: 'binary', function: 'add' }, [inner, skip])])
    }
  }
  const report = graphReport(head(builder, input, x))
  expect(field(report, 'stem')).toEqual({ size: 7, stride: 2 })
  expect(field(report, 'pool')).toEqual({ size: 11, stride: 4 })
  expect(field(report, '0.1.relu')).toEqual({ size: 43, stride: 4 })
  expect(field(report, '1.1.relu')).toEqual({ size: 99, stride: 8 })
  expect(field(report, '3.1.relu')).toEqual({ size: 435, stride: 32 })
  expect(field(report, 'mean')).toBeNull()
  expect(field(report, 'logits')).toBeNull()
  expect(report.camLayer).toBe('3.1.b')
  // Not the default, but what the network pools: the sum of the branches, activated.
  expect([layer(report, '3.1.relu').cam, layer(report, 'input').cam]).toEqual([true, false])
  expect(layer(report, 'stem')).toEqual({
    name: 'stem', op: 'conv2d', operation: 'conv 7×7, stride 2, ReLU', inputs: ['input'], shape: [112, 112, 4], parameters: 7 * 7 * 3 * 4 + 4,
    multiplyAdds: 112 * 112 * 4 * 7 * 7 * 3, receptiveField: { size: 7, stride: 2 }, computes: ['stem'], cam: true,
  })
  expect(layer(report, 'mean')).toMatchObject({ operation: 'mean over height and width', shape: [4], cam: false })
})

test('a network like VGG-16: 212 pixels at the last pool; a flattened map is still local until the dense layer', () => {
  const { builder, input, conv, pool, add } = begin(224)
  let x = input
  for (const [block, convs] of [2, 2, 3, 3, 3].entries()) {
    for (let i = 0; i < convs; i++) x = conv(`${block}.${i}`, x, { size: 3, out: 2, act: true })
    x = pool(`${block}.pool`, x, 'max', 2, 2)
  }
  const flat = add('flat', { op: 'reshape' }, [x], [-1, 98])
  const report = graphReport(builder.finish(input, add('fc', { op: 'dense', matrix: zeros(98, 5), bias: null, activation: null }, [flat])))
  expect(field(report, '4.2')).toEqual({ size: 196, stride: 16 })
  expect(field(report, '4.pool')).toEqual({ size: 212, stride: 32 })
  expect(field(report, 'flat')).toEqual({ size: 212, stride: 32 })
  expect(field(report, 'fc')).toBeNull()
  expect(report.camLayer).toBe('4.2')
})

test('branches like those of an inception block: the larger field, also through dilation', () => {
  const { builder, input, conv, pool, add } = begin(32)
  const stem = conv('stem', input, { size: 3, out: 4, stride: 2 })
  const branches = [
    conv('one', stem, { size: 1, out: 2 }),
    conv('five', conv('reduced', stem, { size: 1, out: 2 }), { size: 5, out: 2 }),
    conv('wide', stem, { size: 3, out: 2, dilation: 3 }),
    conv('pooled', pool('pool', stem, 'average', 3, 1), { size: 1, out: 2 }),
  ]
  const report = graphReport(head(builder, input, add('concat', { op: 'concat', axis: 3 }, branches)))
  expect(field(report, 'one')).toEqual({ size: 3, stride: 2 })
  expect(field(report, 'five')).toEqual({ size: 11, stride: 2 })
  expect(field(report, 'wide')).toEqual({ size: 15, stride: 2 })
  expect(field(report, 'pooled')).toEqual({ size: 7, stride: 2 })
  expect(field(report, 'concat')).toEqual({ size: 15, stride: 2 })
  expect(layer(report, 'wide').operation).toBe('conv 3×3, dilation 3')
  expect(layer(report, 'concat').operation).toBe('concat of channels')
  expect(report.camLayer).toBe('pooled')
})

test('places are added by resizing and transposed convolutions, left out by gathering, and gated by the whole picture', () => {
  const { builder, input, conv, add } = begin(16)
  const small = conv('small', input, { size: 3, out: 4, stride: 2 })
  const large = add('large', { op: 'resize', method: 'bilinear', alignCorners: false, halfPixelCenters: true }, [small], [-1, 16, 16, 4])
  const up = add('up', { op: 'conv2dTranspose', filter: zeros(4, 4, 4, 4), bias: null, strides: [2, 2], pads: pads([1, 1], [1, 1]), activation: null }, [small], [-1, 16, 16, 4])
  add('even', { op: 'gather', axis: 1, indices: [0, 2, 4, 6, 8, 10, 12, 14] }, [large])
  const gate = add('gate', { op: 'reduce', function: 'mean', axes: [1, 2], keepDims: true }, [large])
  const gated = add('gated', { op: 'binary', function: 'multiply' }, [up, gate])
  const report = graphReport(head(builder, input, gated))
  expect(field(report, 'large')).toEqual({ size: 5, stride: 1 })
  expect(field(report, 'up')).toEqual({ size: 5, stride: 1 })
  expect(field(report, 'even')).toEqual({ size: 5, stride: 2 })
  expect(field(report, 'gate')).toBeNull()
  expect(field(report, 'gated')).toBeNull()
  expect(layer(report, 'up')).toMatchObject({ operation: 'transposed conv 4×4, stride 2', cam: true })
})

test('patches stay local as tokens, until attention mixes them', () => {
  const { builder, input, add } = begin(32)
  const patches = add('patches', {
    op: 'conv2d', filter: zeros(8, 8, 3, 6), bias: null, strides: [8, 8], dilations: [1, 1], groups: 1, pads: pads([0, 0], [0, 0]), activation: null,
  }, [input])
  const tokens = add('tokens', { op: 'reshape' }, [patches], [-1, 16, 6])
  const normal = add('normal', { op: 'normalize', axes: [2], epsilon: 1e-6 }, [tokens])
  const query = add('query', { op: 'dense', matrix: zeros(6, 6), bias: null, activation: null }, [normal])
  const position = add('position', { op: 'constant', value: zeros(16, 6) }, [], [16, 6])
  const placed = add('placed', { op: 'binary', function: 'add' }, [query, position])
  const weights = add('weights', { op: 'matmul', transposeA: false, transposeB: true }, [placed, placed])
  const mixed = add('mixed', { op: 'matmul', transposeA: false, transposeB: false }, [weights, placed])
  const first = add('first', { op: 'gather', axis: 1, indices: [0] }, [mixed])
  const flat = add('flat', { op: 'reshape' }, [first], [-1, 6])
  const report = graphReport(builder.finish(input, flat))
  for (const name of ['patches', 'tokens', 'normal', 'query', 'placed']) expect(field(report, name), name).toEqual({ size: 8, stride: 8 })
  expect(field(report, 'position')).toEqual({ size: 0, stride: 0 })
  for (const name of ['weights', 'mixed', 'first', 'flat']) expect(field(report, name), name).toBeNull()
  expect(layer(report, 'normal').operation).toBe('normalize over the last axis')
  expect(layer(report, 'weights')).toMatchObject({ operation: 'matrix product, second transposed', shape: [16, 16], multiplyAdds: 16 * 16 * 6 })
  expect(report.camLayer).toBe('patches')
})

test('class scores at every place or at one do not win as the layer for CAM methods', () => {
  const everywhere = begin(16)
  const features = everywhere.conv('features', everywhere.input, { size: 3, out: 4 })
  const scores = everywhere.conv('scores', features, { size: 1, out: 10, act: true })
  const mean = everywhere.add('mean', { op: 'reduce', function: 'mean', axes: [1, 2], keepDims: false }, [scores])
  const report = graphReport(everywhere.builder.finish(everywhere.input, mean))
  expect(layer(report, 'scores').cam).toBe(true)
  expect(report.camLayer).toBe('features')

  const once = begin(8)
  const body = once.conv('body', once.input, { size: 3, out: 4, stride: 2 })
  const small = once.conv('small', body, { size: 3, out: 4, stride: 2 })
  const pooled = once.add('pooled', { op: 'reduce', function: 'mean', axes: [1, 2], keepDims: true }, [small])
  const logits = once.conv('logits', pooled, { size: 1, out: 10 })
  const other = graphReport(once.builder.finish(once.input, once.add('flat', { op: 'reshape' }, [logits], [-1, 10])))
  expect(layer(other, 'small').cam).toBe(false)
  expect(layer(other, 'logits').cam).toBe(false)
  expect(other.camLayer).toBe('body')

  const none = begin(4)
  const flat = none.add('flat', { op: 'reshape' }, [none.input], [-1, 48])
  expect(graphReport(none.builder.finish(none.input, flat)).camLayer).toBeNull()
})

test('a window as large as the map reads all of it; a graph for one image leaves its batch out of the shapes', () => {
  const { builder, input, conv, add } = begin(8)
  const small = conv('small', input, { size: 3, out: 4, stride: 2 })
  const whole = add('whole', {
    op: 'conv2d', filter: zeros(4, 4, 4, 10), bias: null, strides: [1, 1], dilations: [1, 1], groups: 1, pads: pads([0, 0], [0, 0]), activation: null,
  }, [small])
  expect(field(graphReport(builder.finish(input, whole)), 'whole')).toBeNull()

  const single: Graph = {
    nodes: [
      { name: 'input', inputs: [], shape: [1, 4, 4, 3], layers: ['input'], op: 'input' },
      { name: 'flat', inputs: ['input'], shape: [1, 48], layers: ['flat'], op: 'reshape' },
    ],
    input: 'input', output: 'flat', notes: ['One image at a time.'], oneByOne: true,
  }
  const report = graphReport(single)
  expect(report.layers.map(({ shape }) => shape)).toEqual([[4, 4, 3], [48]])
  expect(report.notes).toEqual(['One image at a time.'])
})

import * as tf from '@tensorflow/tfjs-core'
import '@tensorflow/tfjs-backend-cpu'
import { beforeAll, describe, expect, test } from 'vitest'
import { onnxInputShape } from '#engine/graph/import/onnx/model-input.ts'
import type { OnnxModel, OnnxNode } from '#engine/graph/onnx-format/schema.ts'
import { elementTypes } from '#engine/graph/onnx-format/schema.ts'
import { floatTensor, int64Tensor, onnxAttribute, onnxModel, onnxNode, valueInfo } from '#engine/graph/onnx-format/write.ts'
import { randomImages, worst } from '../models.ts'
import { channelsFirst, fileLogits, imported, logitsOf } from './run-file.ts'
import { CLASSES, randomTensor, smallModel } from './small-model.ts'

const COUNT = 3

beforeAll(async () => {
  await tf.setBackend('cpu')
})

/** A batch through the graph is what the file gives image by image. */
async function checkAgainstFile(model: OnnxModel, fileShape: (size: readonly [number, number, number]) => readonly number[] = ([h, w, c]) => [1, c, h, w]): Promise<void> {
  const graph = imported(model)
  const { height, width, channels, layout } = onnxInputShape(model)
  const images = randomImages(COUNT, height, width, channels).data
  const first = layout === 'NCHW' || layout === 'CHW'
  const expected = await fileLogits(model, first ? channelsFirst(images, [COUNT, height, width, channels]) : images, COUNT, fileShape([height, width, channels]))
  const found = await logitsOf(graph, images, COUNT)
  if (expected) expect(worst(found, expected)).toBeLessThan(1e-4)
  expect(found).toHaveLength(COUNT * CLASSES)
}

/** Nodes between an image of 3×8×8 and `features`, with a dense layer behind them. */
function withBody(nodes: readonly OnnxNode[], features: number, batch: number | string, more: OnnxModel['graph']['initializers'] = [], opset = 17): OnnxModel {
  return onnxModel({
    nodes: [...nodes, onnxNode('Gemm', ['features', 'matrix', 'bias'], ['logits'], { transB: 1 })],
    inputs: [valueInfo('image', [batch, 3, 8, 8])], outputs: [valueInfo('logits', [batch, CLASSES])],
    initializers: [randomTensor('matrix', [CLASSES, features]), randomTensor('bias', [CLASSES]), ...more],
  }, opset)
}

describe('the batch', () => {
  test('left open, fixed at one, and fixed at more than one', async () => {
    for (const batch of ['n', 1]) {
      for (const head of ['flatten', 'shape', 'literal'] as const) {
        const model = smallModel(batch, head)
        if (batch === 'n' && head === 'literal') continue
        expect(imported(model).oneByOne, `${batch} ${head}`).toBeUndefined()
        await checkAgainstFile(model)
      }
    }
    const four = smallModel(4)
    const literal = smallModel(4, 'literal')
    literal.graph.initializers.find((t) => t.name === 'fixed')!.rawData = int64Tensor('', [2], [4, 16]).rawData
    const [a, b] = await Promise.all([four, literal].map((m) => logitsOf(imported(m), randomImages(COUNT, 8, 8, 3).data, COUNT)))
    expect(worst(a!, b!)).toBeLessThan(1e-6)
    expect(imported(four).notes.join(' ')).toContain('made for batches of 4; batches of any size are run')
  })

  test('spelled out as one in shapes, as exporters do for attention', async () => {
    const model = withBody([
      onnxNode('Reshape', ['image', 'tokens'], ['a']), // [1, 3, 64]
      onnxNode('Transpose', ['a'], ['b'], { perm: [2, 0, 1] }), // [64, 1, 3]
      onnxNode('Reshape', ['b', 'heads'], ['c']), // [64, 3, 1]: batch·heads
      onnxNode('Transpose', ['c'], ['d'], { perm: [1, 0, 2] }), // [3, 64, 1]
      onnxNode('MatMul', ['d', 'row'], ['e']), // [3, 64, 2]
      onnxNode('Transpose', ['e'], ['f'], { perm: [1, 0, 2] }),
      onnxNode('Reshape', ['f', 'back'], ['g']), // [64, 1, 6]
      onnxNode('Transpose', ['g'], ['h'], { perm: [1, 0, 2] }),
      onnxNode('Concat', ['token', 'h'], ['i'], { axis: 1 }), // [1, 65, 6]
      onnxNode('Gather', ['i', 'first'], ['j'], { axis: 1 }),
      onnxNode('ReduceMean', ['i'], ['k'], { axes: [1], keepdims: 0 }),
      onnxNode('Add', ['j', 'k'], ['features']),
    ], 6, 1, [
      int64Tensor('tokens', [3], [1, 3, -1]), int64Tensor('heads', [3], [64, 3, 1]), int64Tensor('back', [3], [64, 1, 6]), int64Tensor('first', [], [0]),
      randomTensor('row', [1, 2]), randomTensor('token', [1, 1, 6]),
    ])
    expect(imported(model).oneByOne).toBeUndefined()
    await checkAgainstFile(model)
  })

  test('tokens before the batch are joined with it and parted again without mixing images', async () => {
    const nodes = (last: readonly OnnxNode[]): readonly OnnxNode[] => [
      onnxNode('Reshape', ['image', 'tokens'], ['a']), // [1, 3, 64]
      onnxNode('Transpose', ['a'], ['b'], { perm: [2, 0, 1] }), // [64, 1, 3]
      onnxNode('Reshape', ['b', 'rows'], ['c']), // [64, 3], with the batch inside of the rows
      onnxNode('Gemm', ['c', 'square'], ['d']),
      ...last,
      onnxNode('Softmax', ['tokens-first'], ['e'], { axis: 0 }),
      onnxNode('ReduceMax', ['e'], ['features'], { axes: [0], keepdims: 0 }),
    ]
    const more = [int64Tensor('tokens', [3], [1, 3, 64]), int64Tensor('rows', [2], [64, 3]), randomTensor('square', [3, 3])]
    const parted = withBody(nodes([onnxNode('Reshape', ['d', 'back'], ['tokens-first'])]), 3, 1, [...more, int64Tensor('back', [3], [64, 1, 3])])
    expect(imported(parted).oneByOne).toBeUndefined()
    await checkAgainstFile(parted)
    // with one image [64, 3] and [1, 64, 3] are the same; with more they are not
    const relabelled = withBody(nodes([onnxNode('Reshape', ['d', 'back'], ['first']), onnxNode('Transpose', ['first'], ['tokens-first'], { perm: [1, 0, 2] })]), 3, 1, [
      ...more, int64Tensor('back', [3], [1, 64, 3]),
    ])
    await checkAgainstFile(relabelled)
  })

  test('windows join the batch and leave it again', async () => {
    const model = withBody([
      onnxNode('Shape', ['image'], ['sizes']),
      onnxNode('Gather', ['sizes', 'zero'], ['n'], { axis: 0 }),
      onnxNode('Transpose', ['image'], ['last'], { perm: [0, 2, 3, 1] }),
      onnxNode('Reshape', ['last', 'split'], ['a']), // [n, 2, 4, 2, 4, 3]
      onnxNode('Transpose', ['a'], ['b'], { perm: [0, 1, 3, 2, 4, 5] }),
      onnxNode('Reshape', ['b', 'windows'], ['c']), // [4·n, 16, 3]
      onnxNode('MatMul', ['c', 'square'], ['d']),
      onnxNode('Softmax', ['d'], ['e'], { axis: 1 }),
      onnxNode('Reshape', ['e', 'six'], ['f']),
      onnxNode('Transpose', ['f'], ['g'], { perm: [0, 5, 1, 3, 2, 4] }),
      onnxNode('Unsqueeze', ['n', 'zeros'], ['n1']),
      onnxNode('Concat', ['n1', 'rest'], ['target'], { axis: 0 }),
      onnxNode('Reshape', ['g', 'target'], ['features']),
    ], 192, 'n', [
      int64Tensor('zero', [], [0]), int64Tensor('zeros', [1], [0]), int64Tensor('split', [6], [-1, 2, 4, 2, 4, 3]), int64Tensor('windows', [3], [-1, 16, 3]),
      int64Tensor('six', [6], [-1, 2, 2, 4, 4, 3]), int64Tensor('rest', [1], [192]), randomTensor('square', [3, 3]),
    ])
    await checkAgainstFile(model)
  })

  test('a token is spread over it without a tensor of that size', async () => {
    const model = withBody([
      onnxNode('Shape', ['image'], ['sizes']),
      onnxNode('Slice', ['sizes', 'zeros', 'ones'], ['n']),
      onnxNode('Concat', ['n', 'ones', 'ones'], ['target'], { axis: 0 }),
      onnxNode('Expand', ['token', 'target'], ['spread']),
      onnxNode('ConstantOfShape', ['target'], ['filled'], { value: { tensor: floatTensor('', [1], Float32Array.of(0.5)) } }),
      onnxNode('Add', ['spread', 'filled'], ['tokens']),
      onnxNode('GlobalMaxPool', ['image'], ['pooled']),
      onnxNode('Squeeze', ['pooled', 'three'], ['squeezed']),
      onnxNode('Concat', ['tokens', 'squeezed'], ['joined'], { axis: 1 }),
      onnxNode('Reshape', ['joined', 'flat'], ['features']),
    ], 4, 'n', [
      int64Tensor('zeros', [1], [0]), int64Tensor('ones', [1], [1]), int64Tensor('three', [1], [3]), int64Tensor('flat', [2], [0, -1]), randomTensor('token', [1, 1, 1]),
    ])
    const graph = imported(model)
    expect(graph.nodes.filter((n) => n.op === 'constant').every((n) => n.op === 'constant' && n.value.data.length < 100)).toBe(true)
    await checkAgainstFile(model)
  })

  test('a file that takes its one image out of the batch runs one by one', async () => {
    const model = withBody([
      onnxNode('Gather', ['image', 'zero'], ['one'], { axis: 0 }), // [3, 8, 8]
      onnxNode('ReduceMax', ['one'], ['rows'], { axes: [2], keepdims: 0 }),
      onnxNode('Reshape', ['rows', 'flat'], ['features']),
    ], 24, 1, [int64Tensor('zero', [], [0]), int64Tensor('flat', [2], [1, 24])])
    const graph = imported(model)
    expect(graph.oneByOne).toBe(true)
    expect(graph.notes).toContain('The file is made for one image at a time, so images are run one after the other.')
    await checkAgainstFile(model)
  })

  test('a file without a batch', async () => {
    const model = onnxModel({
      nodes: [onnxNode('Unsqueeze', ['image', 'axis'], ['images']), onnxNode('Flatten', ['images'], ['flat']), onnxNode('MatMul', ['flat', 'matrix'], ['rows']), onnxNode('Squeeze', ['rows', 'axis'], ['logits'])],
      inputs: [valueInfo('image', [3, 4, 5])], outputs: [valueInfo('logits', [CLASSES])],
      initializers: [int64Tensor('axis', [1], [0]), randomTensor('matrix', [60, CLASSES])],
    }, 17)
    expect(imported(model).oneByOne).toBe(true)
    await checkAgainstFile(model, ([h, w, c]) => [c, h, w])
  })
})

describe('layout', () => {
  test('channels last with transposes around each operator, as Keras exports', async () => {
    const model = onnxModel({
      nodes: [
        onnxNode('Transpose', ['image'], ['first'], { perm: [0, 3, 1, 2] }),
        onnxNode('Conv', ['first', 'filter'], ['conv']),
        onnxNode('Transpose', ['conv'], ['last'], { perm: [0, 2, 3, 1] }),
        onnxNode('Add', ['last', 'bias'], ['biased']),
        onnxNode('Relu', ['biased'], ['relu']),
        onnxNode('ReduceMean', ['relu'], ['features'], { axes: [1, 2], keepdims: 0 }),
        onnxNode('MatMul', ['features', 'matrix'], ['logits']),
      ],
      inputs: [valueInfo('image', ['n', 8, 6, 3])], outputs: [valueInfo('logits', ['n', CLASSES])],
      initializers: [randomTensor('filter', [4, 3, 3, 3]), randomTensor('bias', [4]), randomTensor('matrix', [4, CLASSES])],
    }, 13)
    const graph = imported(model)
    expect(graph.nodes.some((n) => n.op === 'transpose')).toBe(false)
    expect(graph.notes.join(' ')).toContain('Of 4 changes of layout (2 of the file and 2 around operators that run channels last), 4 are cancelled.')
    await checkAgainstFile(model, ([h, w, c]) => [1, h, w, c])
  })

  test('shuffled channels and gated channels', async () => {
    const model = withBody([
      onnxNode('Conv', ['image', 'filter'], ['conv']),
      onnxNode('Reshape', ['conv', 'groups'], ['grouped']),
      onnxNode('Transpose', ['grouped'], ['swapped'], { perm: [0, 2, 1, 3, 4] }),
      onnxNode('Reshape', ['swapped', 'joined'], ['shuffled']),
      onnxNode('GlobalAveragePool', ['shuffled'], ['mean']),
      onnxNode('Flatten', ['mean'], ['flat']),
      onnxNode('Gemm', ['flat', 'gate'], ['gates']),
      onnxNode('Sigmoid', ['gates'], ['opened']),
      onnxNode('Reshape', ['opened', 'pixels'], ['spread']),
      onnxNode('Mul', ['shuffled', 'spread'], ['gated']),
      onnxNode('Flatten', ['gated'], ['features']),
    ], 6 * 36, 'n', [
      randomTensor('filter', [6, 3, 3, 3]), randomTensor('gate', [6, 6]), int64Tensor('groups', [5], [0, 2, 3, 6, 6]), int64Tensor('joined', [4], [0, 6, 6, 6]),
      int64Tensor('pixels', [4], [-1, 6, 1, 1]),
    ])
    await checkAgainstFile(model)
  })
})

describe('inputs and outputs', () => {
  const refusal = (model: OnnxModel): string => {
    try {
      imported(model)
    } catch (error) {
      return (error as Error).message
    }
    throw new Error('it was imported')
  }
  const withInput = (dims: readonly (number | string)[], type: number = elementTypes.float): OnnxModel => {
    const model = smallModel()
    model.graph.inputs = [valueInfo('image', dims, type)]
    return model
  }

  test('sizes that are not fixed, other channels, ranks and types are refused with what to do', () => {
    expect(refusal(withInput(['n', 3, 'height', 'width']))).toMatch(/\[n, 3, height, width\], whose height or width is not fixed.*Export it with a fixed input size/)
    expect(refusal(withInput(['n', 'c', 8, 8]))).toMatch(/Grey \(1\) or RGB \(3\)/)
    expect(refusal(withInput(['n', 192]))).toMatch(/an input of \[n, 192\].*Choose an image classifier/)
    expect(refusal(withInput([1, 3, 8, 8], elementTypes.uint8))).toMatch(/type uint8.*float32/)
    const two = smallModel()
    two.graph.inputs.push(valueInfo('mask', [1]))
    expect(refusal(two)).toMatch(/2 inputs \(image, mask\)/)
  })

  test('weights that are listed among the inputs are no inputs', () => {
    const model = smallModel()
    model.graph.inputs.unshift(...model.graph.initializers.map((t) => valueInfo(t.name, t.dims, t.dataType)))
    expect(imported(model).input).toBe('image')
  })

  test('of several outputs a softmax is taken, else the first, and the notes say so', () => {
    const model = smallModel()
    model.graph.outputs.unshift(valueInfo('relu-1', ['n', 4, 8, 8]))
    expect(refusal(model)).toMatch(/output relu-1 is \[batch, 4, 8, 8\].*one number per class/)
    model.graph.nodes.push(onnxNode('Softmax', ['logits'], ['probabilities']))
    model.graph.outputs.push(valueInfo('probabilities', ['n', CLASSES]))
    const graph = imported(model)
    expect(graph.nodes.at(-1)).toMatchObject({ op: 'softmax', name: 'probabilities' })
    expect(graph.notes).toContain('The model has 3 outputs (relu-1, logits, probabilities); probabilities is taken as the class scores.')
  })

  test('an output that does not depend on the image', () => {
    const model = smallModel()
    model.graph.nodes.push(onnxNode('Constant', [], ['one'], { value: { tensor: floatTensor('', [1, 5], new Float32Array(5)) } }))
    model.graph.outputs = [valueInfo('one', [1, 5])]
    expect(refusal(model)).toMatch(/one does not depend on the image/)
  })

  test('class scores with axes of one element become a matrix', async () => {
    const model = smallModel()
    model.graph.nodes.push(onnxNode('Unsqueeze', ['logits', 'ends'], ['pixels']))
    model.graph.initializers.push(int64Tensor('ends', [2], [2, 3]))
    model.graph.outputs = [valueInfo('pixels', ['n', CLASSES, 1, 1])]
    await checkAgainstFile(model)
  })

  test('nodes that nothing needs are left out, newer operator sets are tried', () => {
    const model = smallModel()
    model.graph.nodes.push(onnxNode('Einsum', ['image'], ['unused']))
    model.opsets[0]!.version = 99
    const notes = imported(model).notes.join(' ')
    expect(notes).toContain('1 node of the file that the class scores do not need is left out.')
    expect(notes).toMatch(/operator set 99, which is newer than this version knows/)
  })
})

test('functions of the file stand for their bodies, with the attributes of the call', async () => {
  const leaky = { ...onnxNode('LeakyRelu', ['x'], ['scaled']), attributes: [{ ...onnxAttribute('alpha', { float: 0 }), reference: 'slope' }] }
  const model = smallModel()
  model.functions = [{
    name: 'Twice', domain: 'own', inputs: ['x'], outputs: ['y'], attributes: ['slope'], opsets: [{ domain: '', version: 17 }],
    nodes: [leaky, onnxNode('Add', ['scaled', 'scaled'], ['y'])],
  }]
  model.opsets.push({ domain: 'own', version: 1 })
  model.graph.nodes[1] = { ...onnxNode('Twice', ['conv-1'], ['relu-1'], { slope: { float: 0.25 } }), domain: 'own' }
  await checkAgainstFile(model)
  expect(imported(model).nodes.some((n) => n.op === 'unary' && n.function.kind === 'leakyRelu' && n.function.alpha === 0.25)).toBe(true)
})

test('a file in half precision runs with float32, its casts left out', async () => {
  const model = smallModel()
  const precise = smallModel()
  for (const [i, tensor] of model.graph.initializers.entries()) {
    if (tensor.dataType !== elementTypes.float) continue
    // bfloat16 is the upper half of a float32; the precise model gets the same numbers
    const bits = new Uint32Array(new Uint8Array(tensor.rawData!).buffer)
    precise.graph.initializers[i]!.rawData = new Uint8Array(Uint32Array.from(bits, (b) => b & 0xffff0000).buffer)
    model.graph.initializers[i] = { ...tensor, dataType: elementTypes.bfloat16, rawData: new Uint8Array(Uint16Array.from(bits, (b) => b >>> 16).buffer) }
  }
  model.graph.inputs = [valueInfo('image', ['n', 3, 8, 8], elementTypes.float16)]
  model.graph.nodes.push(onnxNode('Cast', ['logits'], ['cast'], { to: elementTypes.float }))
  model.graph.outputs = [valueInfo('cast', ['n', CLASSES])]
  const graph = imported(model)
  expect(graph.notes).toContain('The model takes numbers of type float16; it is run with float32.')
  const images = randomImages(COUNT, 8, 8, 3).data
  expect(worst(await logitsOf(graph, images, COUNT), await logitsOf(imported(precise), images, COUNT))).toBe(0)
})

test('the channel count decides the layout', () => {
  const shape = (dims: readonly (number | string)[]): string => {
    const model = smallModel()
    model.graph.inputs = [valueInfo('image', dims)]
    const { layout, height, width, channels, batch } = onnxInputShape(model)
    return `${layout} ${height}×${width}×${channels} ${batch}`
  }
  expect(shape(['n', 3, 8, 9])).toBe('NCHW 8×9×3 null')
  expect(shape([1, 8, 9, 1])).toBe('NHWC 8×9×1 1')
  expect(shape([3, 8, 9])).toBe('CHW 8×9×3 1')
  expect(shape([8, 9, 3])).toBe('HWC 8×9×3 1')
})

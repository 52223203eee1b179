import * as tf from '@tensorflow/tfjs-core'
import '@tensorflow/tfjs-backend-cpu'
import fc from 'fast-check'
import { beforeAll, expect, test } from 'vitest'
import { importOnnxParts } from '#engine/graph/import/onnx/onnx-parts.ts'
import { knownFloats } from '#engine/graph/import/onnx/value.ts'
import type { OnnxNode, OnnxTensor } from '#engine/graph/onnx-format/schema.ts'
import { int64Tensor, onnxModel, onnxNode, valueInfo } from '#engine/graph/onnx-format/write.ts'
import { randomImages, worst } from '../models.ts'
import { channelsFirst, imported, logitsOf } from './run-file.ts'
import { expectSame, runParts, sizeOf } from './run-parts.ts'
import { randomTensor } from './small-model.ts'

beforeAll(async () => {
  await tf.setBackend('cpu')
})

/** Numbers in [0, 1) that decide what a chain does. */
const choices = fc.array(fc.nat(9999).map((n) => n / 10_000), { minLength: 40, maxLength: 40 })

interface Chain {
  nodes: OnnxNode[]
  weights: OnnxTensor[]
  shape: number[]
}

/** A chain of nodes that move data from `x` of `start`, and, where asked for, of nodes that work along an axis. */
function chainOf(start: readonly number[], length: number, draws: readonly number[], along: boolean): Chain {
  let at = 0
  const draw = (count: number): number => Math.floor(draws[at++ % draws.length]! * count)
  const chain: Chain = { nodes: [], weights: [], shape: [...start] }
  let current = 'x'
  const put = (opType: string, shape: readonly number[], attributes: Parameters<typeof onnxNode>[3] = {}, ...given: OnnxTensor[]): void => {
    const output = `v${chain.nodes.length}`
    chain.nodes.push(onnxNode(opType, [current, ...given.map((t) => t.name)], [output], attributes))
    chain.weights.push(...given)
    chain.shape = [...shape]
    current = output
  }
  let lists = 0
  const list = (values: readonly number[]): OnnxTensor => int64Tensor(`list-${lists++}`, [values.length], values)

  for (let k = 0; k < length; k++) {
    const { shape } = chain
    const axis = draw(shape.length)
    switch (draw(along ? 8 : 9)) {
      case 0: {
        const perm = shape.map((_, i) => i)
        for (let i = perm.length - 1; i > 0; i--) {
          const j = draw(i + 1)
          ;[perm[i], perm[j]] = [perm[j]!, perm[i]!]
        }
        put('Transpose', perm.map((i) => shape[i]!), { perm })
        break
      }
      case 1: // join two axes
        if (shape.length > 2 && axis > 0) put('Reshape', joined(shape, axis), {}, list(joined(shape, axis)))
        break
      case 2: { // split one
        const factor = [2, 3, 4].find((f) => shape[axis]! % f === 0 && shape[axis]! > f)
        if (factor === undefined || shape.length > 4) break
        const target = [...shape.slice(0, axis), factor, shape[axis]! / factor, ...shape.slice(axis + 1)]
        put('Reshape', target, {}, list(target))
        break
      }
      case 3: { // an axis of one element goes elsewhere
        const rest = shape.filter((n, i) => n !== 1 || i !== shape.indexOf(1))
        const target = [...rest.slice(0, axis), 1, ...rest.slice(axis)]
        if (target.length <= 5 && sizeOf(target) === sizeOf(shape)) put('Reshape', target, {}, list(target))
        break
      }
      case 4:
        if (along) put('Softmax', shape, { axis })
        else if (shape[axis]! > 1) put('Slice', shape.map((n, i) => (i === axis ? n - 1 : n)), {}, list([1]), list([shape[axis]!]), list([axis]))
        break
      case 5:
        if (along) put('Add', shape, {}, randomTensor(`add-${k}`, [shape[axis]!, ...shape.slice(axis + 1).map(() => 1)]))
        else put('Slice', shape.map((n, i) => (i === axis ? Math.ceil(n / 2) : n)), {}, list([-1]), list([-1000]), list([axis]), list([-2]))
        break
      case 6:
        if (along) put('ReduceMax', shape.map((n, i) => (i === axis ? 1 : n)), { axes: [axis] })
        else put('Gather', shape.map((n, i) => (i === axis ? 3 : n)), { axis }, list([draw(shape[axis]!), -1, 0]))
        break
      case 7:
        if (along) put('MatMul', [...shape.slice(0, -1), 3], {}, randomTensor(`matrix-${k}`, [shape.at(-1)!, 3]))
        else if (shape.length < 5) put('Unsqueeze', [...shape.slice(0, axis), 1, ...shape.slice(axis)], {}, list([axis]))
        break
      default:
        put('Pad', shape.map((n, i) => (i === axis ? n + 1 : n)), {}, list(shape.flatMap(() => 0).concat(shape.map((_, i) => (i === axis ? 1 : 0)))))
    }
  }
  put('Identity', chain.shape)
  return chain
}

function joined(shape: readonly number[], axis: number): number[] {
  return [...shape.slice(0, axis - 1), shape[axis - 1]! * shape[axis]!, ...shape.slice(axis + 1)]
}

test('chains of moves give what their evaluation at import gives', () => {
  fc.assert(fc.property(fc.array(fc.integer({ min: 1, max: 4 }), { minLength: 2, maxLength: 4 }), fc.integer({ min: 1, max: 6 }), choices, (start, length, draws) => {
    const { nodes, weights } = chainOf(start, length, draws, false)
    const model = onnxModel({ nodes, inputs: [valueInfo('x', start)], outputs: [valueInfo(nodes.at(-1)!.outputs[0]!, [])], initializers: weights }, 17)
    const x = Float32Array.from({ length: sizeOf(start) }, (_, i) => i + 1)
    const known = new Map([['x', knownFloats(start, x)]])
    expectSame(runParts(model, { x }), runParts(model, {}, known), 'chain')
  }), { numRuns: 150 })
})

test('files made for one image give the same for each image of a batch, however they reshape', () => {
  const count = 2
  const images = randomImages(count, 4, 4, 3).data
  const first = channelsFirst(images, [count, 4, 4, 3])
  let batched = 0
  return fc.assert(fc.asyncProperty(fc.integer({ min: 1, max: 8 }), choices, async (length, draws) => {
    const start = [1, 3, 4, 4]
    const { nodes, weights, shape } = chainOf(start, length, draws, true)
    const features = sizeOf(shape)
    const whole = onnxModel({
      nodes: [...nodes, onnxNode('Reshape', [nodes.at(-1)!.outputs[0]!, 'one'], ['features']), onnxNode('MatMul', ['features', 'matrix'], ['logits'])],
      inputs: [valueInfo('x', start)], outputs: [valueInfo('logits', [1, 4])],
      initializers: [...weights, int64Tensor('one', [2], [1, features]), randomTensor('matrix', [features, 4])],
    }, 17)
    const graph = imported(whole)
    if (!graph.oneByOne) batched++
    const found = await logitsOf(graph, images, count)
    for (let i = 0; i < count; i++) {
      const image = first.subarray(i * 48, (i + 1) * 48)
      const alone = runParts(whole, { x: image })
      expect(worst(found.subarray(i * 4, (i + 1) * 4), Float32Array.from(alone[0]!.data))).toBeLessThan(1e-4)
    }
  }), { numRuns: 100 }).then(() => expect(batched).toBeGreaterThan(10))
})

test('what needs no input is known', () => {
  const model = onnxModel({
    nodes: [onnxNode('Shape', ['x'], ['sizes']), onnxNode('Gather', ['sizes', 'i'], ['n'])], inputs: [valueInfo('x', [2, 5])], outputs: [valueInfo('n', [])],
    initializers: [int64Tensor('i', [], [1])],
  }, 17)
  const parts = importOnnxParts(model, { known: new Map() })
  expect('needs' in parts ? parts : parts.outputs).toMatchObject([{ name: 'n', known: { shape: [], data: Float64Array.of(5) } }])
})

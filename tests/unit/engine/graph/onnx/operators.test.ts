import * as tf from '@tensorflow/tfjs-core'
import '@tensorflow/tfjs-backend-cpu'
import { describe, expect } from 'vitest'
import type { OnnxModel } from '#engine/graph/onnx-format/schema.ts'
import { onnxModel, onnxNode, valueInfo } from '#engine/graph/onnx-format/write.ts'
import { createRandom } from '#shared/random/random.ts'
import { onnxruntimeTest } from '../../../../onnx.ts'
import type { Draw, Drawn } from './operators/draw.ts'
import { diceOf } from './operators/draw.ts'
import { elementwise } from './operators/elementwise.ts'
import { products } from './operators/products.ts'
import { resizing } from './operators/resizing.ts'
import { sliders } from './operators/sliding.ts'
import type { Result } from './run-parts.ts'
import { runOnnxruntime, runParts, sizeOf, toLast } from './run-parts.ts'

const perOperator = 10

/** The node alone, or with each input of four axes given channels last and transposed. */
function modelOf({ node, data, weights, opset }: Drawn, channelsLast: boolean): OnnxModel {
  const isLast = (shape: readonly number[]): boolean => channelsLast && shape.length === 4
  const inputs = Object.entries(data).map(([name, shape]) => (isLast(shape) ? valueInfo(`${name}-last`, [0, 2, 3, 1].map((a) => shape[a]!)) : valueInfo(name, shape)))
  const moves = Object.entries(data).flatMap(([name, shape]) => (isLast(shape) ? [onnxNode('Transpose', [`${name}-last`], [name], { perm: [0, 3, 1, 2] })] : []))
  const outputs = node.outputs.map((name) => ({ name, type: { tensor: { elementType: name === 'indices' ? 7 : 1, shape: undefined } } }))
  return onnxModel({ nodes: [...moves, node], inputs, outputs, initializers: weights }, opset)
}

function check(name: string, draw: Draw): void {
  onnxruntimeTest(name, async () => {
    await tf.setBackend('cpu')
    for (let seed = 0; seed < perOperator; seed++) {
      const given = draw(diceOf(seed, name))
      const random = createRandom(seed, `${name} data`)
      const floats = Object.fromEntries(Object.entries(given.data).map(([key, shape]) => [key, Float32Array.from({ length: sizeOf(shape) }, () => (given.positive ? random.between(0.3, 2) : random.normal()))]))
      const model = modelOf(given, false)
      const said = `seed ${seed}: ${JSON.stringify({ data: given.data, opset: given.opset, inputs: given.node.inputs, attributes: given.node.attributes.map((a) => [a.name, a.i, a.f, a.s, a.ints]), weights: given.weights.map((w) => [w.name, w.dims]) })}`
      const expected = await runOnnxruntime(model, floats)
      expectNear(runParts(model, floats), expected!, said)
      const last = Object.fromEntries(Object.entries(floats).map(([key, values]) => (given.data[key]!.length === 4 ? [`${key}-last`, toLast(values, given.data[key]!)] : [key, values])))
      expectNear(runParts(modelOf(given, true), last), expected!, `channels last, ${said}`)
    }
  })
}

function expectNear(found: readonly Result[], expected: readonly Result[], what: string): void {
  expect(found.map((f) => f.shape), what).toEqual(expected.map((e) => [...e.shape]))
  for (const [k, { data }] of expected.entries()) {
    const scale = data.reduce((most, v) => Math.max(most, Math.abs(v)), 1)
    const worst = data.reduce((most, v, i) => Math.max(most, Math.abs(v - found[k]!.data[i]!)), 0)
    expect(worst / scale, what).toBeLessThan(2e-5)
  }
}

describe('forward of every operator against ONNX Runtime, random attributes and shapes', () => {
  for (const [name, draw] of Object.entries({ ...sliders, ...products, ...elementwise, ...resizing })) check(name, draw)
})

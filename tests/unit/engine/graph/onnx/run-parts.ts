import * as tf from '@tensorflow/tfjs-core'
import '@tensorflow/tfjs-backend-cpu'
import type { Tensor } from '@tensorflow/tfjs-core'
import { expect } from 'vitest'
import { importOnnxParts } from '#engine/graph/import/onnx/onnx-parts.ts'
import type { Known } from '#engine/graph/import/onnx/value.ts'
import { loadOnnxruntime } from '#engine/graph/onnxruntime/runtime.ts'
import type { OnnxModel, OnnxNode } from '#engine/graph/onnx-format/schema.ts'
import { elementTypes } from '#engine/graph/onnx-format/schema.ts'
import { int64Tensor, onnxModel, onnxNode, valueInfo, writeOnnx } from '#engine/graph/onnx-format/write.ts'
import { forwardPass, planPasses, disposeAll } from '#engine/graph/tfjs/passes.ts'
import { createWeightStore } from '#engine/graph/tfjs/weight-store.ts'
import { createRandom } from '#shared/random/random.ts'

export interface Result {
  shape: readonly number[]
  data: readonly number[]
}

/** One ONNX node with its inputs: shapes of float data, or whole numbers that are known. */
export interface Case {
  node: OnnxNode
  data: Record<string, readonly number[]>
  known?: Record<string, readonly number[] | number>
  opset?: number
  outputType?: number
}

/** Runs what the importer makes of a model, in TF.js on the processor. */
export function runParts(model: OnnxModel, given: Readonly<Record<string, Float32Array>>, known: ReadonlyMap<string, Known> = new Map()): Result[] {
  const parts = importOnnxParts(model, { known })
  if ('needs' in parts) throw new Error(`needs ${parts.needs.join(', ')}`)
  const { nodes } = parts.graph
  const wanted = parts.outputs.flatMap((o) => ('node' in o ? [o.node] : []))
  const weights = createWeightStore()
  const values: (Tensor | null)[] = []
  const index = new Map(nodes.map((n, i) => [n.name, i]))
  const name = new Map(parts.inputs.map((i) => [i.node, i.name]))
  try {
    forwardPass(planPasses(nodes, wanted, null), weights, 1, values, (node) => tf.tensor(given[name.get(node.name)!]!, [...node.shape], 'float32'))
    return parts.outputs.map((o) => {
      if ('known' in o) return { shape: o.known.shape, data: [...o.known.data] }
      const node = nodes[index.get(o.node)!]!
      const tensor = values[index.get(o.node)!]!
      expect(tensor.shape).toEqual([...node.shape])
      return { shape: tensor.shape, data: [...tensor.dataSync()] }
    })
  } finally {
    disposeAll(values)
    weights.dispose()
  }
}

/** What ONNX Runtime makes of it, or null where it is not installed. */
export async function runOnnxruntime(model: OnnxModel, given: Readonly<Record<string, Float32Array>>): Promise<Result[] | null> {
  const { ort } = await loadOnnxruntime()
  if (!ort) return null
  const session = await ort.InferenceSession.create(writeOnnx(model), { graphOptimizationLevel: 'disabled', logSeverityLevel: 4 })
  const feeds = Object.fromEntries(model.graph.inputs.map((i) => [i.name, new ort.Tensor('float32', given[i.name]!, i.type!.tensor!.shape!.dims.map((d) => d.value!))]))
  const results = await session.run(feeds)
  const found = model.graph.outputs.map((o) => ({ shape: results[o.name]!.dims, data: Array.from(results[o.name]!.data as Iterable<number | bigint>, Number) }))
  await session.release()
  return found
}

export function modelOf({ node, data, known = {}, opset = 17, outputType = elementTypes.float }: Case): OnnxModel {
  return onnxModel({
    nodes: [node],
    inputs: Object.entries(data).map(([name, shape]) => valueInfo(name, shape)),
    outputs: node.outputs.filter((o) => o !== '').map((name) => ({ name, type: { tensor: { elementType: outputType, shape: undefined } } })),
    initializers: Object.entries(known).map(([name, values]) => (typeof values === 'number' ? int64Tensor(name, [], [values]) : int64Tensor(name, [values.length], values))),
  }, opset)
}

/** The same node, reading each input of four axes as a transposition of what is given channels last. */
function channelsLast(given: Case): { model: OnnxModel; orders: Map<string, readonly number[]> } {
  const orders = new Map(Object.entries(given.data).flatMap(([name, shape]) => (shape.length === 4 ? [[name, [0, 2, 3, 1]] as const] : [])))
  const model = modelOf(given)
  const nodes = [...orders].map(([name]) => onnxNode('Transpose', [`${name}-last`], [name], { perm: [0, 3, 1, 2] }))
  const inputs = model.graph.inputs.map((input) => {
    const order = orders.get(input.name)
    const shape = given.data[input.name]!
    return order ? valueInfo(`${input.name}-last`, order.map((axis) => shape[axis]!)) : input
  })
  return { model: { ...model, graph: { ...model.graph, nodes: [...nodes, ...model.graph.nodes], inputs } }, orders }
}

/**
 * Holds four ways against each other: the node computed by the graph, computed from values stored channels last, evaluated at
 * import, and run by ONNX Runtime where that is installed.
 */
export async function checkCase(given: Case): Promise<void> {
  await tf.setBackend('cpu')
  const random = createRandom(1, given.node.opType)
  const floats = Object.fromEntries(Object.entries(given.data).map(([name, shape]) => [name, Float32Array.from({ length: sizeOf(shape) }, () => random.normal())]))
  const model = modelOf(given)
  const computed = runParts(model, floats)
  const expected = (await runOnnxruntime(model, floats)) ?? computed
  expectSame(computed, expected, 'computed')

  const { model: last, orders } = channelsLast(given)
  const moved = Object.fromEntries(Object.entries(floats).map(([name, data]) => [orders.has(name) ? `${name}-last` : name, orders.has(name) ? toLast(data, given.data[name]!) : data]))
  expectSame(runParts(last, moved), expected, 'channels last')

  const bound = new Map(Object.entries(floats).map(([name, data]): [string, Known] => [name, { kind: 'known', shape: given.data[name]!, type: elementTypes.float, data }]))
  expectSame(runParts(model, {}, bound), expected, 'known')
}

export function expectSame(found: readonly Result[], expected: readonly Result[], what: string): void {
  expect(found.map((f) => f.shape), what).toEqual(expected.map((e) => [...e.shape]))
  for (const [k, { data }] of expected.entries()) {
    const worst = data.reduce((most, v, i) => Math.max(most, v === found[k]!.data[i] ? 0 : Math.abs(v - found[k]!.data[i]!)), 0)
    expect(worst, what).toBeLessThan(1e-5)
  }
}

export function toLast(data: Float32Array, [n, c, h, w]: readonly number[]): Float32Array {
  const moved = new Float32Array(data.length)
  let to = 0
  for (let i = 0; i < n!; i++) for (let y = 0; y < h!; y++) for (let x = 0; x < w!; x++) for (let k = 0; k < c!; k++) moved[to++] = data[((i * c! + k) * h! + y) * w! + x]!
  return moved
}

export function sizeOf(shape: readonly number[]): number {
  return shape.reduce((product, n) => product * n, 1)
}


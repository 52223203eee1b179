import * as tfl from '@tensorflow/tfjs-layers'
import { beforeAll, describe, expect, test } from 'vitest'
import { selectBackend } from '#engine/backend/select.ts'
import { loadClassifier, plainUse } from '#engine/classifier/load.ts'
import { deletesMarked, methods } from '#engine/methods/registry.ts'
import { rankCorrelation } from '#engine/metrics/rank-correlation.ts'
import type { ExecutorId } from '#shared/domain/executor.ts'
import { whyNot } from '#shared/domain/method.ts'
import type { ModelSource } from '#shared/domain/model.ts'
import { resolveParameters } from '#shared/domain/parameters.ts'
import { tinyOnnx } from '../../../fixtures/tiny-onnx.ts'
import { onnxruntimeTest } from '../../../onnx.ts'
import { attribute, graphDef } from '../graph/graph-def.ts'
import { plain, randomise, sourceOf } from '../graph/models.ts'
import { randomImages, run } from './method-runs.ts'

const side = 16

/** So little work that all methods take a second or two; the map need not be good. */
const quick: Readonly<Record<string, Record<string, unknown>>> = {
  'neuromask': { iterations: 6, resolution: 8, starts: 1 },
  'sensitivity-mask': { queries: 120, resolution: 6, pairs: 4, starts: 1 },
  'de-cam': { queries: 300, segments: 6 },
  'random-search': { queries: 300, segments: 6 },
  'meaningful-perturbation': { iterations: 4, start: 'uniform' },
  'extremal-perturbation': { iterations: 4 },
  'igos-plus-plus': { iterations: 3, 'path-steps': 2, optimiser: 'nesterov', 'area-weight': 0.01, 'learning-rate': 10 },
  'smoothgrad': { samples: 4 },
  'vargrad': { samples: 4 },
  'integrated-gradients': { steps: 6 },
  'rise': { masks: 32 },
  'lime': { samples: 40, segments: 8 },
  'kernel-shap': { samples: 40, segments: 8 },
}

async function layersModel(): Promise<ModelSource> {
  await selectBackend('cpu')
  const { layers } = tfl
  const model = tfl.sequential({ layers: [
    layers.conv2d({ inputShape: [side, side, 3], filters: 8, kernelSize: 3, padding: 'same', activation: 'relu' }),
    layers.globalAveragePooling2d({}), layers.dense({ units: 4, activation: 'softmax' }),
  ] })
  randomise(model, 5)
  const source = await sourceOf(model)
  model.dispose()
  return source
}

function graphModel(): ModelSource {
  const g = graphDef([side, side, 3])
  const window = { strides: attribute.ints([1, 1, 1, 1]), dilations: attribute.ints([1, 1, 1, 1]), padding: attribute.text('SAME'), data_format: attribute.text('NHWC') }
  const conv = g.node('conv', 'Conv2D', ['input', g.weight('filter', [3, 3, 3, 8])], window)
  const relu = g.node('relu', 'Relu', [g.node('biased', 'BiasAdd', [conv, g.weight('bias', [8])], { data_format: attribute.text('NHWC') })])
  const pooled = g.node('pooled', 'Mean', [relu, g.constant('places', [1, 2])], { keep_dims: attribute.bool(false) })
  g.node('probabilities', 'Softmax', [g.node('logits', 'MatMul', [pooled, g.weight('matrix', [8, 4])], { transpose_a: attribute.bool(false), transpose_b: attribute.bool(false) })])
  return g.source()
}

const onnx = (opaque = false): ModelSource => ({
  name: 'tiny', sha256: '0', format: 'onnx', bytes: tinyOnnx({ opaque }).bytes, external: {}, preprocessing: plain, labels: null, head: undefined,
})

const images = randomImages(1, side, side, 3, 8)
/** A square in the middle. */
const object = Uint8Array.from({ length: side * side }, (_, i) => (Math.abs((i % side) - 7.5) < 4 && Math.abs(Math.floor(i / side) - 7.5) < 4 ? 1 : 0))

/** Every method that the model suffices for, to its end. @returns the maps, by id */
async function all(source: ModelSource, executor: ExecutorId, backend: 'cpu' | 'wasm'): Promise<Map<string, Float32Array>> {
  await selectBackend(backend)
  const classifier = await loadClassifier(source, { ...plainUse, executor })
  expect(classifier.info.executor.id).toBe(executor)
  const maps = new Map<string, Float32Array>()
  for (const method of methods) {
    if (whyNot(method, classifier.info, true) !== null) continue
    // On a classifier that gives outputs alone the members of a consensus are such, too.
    const set = method.id === 'consensus' && classifier.info.access === 'query' ? { methods: 'occlusion,center' } : (quick[method.id] ?? {})
    const { steps, explanations: [explanation] } = await run(method.id, classifier, images, set, { objects: [object] })
    const { saliency, evaluations, range: [low, high], target } = explanation!
    expect([saliency.height, saliency.width, target], method.id).toEqual([side, side, 1])
    expect(saliency.data.every((value) => Number.isFinite(value) && value >= low - 1e-6 && value <= high + 1e-6), method.id).toBe(true)
    if (method.id !== 'uniform') expect(new Set(saliency.data).size, method.id).toBeGreaterThan(1)
    expect(evaluations.forward, method.id).toBeGreaterThan(0)
    expect(evaluations.backward > 0, method.id).toBe(method.access === 'gradient' || (method.id === 'consensus' && classifier.info.access === 'gradient'))
    expect(steps.at(-1)!.iteration, method.id).toBe(steps.at(-1)!.iterations)
    maps.set(method.id, saliency.data)
  }
  classifier.dispose()
  return maps
}

function expectAlike(found: ReadonlyMap<string, Float32Array>, reference: ReadonlyMap<string, Float32Array>): void {
  expect([...found.keys()]).toEqual([...reference.keys()])
  for (const [id, map] of found) if (id !== 'uniform') expect(rankCorrelation(map, reference.get(id)!), id).toBeGreaterThan(0.99)
}

test('which masked images lack what the mask marks', () => {
  const usual = methods.filter((method) => deletesMarked(method.id, resolveParameters(method, {}))).map(({ id }) => id)
  expect(usual).toEqual(['meaningful-perturbation', 'igos-plus-plus'])
  const asked = methods.filter(({ parameters }) => parameters.some(({ name }) => name === 'mode'))
    .filter((method) => deletesMarked(method.id, resolveParameters(method, { mode: 'delete' }))).map(({ id }) => id)
  expect(asked).toEqual(['neuromask', 'sensitivity-mask', 'de-cam', 'meaningful-perturbation', 'extremal-perturbation', 'random-search'])
  expect(deletesMarked('of-another-version', {})).toBe(false)
})

describe.each([['a layers model', layersModel], ['a graph model', graphModel], ['an ONNX model', onnx]] as const)('every method on %s', (_, make) => {
  let reference: Map<string, Float32Array>

  beforeAll(async () => {
    reference = await all(await make(), 'tfjs', 'cpu')
  }, 120_000)

  test('on the reference backend', () => expect([...reference.keys()]).toEqual(methods.map(({ id }) => id)))

  test('the same on WASM', async () => expectAlike(await all(await make(), 'tfjs', 'wasm'), reference), 120_000)

  onnxruntimeTest('the same by ONNX Runtime', async () => expectAlike(await all(await make(), 'onnxruntime', 'wasm'), reference), 120_000)
})

onnxruntimeTest('on a file that cannot be looked into, every method that asks for outputs alone', async () => {
  const maps = await all(onnx(true), 'onnxruntime', 'wasm')
  expect([...maps.keys()]).toEqual(methods.filter(({ access, needs = [] }) => access === 'query' && !needs.includes('layers')).map(({ id }) => id))
  expect(maps.size).toBeGreaterThan(10)
}, 120_000)

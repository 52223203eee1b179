import { readFile } from 'node:fs/promises'
import { describe, expect } from 'vitest'
import { selectBackend } from '#engine/backend/select.ts'
import type { Graph } from '#engine/graph/graph.ts'
import { nodeNamed } from '#engine/graph/graph.ts'
import { importOnnx } from '#engine/graph/import/onnx/onnx-model.ts'
import { readTensor } from '#engine/graph/onnx-format/read.ts'
import { tensorValues } from '#engine/graph/onnx-format/tensor.ts'
import { simplify } from '#engine/graph/simplify/simplify.ts'
import { createOnnxruntimeExecutor } from '#engine/graph/onnxruntime/executor.ts'
import { createTfjsExecutor } from '#engine/graph/tfjs/executor.ts'
import type { Preprocessing } from '#shared/domain/model.ts'
import { dataPath, dataTest } from '../data.ts'
import { hasOnnxruntime } from '../onnx.ts'

const plain: Preprocessing = {
  fit: 'squash', cropFraction: 0.875, resizeFilter: 'lanczos3', range: [0, 1], mean: [0, 0, 0], std: [1, 1, 1], channelOrder: 'rgb',
}

/** Nodes of the simplified graph, and changes of layout that really move data. */
const models: Record<string, { nodes: number; transposes: number }> = {
  bvlc_alexnet: { nodes: 15, transposes: 0 },
  densenet121: { nodes: 310, transposes: 0 },
  inception_v1: { nodes: 85, transposes: 0 },
  inception_v2: { nodes: 95, transposes: 0 },
  resnet50: { nodes: 90, transposes: 0 },
  // the channel shuffles themselves
  shufflenet: { nodes: 137, transposes: 16 },
  squeezenet: { nodes: 40, transposes: 0 },
  vgg19: { nodes: 26, transposes: 0 },
  zfnet512: { nodes: 15, transposes: 0 },
}

/** Of hundreds of megabytes and billions of multiply-adds; what is asked is whether they are read rightly, by the faster executor. */
const large = ['bvlc_alexnet', 'vgg19', 'zfnet512']

const path = (file: string): string => dataPath('models', 'onnx-light', file)

async function load(name: string): Promise<{ graph: Graph; takenOff: boolean }> {
  const imported = importOnnx({ bytes: await readFile(path(`light_${name}.onnx`)), external: {} })
  const { graph } = simplify(imported, { preprocessing: plain, head: undefined, labels: null })
  return { graph, takenOff: graph.notes.some((note) => note.includes('softmax is taken off')) }
}

/** arange(n)/n in the file's layout, channels first, as images. */
function ramp(height: number, width: number, channels: number): Float32Array {
  const size = height * width * channels
  return Float32Array.from({ length: size }, (_, i) => ((i % channels) * height * width + Math.floor(i / channels)) / size)
}

function softmax(logits: Float32Array): Float32Array {
  const largest = logits.reduce((a, b) => Math.max(a, b), -Infinity)
  const powers = logits.map((v) => Math.exp(v - largest))
  const sum = powers.reduce((a, b) => a + b, 0)
  return powers.map((v) => v / sum)
}

describe('classifiers of the ONNX project', () => {
  for (const [name, { nodes, transposes }] of Object.entries(models)) {
    dataTest(`${name} agrees with its recorded output`, async () => {
      await selectBackend('wasm')
      const { graph, takenOff } = await load(name)
      expect(graph.nodes.length).toBe(nodes)
      expect(graph.nodes.filter((n) => n.op === 'transpose').length).toBe(transposes)
      const [, height, width, channels] = nodeNamed(graph, graph.input).shape as [number, number, number, number]
      const executor = large.includes(name) && hasOnnxruntime ? await createOnnxruntimeExecutor(graph, 'softmax') : createTfjsExecutor(graph, 'softmax')
      const logits = await executor.forward(ramp(height, width, channels), 1)
      executor.dispose()
      const expected = tensorValues(readTensor(await readFile(path(`light_${name}_output_0.pb`))), {}).data
      const found = takenOff ? softmax(logits) : logits
      expect(found.length).toBe(expected.length)
      expect(found.reduce((most, v, i) => Math.max(most, Math.abs(v - expected[i]!)), 0)).toBeLessThan(1e-3)
    }, 120_000)
  }
})

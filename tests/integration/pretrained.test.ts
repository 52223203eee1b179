import process from 'node:process'
import { beforeAll, expect } from 'vitest'
import { selectBackend } from '#engine/backend/select.ts'
import type { ExecutorId } from '#shared/domain/executor.ts'
import type { ImageBatch } from '#shared/domain/image.ts'
import { batchesOf, loadPretrained, logitsOf, pretrainedNetworks, recognised, samplesOf, type Sample } from '../../scripts/evidence/pretrained-networks.ts'
import { dataTest } from '../data.ts'
import { hasOnnxruntime } from '../onnx.ts'

const root = process.env['MASKSCOPE_DATA'] ?? ''

beforeAll(async () => {
  await selectBackend('wasm')
})

const samplesBy: Record<string, Promise<Sample[]>> = {}
const batchesBy: Record<string, Promise<ImageBatch[]>> = {}

/** On TF.js the smaller files of each format; ONNX Runtime is fast enough for all. */
const quickOnTfjs = ['imagenet/mobilenet_v1_0.25_128/layers', 'imagenet/mobilenet_v1_0.25_128/graph', 'imagenet/mobilenet_v1_0.25_128', 'cifar10/resnet_2b']

for (const network of pretrainedNetworks) {
  const executors: ExecutorId[] = [...(quickOnTfjs.includes(network.folder) || !hasOnnxruntime ? ['tfjs' as const] : []), ...(hasOnnxruntime ? ['onnxruntime' as const] : [])]
  for (const executor of executors) {
    dataTest(`${network.folder} on ${executor} recognises as many images as measured elsewhere, within two`, async () => {
      const classifier = await loadPretrained(root, network, executor)
      expect(classifier.info.access).toBe('gradient')
      expect(classifier.info.executor.id).toBe(executor)
      const samples = await (samplesBy[network.data] ??= samplesOf(root, network.data))
      // Networks that see the photos alike share them: preparing takes longer than asking.
      const batches = await (batchesBy[JSON.stringify([classifier.info.input, network.preprocessing])] ??= batchesOf(classifier, samples, 10))
      const found = recognised(await logitsOf(classifier, batches), network, samples)
      classifier.dispose()
      expect(Math.abs(found.top1 - network.known.top1), `top-1 ${found.top1}`).toBeLessThanOrEqual(2)
      if (network.known.top5 !== null) expect(Math.abs(found.top5 - network.known.top5), `top-5 ${found.top5}`).toBeLessThanOrEqual(2)
    }, 120_000)
  }
}

import { readFileSync } from 'node:fs'
import path from 'node:path'
import sharp from 'sharp'
import { expect } from 'vitest'
import { selectBackend } from '#engine/backend/select.ts'
import type { Classifier } from '#engine/classifier/classifier.ts'
import { loadClassifier, plainUse } from '#engine/classifier/load.ts'
import type { ImageBatch } from '#shared/domain/image.ts'
import type { ModelSource, Preprocessing, WeightSpec } from '#shared/domain/model.ts'
import type { Score } from '#shared/domain/score.ts'
import { dataPath, dataTest } from '../data.ts'
import { hasOnnxruntime } from '../onnx.ts'
import { plain } from '../unit/engine/graph/models.ts'

const mobilenet: Preprocessing = { ...plain, range: [-1, 1] }
const cifar: Preprocessing = { ...plain, mean: [0.485, 0.456, 0.406], std: [0.229, 0.224, 0.225] }

function tfjsSource(folder: string): ModelSource {
  const model = JSON.parse(readFileSync(path.join(folder, 'model.json'), 'utf8')) as {
    format: string; modelTopology: unknown; weightsManifest: { paths: string[]; weights: WeightSpec[] }[]
  }
  return {
    name: path.basename(path.dirname(folder)), sha256: '', format: model.format === 'graph-model' ? 'tfjs-graph' : 'tfjs-layers', topology: model.modelTopology,
    weightSpecs: model.weightsManifest.flatMap((g) => g.weights),
    weightData: new Uint8Array(Buffer.concat(model.weightsManifest.flatMap((g) => g.paths.map((p) => readFileSync(path.join(folder, p)))))),
    preprocessing: mobilenet, labels: null, head: undefined,
  }
}

function onnxSource(name: string, preprocessing: Preprocessing): ModelSource {
  const bytes = readFileSync(dataPath('models', name, 'model.onnx'))
  return { format: 'onnx', name, sha256: '', bytes, external: {}, preprocessing, labels: null, head: undefined }
}

/** Two sample photos, the second half covered by grey, as masks leave images. */
async function photos({ height, width }: { height: number; width: number }): Promise<ImageBatch> {
  const files = readFileSync(dataPath('imagenet-samples', 'labels.csv'), 'utf8').trim().split('\n').slice(1, 3).map((line) => line.split(',')[0]!)
  const pictures = await Promise.all(files.map(async (file) => sharp(dataPath('imagenet-samples', file)).removeAlpha().toColourspace('srgb').resize(width, height, { fit: 'fill' }).raw().toBuffer()))
  const data = Float32Array.from(Buffer.concat(pictures), (v) => v / 255)
  data.fill(0.5, data.length * 0.75)
  return { count: 2, height, width, channels: 3, data }
}

interface Agreement {
  /** Largest difference, relative to the largest gradient. */
  largest: number
  correlation: number
}

function agreement(a: Float32Array, b: Float32Array): Agreement {
  const mean = (values: Float32Array): number => values.reduce((sum, v) => sum + v, 0) / values.length
  const [meanA, meanB] = [mean(a), mean(b)]
  let [ab, aa, bb, largest, size] = [0, 0, 0, 0, 0]
  a.forEach((v, i) => {
    ab += (v - meanA) * (b[i]! - meanB)
    aa += (v - meanA) ** 2
    bb += (b[i]! - meanB) ** 2
    largest = Math.max(largest, Math.abs(v - b[i]!))
    size = Math.max(size, Math.abs(b[i]!))
  })
  return { largest: largest / size, correlation: ab / Math.sqrt(aa * bb) }
}

async function gradients(classifier: Classifier, images: ImageBatch): Promise<Float32Array> {
  const top = (await classifier.logits(images)).subarray(0, classifier.info.classes)
  const target = top.indexOf(Math.max(...top))
  const scores = Array.from({ length: images.count }, (): Score => ({ kind: 'log-odds', target }))
  const { gradient } = await classifier.scoreGradient(images, scores)
  classifier.dispose()
  return gradient
}

/**
 * The last number: the largest difference allowed. In MobileNet V2 rounding takes single values to the other side of a
 * kink of ReLU6: of 12 million, 3 for the first photo, and for the second 1352 alike, below the grey, in one channel.
 */
const models: readonly [string, () => ModelSource, number][] = [
  ['mobilenet_v1_0.25_128 of TF.js', () => tfjsSource(dataPath('models', 'imagenet', 'mobilenet_v1_0.25_128', 'layers')), 1e-3],
  ['mobilenet_v2_1.0_224 of TF.js', () => tfjsSource(dataPath('models', 'imagenet', 'mobilenet_v2_1.0_224', 'graph-uint8')), 0.1],
  ['mobilenet_v1_0.5_160 of ONNX', () => onnxSource('imagenet/mobilenet_v1_0.5_160', plain), 1e-3],
  ['resnet20 of ONNX', () => onnxSource('cifar10/resnet20', cifar), 1e-3],
  ['resnet_2b of ONNX', () => onnxSource('cifar10/resnet_2b', cifar), 1e-3],
]

for (const [name, source, allowed] of hasOnnxruntime ? models : []) {
  dataTest(`${name}: both executors find the same gradient`, async () => {
    await selectBackend('wasm')
    const onTfjs = await loadClassifier(source())
    const images = await photos(onTfjs.info.input)
    const expected = await gradients(onTfjs, images)
    const onOnnxruntime = await loadClassifier(source(), { ...plainUse, executor: 'onnxruntime' })
    expect(onOnnxruntime.info.executor.id).toBe('onnxruntime')
    const found = await gradients(onOnnxruntime, images)
    const size = expected.length / images.count
    for (let i = 0; i < images.count; i++) {
      const { largest, correlation } = agreement(found.subarray(i * size, (i + 1) * size), expected.subarray(i * size, (i + 1) * size))
      console.log(`${name}, photo ${i + 1}: largest difference ${largest.toExponential(1)} of the largest gradient, correlation ${correlation.toFixed(7)}`)
      expect(largest).toBeLessThan(allowed)
      expect(correlation).toBeGreaterThanOrEqual(0.999)
    }
  }, 60_000)
}

import { readFileSync } from 'node:fs'
import path from 'node:path'
import sharp from 'sharp'
import type { Classifier } from '#engine/classifier/classifier.ts'
import { loadClassifier, plainUse } from '#engine/classifier/load.ts'
import { prepareImage } from '#engine/classifier/prepare.ts'
import type { ExecutorId } from '#shared/domain/executor.ts'
import type { ImageBatch, Picture } from '#shared/domain/image.ts'
import type { ModelSource, Preprocessing, WeightSpec } from '#shared/domain/model.ts'

/** A pretrained network below MASKSCOPE_DATA, and what is known of it. */
export interface PretrainedNetwork {
  /** Below models/. */
  folder: string
  preprocessing: Preprocessing
  data: 'imagenet' | 'cifar10'
  /** Before the first class of the data comes a background class. */
  background: boolean
  /** Images recognised, as measured elsewhere on these very files: of 110 photos, or of 1,000 test images. */
  known: { top1: number; top5: number | null }
}

const photo: Preprocessing = {
  fit: 'crop', cropFraction: 0.875, resizeFilter: 'lanczos3', range: [-1, 1], mean: [0, 0, 0], std: [1, 1, 1], channelOrder: 'rgb',
}
const tiny = (mean: number[], std: number[]): Preprocessing => ({ ...photo, fit: 'squash', cropFraction: 1, range: [0, 1], mean, std })

export const pretrainedNetworks: readonly PretrainedNetwork[] = [
  { folder: 'imagenet/mobilenet_v1_0.25_128/layers', preprocessing: photo, data: 'imagenet', background: true, known: { top1: 48, top5: 74 } },
  { folder: 'imagenet/mobilenet_v1_0.25_128/graph', preprocessing: photo, data: 'imagenet', background: true, known: { top1: 48, top5: 74 } },
  { folder: 'imagenet/mobilenet_v1_0.25_128', preprocessing: photo, data: 'imagenet', background: false, known: { top1: 48, top5: 74 } },
  { folder: 'imagenet/mobilenet_v1_0.5_160', preprocessing: photo, data: 'imagenet', background: false, known: { top1: 73, top5: 88 } },
  { folder: 'imagenet/mobilenet_v2_1.0_224/graph-uint8', preprocessing: photo, data: 'imagenet', background: true, known: { top1: 91, top5: 105 } },
  {
    folder: 'cifar10/resnet20', preprocessing: tiny([0.485, 0.456, 0.406], [0.229, 0.224, 0.225]), data: 'cifar10', background: false,
    known: { top1: 915, top5: null },
  },
  {
    folder: 'cifar10/resnet_2b', preprocessing: tiny([0.4914, 0.4822, 0.4465], [0.2471, 0.2435, 0.2616]), data: 'cifar10', background: false,
    known: { top1: 703, top5: null },
  },
]

/** A network on one executor. @param root MASKSCOPE_DATA */
export function loadPretrained(root: string, network: PretrainedNetwork, executor: ExecutorId): ReturnType<typeof loadClassifier> {
  return loadClassifier(sourceOf(path.join(root, 'models', network.folder), network), { ...plainUse, executor, threads: 2 })
}

function sourceOf(folder: string, { folder: name, preprocessing, data, background }: PretrainedNetwork): ModelSource {
  const common = { name, sha256: '0'.repeat(64), preprocessing, labels: null, head: data === 'cifar10' || !background ? 'softmax' : undefined } as const
  if (!/\/(layers|graph(-uint8)?)$/.test(name)) return { ...common, format: 'onnx', bytes: readFileSync(path.join(folder, 'model.onnx')), external: {} }
  const model = JSON.parse(readFileSync(path.join(folder, 'model.json'), 'utf8')) as {
    format: string; modelTopology: unknown; weightsManifest: { paths: string[]; weights: WeightSpec[] }[]
  }
  return {
    ...common, format: model.format === 'graph-model' ? 'tfjs-graph' : 'tfjs-layers', topology: model.modelTopology,
    weightSpecs: model.weightsManifest.flatMap((group) => group.weights),
    weightData: new Uint8Array(Buffer.concat(model.weightsManifest.flatMap((group) => group.paths.map((shard) => readFileSync(path.join(folder, shard)))))),
  }
}

export interface Sample {
  picture: Picture
  /** Class of the data, without a background. */
  label: number
}

/** The 110 sample photos, or the 1,000 test images of CIFAR-10. */
export async function samplesOf(root: string, data: PretrainedNetwork['data']): Promise<Sample[]> {
  if (data === 'cifar10') return cifarSamples(path.join(root, 'cifar10', 'test_batch_0000-0999.bin'))
  const folder = path.join(root, 'imagenet-samples')
  const lines = readFileSync(path.join(folder, 'labels.csv'), 'utf8').trim().split('\n').slice(1)
  return Promise.all(lines.map(async (line) => {
    const [file, label] = line.split(',')
    const { data: pixels, info } = await sharp(path.join(folder, file!)).rotate().flatten({ background: '#fff' }).toColourspace('srgb').raw().toBuffer({ resolveWithObject: true })
    const rgb = info.channels === 3 ? pixels : Uint8Array.from({ length: info.width * info.height * 3 }, (_, i) => pixels[Math.floor(i / 3) * info.channels]!)
    return { picture: { width: info.width, height: info.height, data: rgb }, label: Number(label) }
  }))
}

/** One byte for the class, then the planes R, G and B of 32×32 pixels each. */
function cifarSamples(file: string): Sample[] {
  const bytes = readFileSync(file)
  const plane = 32 * 32
  return Array.from({ length: Math.floor(bytes.length / (1 + 3 * plane)) }, (_, n) => {
    const begin = n * (1 + 3 * plane)
    const data = Uint8Array.from({ length: 3 * plane }, (_value, i) => bytes[begin + 1 + (i % 3) * plane + Math.floor(i / 3)]!)
    return { picture: { width: 32, height: 32, data }, label: bytes[begin]! }
  })
}

/** The samples as the classifier takes them, in batches. */
export async function batchesOf(classifier: Classifier, samples: readonly Sample[], size: number): Promise<ImageBatch[]> {
  const { input, preprocessing } = classifier.info
  const perImage = input.height * input.width * input.channels
  const batches: ImageBatch[] = []
  for (let start = 0; start < samples.length; start += size) {
    const part = samples.slice(start, start + size)
    const data = new Float32Array(part.length * perImage)
    for (const [i, { picture }] of part.entries()) data.set((await prepareImage(picture, input, preprocessing)).image.data, i * perImage)
    batches.push({ count: part.length, ...input, data })
  }
  return batches
}

/** [samples, classes], row-major. */
export async function logitsOf(classifier: Classifier, batches: readonly ImageBatch[]): Promise<Float32Array> {
  const { classes } = classifier.info
  const all = new Float32Array(batches.reduce((sum, { count }) => sum + count, 0) * classes)
  let next = 0
  for (const batch of batches) {
    all.set(await classifier.logits(batch), next)
    next += batch.count * classes
  }
  return all
}

/** How many samples have their class first, and among the first five. @param logits [samples, classes] */
export function recognised(logits: Float32Array, { background }: PretrainedNetwork, samples: readonly Sample[]): { top1: number; top5: number } {
  const classes = logits.length / samples.length
  const found = { top1: 0, top5: 0 }
  samples.forEach(({ label }, i) => {
    const row = logits.subarray(i * classes, (i + 1) * classes)
    const own = row[label + (background ? 1 : 0)]!
    const above = row.reduce((n, z) => (z > own ? n + 1 : n), 0)
    if (above === 0) found.top1++
    if (above < 5) found.top5++
  })
  return found
}

import { readFileSync } from 'node:fs'
import path from 'node:path'
import sharp from 'sharp'
import { beforeAll, expect } from 'vitest'
import { selectBackend } from '#engine/backend/select.ts'
import { loadClassifier } from '#engine/classifier/load.ts'
import { prepareImage } from '#engine/classifier/prepare.ts'
import type { Picture } from '#shared/domain/image.ts'
import type { ModelSource, Preprocessing, WeightSpec } from '#shared/domain/model.ts'
import { dataPath, dataTest, hasData } from '../../../data.ts'

const preprocessing: Preprocessing = {
  fit: 'crop', cropFraction: 0.875, resizeFilter: 'lanczos3', range: [-1, 1], mean: [0, 0, 0], std: [1, 1, 1], channelOrder: 'rgb',
}

let samples: { picture: Picture; target: number }[] = []

beforeAll(async () => {
  await selectBackend('wasm')
  if (!hasData) return
  const folder = dataPath('imagenet-samples')
  const lines = readFileSync(path.join(folder, 'labels.csv'), 'utf8').trim().split('\n').slice(1)
  samples = await Promise.all(lines.map(async (line) => {
    const [file, index] = line.split(',')
    const { data, info } = await sharp(path.join(folder, file!)).rotate().flatten({ background: '#fff' }).toColourspace('srgb').raw().toBuffer({ resolveWithObject: true })
    return { picture: { width: info.width, height: info.height, data: rgb(data, info.channels) }, target: Number(index) }
  }))
}, 60_000)

function rgb(data: Uint8Array, channels: number): Uint8Array {
  if (channels === 3) return data
  return Uint8Array.from({ length: (data.length / channels) * 3 }, (_, i) => data[Math.floor(i / 3) * channels]!)
}

function sourceIn(folder: string): ModelSource {
  const model = JSON.parse(readFileSync(path.join(folder, 'model.json'), 'utf8')) as {
    format: string; modelTopology: unknown; weightsManifest: { paths: string[]; weights: WeightSpec[] }[]
  }
  return {
    name: path.basename(folder), sha256: '', format: model.format === 'graph-model' ? 'tfjs-graph' : 'tfjs-layers', topology: model.modelTopology,
    weightSpecs: model.weightsManifest.flatMap((g) => g.weights),
    weightData: new Uint8Array(Buffer.concat(model.weightsManifest.flatMap((g) => g.paths.map((p) => readFileSync(path.join(folder, p)))))),
    preprocessing, labels: null, head: undefined,
  }
}

/** How many of the 110 sample photos have their class first, and among the first five. */
async function counts(model: string): Promise<[number, number]> {
  const classifier = await loadClassifier(sourceIn(dataPath('models', 'imagenet', model)))
  let first = 0
  let five = 0
  for (const { picture, target } of samples) {
    const { image } = await prepareImage(picture, classifier.info.input, preprocessing)
    const logits = await classifier.logits(image)
    // class 0 of these networks is the background
    const own = logits[target + 1]!
    const above = logits.reduce((n, z) => (z > own ? n + 1 : n), 0)
    if (above === 0) first++
    if (above < 5) five++
  }
  classifier.dispose()
  return [first, five]
}

for (const [model, top1, top5] of [
  ['mobilenet_v1_0.25_128/layers', 48, 74],
  ['mobilenet_v1_0.25_128/graph', 48, 74],
  ['mobilenet_v2_1.0_224/graph-uint8', 91, 105],
] as const) {
  dataTest(`${model} recognises as many sample photos as measured elsewhere, within two`, async () => {
    const [first, five] = await counts(model)
    expect(Math.abs(first - top1), `top-1 ${first}`).toBeLessThanOrEqual(2)
    expect(Math.abs(five - top5), `top-5 ${five}`).toBeLessThanOrEqual(2)
    console.log(`${model}: top-1 ${first}, top-5 ${five} of ${samples.length}`)
  }, 300_000)
}

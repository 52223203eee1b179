import { existsSync } from 'node:fs'
import { readdir } from 'node:fs/promises'
import path from 'node:path'
import { selectBackend } from '#engine/backend/select.ts'
import type { Classifier } from '#engine/classifier/classifier.ts'
import { loadClassifier } from '#engine/classifier/load.ts'
import { findMethod } from '#engine/methods/registry.ts'
import { loadModel } from '#services/models.ts'
import type { ImageBatch } from '#shared/domain/image.ts'
import { resolveParameters, type ParameterValues } from '#shared/domain/parameters.ts'
import { createRandom } from '#shared/random/random.ts'
import { medians, rounded } from './timing.ts'

/** One TF.js ImageNet network below MASKSCOPE_DATA/models/imagenet: its name here and its model.json. */
async function findNetworks(): Promise<{ name: string; file: string }[]> {
  const root = path.resolve(process.env['MASKSCOPE_DATA'] ?? 'no-data', 'models', 'imagenet')
  if (!existsSync(root)) return []
  const networks: { name: string; file: string }[] = []
  for (const network of (await readdir(root)).sort()) {
    for (const form of ['layers', 'graph', 'graph-uint8']) {
      const file = path.join(root, network, form, 'model.json')
      if (existsSync(file)) networks.push({ name: `${network}/${form}`, file })
    }
  }
  return networks
}

export function randomImage({ height, width, channels }: { height: number; width: number; channels: number }): ImageBatch {
  const random = createRandom(1, 'bench')
  return { count: 1, height, width, channels, data: Float32Array.from({ length: height * width * channels }, () => random.uniform()) }
}

/** Steps of a run that goes on for as long as it is asked. */
export function endlessRun(classifier: Classifier, image: ImageBatch, set: ParameterValues): () => Promise<void> {
  const neuromask = findMethod('neuromask')
  const run = neuromask.explain({
    classifier, images: image, targets: [1], seeds: [1], signal: new AbortController().signal,
    // One start: a step of several is as many.
    parameters: resolveParameters(neuromask, { ...set, starts: 1, iterations: 20000 }),
  })
  return async () => {
    const step = await run.next()
    if (step.done) throw new Error('The run ended before the benchmark.')
  }
}

/**
 * One step of NeuroMask on every pretrained ImageNet network against one forward pass of the same network, on WASM, in
 * turns in one process: the published preset (a mask value per pixel) and ours. `ratioToForward` is that of the slower.
 */
export async function run(): Promise<object> {
  const found = await findNetworks()
  if (found.length === 0) {
    throw new Error('This benchmark needs the pretrained ImageNet networks: set MASKSCOPE_DATA to a folder with models/imagenet.')
  }
  await selectBackend('wasm')
  const networks: Record<string, object> = {}
  for (const { name, file } of found) {
    const { source } = await loadModel(file, { range: [-1, 1] })
    const classifier = await loadClassifier({ ...source, head: source.head ?? 'softmax' })
    const image = randomImage(classifier.info.input)
    const full = endlessRun(classifier, image, { preset: 'imagenet-demo' })
    const ours = endlessRun(classifier, image, { preset: 'maskscope' })
    // Past the compilation of the loops, the packing of the weights and the painting of most fills.
    for (let i = 0; i < 40; i++) {
      await full()
      await ours()
      await classifier.logits(image)
    }
    const milliseconds = await medians(
      { forward: async () => void (await classifier.logits(image)), full, ours }, 21,
    )
    classifier.dispose()
    networks[name] = {
      input: image.height,
      milliseconds: {
        forward: rounded(milliseconds.forward), full: rounded(milliseconds.full), maskscope: rounded(milliseconds.ours),
      },
      fullToForward: rounded(milliseconds.full / milliseconds.forward),
      maskscopeToForward: rounded(milliseconds.ours / milliseconds.forward),
      ratioToForward: rounded(Math.max(milliseconds.full, milliseconds.ours) / milliseconds.forward),
    }
  }
  return { backend: 'wasm', networks }
}

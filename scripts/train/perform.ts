import { existsSync } from 'node:fs'
import { readFile } from 'node:fs/promises'
import path from 'node:path'
import { isDeepStrictEqual } from 'node:util'
import { MaskscopeError } from '#shared/domain/errors.ts'
import { createFiles } from '#storage/files.ts'
import { encodeNpy, readNpy } from '#storage/npy.ts'
import type { Images, TrainingData } from './data.ts'
import { writeLayersModel } from './layers-model.ts'
import type { Network } from './networks.ts'
import { accuracyOn, trainNetwork, type EpochNews, type TrainingOptions, type TrainingState } from './train.ts'

export interface TrainingOrder {
  /** The data as written. */
  spec: string
  out: string
  epochs: number
  seed: number
  backend: string
  /** Names of the classes, where the person gave them. */
  labels?: readonly string[]
}

const settingsFile = 'training.json'
const checkpointFile = 'checkpoint.npy'

/**
 * Trains one network, or goes on with it, or does nothing where it is done.
 * @throws MaskscopeError 'usage' where the folder holds another training
 */
export async function performTraining(network: Network, data: TrainingData, order: TrainingOrder, say: (line: string) => void): Promise<void> {
  const folder = path.join(order.out, network.name)
  const images = data.half(network.half)
  const { height, width, channels } = images
  const options: TrainingOptions = {
    epochs: order.epochs, batch: 64, learningRate: 0.003, labelSmoothing: 0.05, classes: data.classes, seed: order.seed * 10 + network.seed,
    augmentation: { shift: height >= 24 ? 1 : 0, mirror: channels === 3, smooth: 0 },
  }
  const settings = { network: network.description, data: order.spec, images: images.count, size: [height, width, channels], ...options, backend: order.backend }
  const files = createFiles()
  await files.makeFolder(folder)
  await settle(folder, settings, files)
  const card = path.join(folder, 'model-card.json')
  if (existsSync(card) && 'scores' in (JSON.parse(await readFile(card, 'utf8')) as object)) return say(`${network.name}: trained already, in ${folder}`)
  const model = network.build(options.seed, { input: [height, width, channels], classes: data.classes })
  const sizes = [...model.weights, ...model.trainableWeights, ...model.trainableWeights].map(({ shape }) => shape.reduce<number>((a, b) => a * b!, 1))
  const before = await readCheckpoint(path.join(folder, checkpointFile), model.weights.length, sizes)
  let minutes = before?.minutes ?? 0
  let since = performance.now()
  const save = (scores?: object): Promise<void> => writeLayersModel(folder, model, cardOf(network, images, order, { settings, minutes, ...(scores && { scores }) }))
  await trainNetwork(model, images, options, before?.state, async (news, state) => {
    minutes += (performance.now() - since) / 60_000
    since = performance.now()
    await writeCheckpoint(path.join(folder, checkpointFile), state, minutes, files)
    say(lineOf(network.name, news, options.epochs, minutes))
  })
  const accuracy = accuracyOn(model, data.test)
  await save({ top1: accuracy, on: `the ${data.test.count.toLocaleString('en')} test images` })
  await files.remove(path.join(folder, checkpointFile))
  say(`${network.name}: ${(100 * accuracy).toFixed(2)}% of the ${data.test.count.toLocaleString('en')} test images right, ${minutes.toFixed(1)} min, written to ${folder}`)
}

function lineOf(name: string, { epoch, loss, accuracy }: EpochNews, epochs: number, minutes: number): string {
  return `${name}: epoch ${epoch} of ${epochs}, loss ${loss.toFixed(4)}, ${(100 * accuracy).toFixed(1)}% of the training images right, ${minutes.toFixed(1)} min`
}

/** A folder belongs to one training. */
async function settle(folder: string, settings: object, files: ReturnType<typeof createFiles>): Promise<void> {
  const file = path.join(folder, settingsFile)
  if (!existsSync(file)) return files.write(file, `${JSON.stringify(settings, null, 2)}\n`)
  const found = JSON.parse(await readFile(file, 'utf8')) as Record<string, unknown>
  const differing = Object.entries(settings).find(([key, value]) => !isDeepStrictEqual(found[key], value))
  if (differing) throw new MaskscopeError('usage', `${folder} holds a training with another "${differing[0]}" than this one. Choose another folder with --out, or remove this one.`, { subject: '--out' })
}

async function writeCheckpoint(file: string, { epoch, weights, moments }: TrainingState, minutes: number, files: ReturnType<typeof createFiles>): Promise<void> {
  const [steps, ...others] = moments
  const all = Float32Array.from([epoch, minutes, steps![0]!, ...[...weights, ...others].flatMap((values) => [...values])])
  await files.write(file, ...encodeNpy({ shape: [all.length], data: all }))
}

/** @param sizes of the weights and, after them, of the optimiser's moments */
async function readCheckpoint(file: string, weights: number, sizes: readonly number[]): Promise<{ state: TrainingState; minutes: number } | undefined> {
  if (!existsSync(file)) return undefined
  const { data } = await readNpy(file)
  const [epoch, minutes, steps] = data as Float32Array
  let offset = 3
  const arrays = sizes.map((size) => Float32Array.from(data.subarray(offset, (offset += size))))
  if (offset !== data.length) throw new MaskscopeError('storage', `${file} does not fit this network; remove it to begin anew.`, { subject: file })
  return { state: { epoch: epoch!, weights: arrays.slice(0, weights), moments: [Float32Array.of(steps!), ...arrays.slice(weights)] }, minutes: minutes! }
}

function cardOf(network: Network, { texts }: Images, order: TrainingOrder, training: { settings: Record<string, unknown>; minutes: number; scores?: object }): object {
  const { settings, minutes, scores } = training
  const { classes, augmentation, ...rest } = settings as { classes: number; augmentation: TrainingOptions['augmentation'] }
  const { shift, mirror, smooth } = augmentation
  return {
    name: `${path.basename(order.spec.replace(/^[a-z0-9]+:/, ''))} ${network.name}`,
    fit: 'squash', resizeFilter: 'bilinear', range: [0, 1], mean: [0], std: [1], channelOrder: 'rgb', head: 'softmax',
    labels: order.labels ?? Array.from({ length: classes }, (_, i) => texts[i] ?? String(i)),
    training: {
      ...rest,
      half: network.half === 'a' ? 'the training images of even number' : 'the training images of odd number',
      augmentation: [`shifts by up to ${shift} pixels`, ...(mirror ? ['mirroring'] : []), ...(smooth > 0 ? [`a share of ${smooth} mixed with itself smoothed by 3×3 pixels`] : [])].join(', '),
      optimizer: 'Adam; the rate rises linearly over the first steps and falls to 0 along half a cosine',
      minutes: Math.round(minutes * 10) / 10,
      command: `npm run train -- --data ${order.spec} --out DIR ${network.name} --epochs ${order.epochs} --seed ${order.seed}`,
    },
    ...(scores && { scores }),
  }
}

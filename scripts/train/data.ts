import { resolveData, type DataItem } from '#services/datasets.ts'
import { halfOf, type Half } from '#services/reconstruction/halves.ts'
import { inBatches } from '#services/batches.ts'
import { MaskscopeError } from '#shared/domain/errors.ts'

/** Images of one size with their classes. */
export interface Images {
  count: number
  height: number
  width: number
  channels: number
  /** [count, height, width, channels], 0 to 255 */
  pixels: Uint8Array
  classes: Uint8Array
  /** Names of the classes where the data set has them, by index. */
  texts: readonly (string | undefined)[]
}

export interface TrainingData {
  /** How many classes there are: one more than the largest label of the training part. */
  classes: number
  half(half: Half): Images
  test: Images
}

/**
 * The training and test part of `idx:DIR` (grey) or `cifar10:DIR` (colour).
 * @throws MaskscopeError 'usage' for any other data, 'input' where they cannot train a classifier
 */
export async function readTrainingData(spec: string): Promise<TrainingData> {
  const [, kind] = /^(idx|cifar10):[^#]+$/s.exec(spec) ?? []
  if (kind === undefined || spec.endsWith(':train')) {
    throw new MaskscopeError('usage', `"${spec}" cannot be trained on; give idx:DIR or cifar10:DIR, whose training and test parts are both read.`, { subject: '--data' })
  }
  const channels = kind === 'idx' ? 1 : 3
  const training = await readImages(await resolveData(`${spec}:train`), channels)
  const test = await readImages(await resolveData(spec), channels)
  const classes = training.classes.reduce((most, label) => Math.max(most, label), 0) + 1
  check(spec, training, test, classes)
  return { classes, half: (half) => halved(training, half), test }
}

function check(spec: string, training: Images, test: Images, classes: number): void {
  const wrong = (what: string): MaskscopeError => new MaskscopeError('input', `The data set ${spec} ${what}.`, { subject: '--data' })
  if (new Set(training.classes).size < 2) throw wrong('has images of one class only; a classifier needs at least two')
  for (const half of ['a', 'b'] as const) {
    const present = new Set(halved(training, half).classes)
    const missing = Array.from({ length: classes }, (_, i) => i).filter((label) => !present.has(label))
    if (missing.length > 0) throw wrong(`has no image of class ${missing.join(', ')} among its training images of ${half === 'a' ? 'even' : 'odd'} number, which one of the two classifiers learns from; add some`)
  }
  if (test.height !== training.height || test.width !== training.width) {
    throw wrong(`has training images of ${training.width}×${training.height} and test images of ${test.width}×${test.height} pixels; they must be of one size`)
  }
  if (Math.min(training.height, training.width) < 8) throw wrong(`has images of ${training.width}×${training.height} pixels; the networks need at least 8×8`)
  const unknown = test.classes.find((label) => label >= classes)
  if (unknown !== undefined) throw wrong(`has test images of class ${unknown}, of which there is no training image`)
}

async function readImages(items: readonly DataItem[], channels: number): Promise<Images> {
  const loaded = await inBatches(items, async (item) => ({ picture: await item.picture!(), label: await item.label!() }))
  const { width, height } = loaded[0]!.picture
  const size = width * height * channels
  const pixels = new Uint8Array(items.length * size)
  const texts: (string | undefined)[] = []
  loaded.forEach(({ picture, label }, n) => {
    for (let i = 0; i < width * height; i++) for (let c = 0; c < channels; c++) pixels[n * size + i * channels + c] = picture.data[3 * i + c]!
    texts[label!.index!] = label!.text
  })
  return { count: items.length, height, width, channels, pixels, classes: Uint8Array.from(loaded, ({ label }) => label!.index!), texts }
}

function halved(images: Images, half: Half): Images {
  const size = images.height * images.width * images.channels
  const chosen = halfOf(Array.from({ length: images.count }, (_, i) => i), half)
  const pixels = new Uint8Array(chosen.length * size)
  chosen.forEach((from, to) => pixels.set(images.pixels.subarray(from * size, (from + 1) * size), to * size))
  return { ...images, count: chosen.length, pixels, classes: Uint8Array.from(chosen, (i) => images.classes[i]!) }
}

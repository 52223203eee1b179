import * as tf from '@tensorflow/tfjs-core'
import '@tensorflow/tfjs-backend-cpu'
import { loadLayersModel } from '@tensorflow/tfjs-layers'
import { beforeAll, beforeEach, expect, test } from 'vitest'
import { initWasm } from '#engine/backend/wasm.ts'
import { adamStep, createAdamState } from '#engine/reconstruction/adam.ts'
import { loadGenerator } from '#engine/reconstruction/generator.ts'
import { klBetween, klLoss, klTerms, reconstructionLoss } from '#engine/reconstruction/losses.ts'
import { buildNetworks, disposeNetworks, drawWeights, putWeights, weightsOf } from '#engine/reconstruction/networks.ts'
import { createResampler } from '#engine/reconstruction/resampling.ts'
import { prepareMasks, weighted } from '#engine/reconstruction/salient.ts'
import { normals } from '#engine/reconstruction/sampling.ts'
import { lossAndGradient, lossOf, type StepSubject } from '#engine/reconstruction/step.ts'
import { betaAt, rateAt } from '#engine/reconstruction/train.ts'
import { packSet, pickBatch } from '#engine/reconstruction/training-set.ts'
import { MaskscopeError } from '#shared/domain/errors.ts'
import { nearestSize } from '#shared/domain/reconstruction.ts'
import { createRandom } from '#shared/random/random.ts'
import { analyticClassifier } from '../../../fixtures/analytic-classifier.ts'
import { checkpointAfter, toyModes, toySet, toySettings, toySize, toyTask, trainToy } from './toy.ts'

beforeAll(async () => {
  await initWasm()
})
beforeEach(async () => {
  await tf.setBackend('wasm')
})

test('reconstruction and KL terms are their closed forms, for extreme logits too, and so is the gradient', () => {
  const logits = [-3, -0.2, 0, 0.7, 4, 90, -90]
  const pictures = [0, 0.25, 0.5, 0.75, 1, 1, 0]
  const weights = [1, 2, 3, 4, 5, 6, 7]
  const term = (l: number, x: number): number => (Math.abs(l) > 50 ? 0 : -x * Math.log(1 / (1 + Math.exp(-l))) - (1 - x) * Math.log(1 - 1 / (1 + Math.exp(-l))))
  const expected = logits.reduce((sum, l, i) => sum + weights[i]! * term(l, pictures[i]!), 0)
  tf.tidy(() => {
    const x = tf.tensor(pictures)
    const w = tf.tensor(weights)
    expect(reconstructionLoss(tf.tensor(logits), x, w).dataSync()[0]).toBeCloseTo(expected, 4)
    const gradient = tf.grad((l) => reconstructionLoss(l, x, w))(tf.tensor(logits)).dataSync()
    logits.forEach((l, i) => expect(gradient[i]).toBeCloseTo(weights[i]! * (1 / (1 + Math.exp(-l)) - pictures[i]!), 5))
  })
  for (const [mean, logVariance] of [[0, 0], [1.3, -0.8], [-0.4, 1.1]] as const) {
    // ∫ q log(q/p) by the rectangle rule
    let integral = 0
    const deviation = Math.exp(logVariance / 2)
    for (let z = -14; z < 14; z += 0.001) {
      const q = Math.exp(-((z - mean) ** 2) / (2 * deviation ** 2)) / (deviation * Math.sqrt(2 * Math.PI))
      if (q > 1e-300) integral += 0.001 * q * (-((z - mean) ** 2) / (2 * deviation ** 2) - Math.log(deviation) + z ** 2 / 2)
    }
    const found = tf.tidy(() => klLoss(tf.tensor([mean]), tf.tensor([logVariance])).dataSync()[0]!)
    expect(found).toBeCloseTo(integral, 4)
    expect(klTerms(Float32Array.of(mean), Float32Array.of(logVariance))[0]).toBeCloseTo(integral, 4)
    const from = (...other: [number, number]): number => tf.tidy(() => klBetween(tf.tensor([mean]), tf.tensor([logVariance]), tf.tensor([other[0]]), tf.tensor([other[1]])).dataSync()[0]!)
    expect(from(0, 0)).toBeCloseTo(integral, 4)
    expect(from(mean, logVariance)).toBeCloseTo(0, 6)
    // Both moved and stretched alike: the divergence stays.
    const stretched = klBetween(tf.tensor([3 * mean + 2]), tf.tensor([logVariance + 2 * Math.log(3)]), tf.tensor([2]), tf.tensor([2 * Math.log(3)]))
    expect(stretched.dataSync()[0]).toBeCloseTo(integral, 4)
    stretched.dispose()
  }
})

test.each([
  { recognition: true, spatial: false, latent: 4 }, { recognition: false, spatial: true, latent: 49 * 2 },
])('the gradient of the whole loss agrees with finite differences and with the reference backend, with the class told and the classifier in the loss: %o', async (network) => {
  const settings = toySettings({ conditional: true, ...network, gamma: 3, salientWeight: 4, seed: 5 })
  // Another size than the generator's: the gradient comes back through the resizing.
  const classifier = analyticClassifier({ height: 20, width: 24, channels: 1, classes: 3, strength: 0.5 })
  const batch = pickBatch(packSet(toySet(2), settings), [0, 1])
  const noise = normals(2 * settings.latent, createRandom(1, 'noise'))
  const values = drawWeights(weightsOf(buildNetworks(settings, 3)), 7)

  async function on(backend: string, weights: Float32Array): Promise<{ subject: StepSubject; end(): void }> {
    await tf.setBackend(backend)
    const networks = buildNetworks(settings, 3)
    const variables = weightsOf(networks)
    putWeights(variables, weights)
    return { subject: { networks, variables, settings, classes: 3, classifier }, end: () => disposeNetworks(networks) }
  }

  const wasm = await on('wasm', values)
  const { losses, gradient } = await lossAndGradient(wasm.subject, batch, noise, 0.7)
  const alone = await lossOf(wasm.subject, batch, noise, 0.7)
  for (const name of ['reconstruction', 'kl', 'classifier', 'total'] as const) expect(alone[name]! / losses[name]!).toBeCloseTo(1, 6)
  expect(losses.total).toBeCloseTo(losses.reconstruction + 0.7 * losses.kl + 3 * losses.classifier!, 3)
  const random = createRandom(3, 'directions')
  for (let direction = 0; direction < 2; direction++) {
    // Along the gradient's own signs in random places: the derivative is far from 0.
    const along = Float32Array.from(gradient, (slope) => (random.uniform() < 0.5 ? Math.sign(slope) : 0))
    const slope = gradient.reduce((sum, value, i) => sum + value * along[i]!, 0)
    const step = 2e-5
    const at = async (factor: number): Promise<number> => {
      putWeights(wasm.subject.variables, values.map((value, i) => value + factor * step * along[i]!))
      return (await lossOf(wasm.subject, batch, noise, 0.7)).total
    }
    const difference = ((await at(1)) - (await at(-1))) / (2 * step)
    expect(Math.abs(difference / slope - 1)).toBeLessThan(0.03)
  }
  wasm.end()
  // It has every term; the reference backend takes seconds.
  if (!network.recognition) return
  const cpu = await on('cpu', values)
  const reference = await lossAndGradient(cpu.subject, batch, noise, 0.7)
  cpu.end()
  const scale = Math.sqrt(reference.gradient.reduce((sum, value) => sum + value * value, 0))
  const apart = Math.sqrt(reference.gradient.reduce((sum, value, i) => sum + (value - gradient[i]!) ** 2, 0))
  expect(apart / scale).toBeLessThan(1e-4)
})

test('a generator finds the modes of its data, in flat memory; its files are plain layers models', async () => {
  const before = tf.memory().numTensors
  const tensors: number[] = []
  const totals: number[] = []
  const task = toyTask({ settings: toySettings({ epochs: 24, warmUp: 10, salientWeight: 2, beta: 0.5 }), set: toySet(24), validation: toySet(6) })
  const trained = await trainToy(task, ({ news }) => {
    if (!news.finished) return
    tensors.push(tf.memory().numTensors)
    totals.push(news.finished.validation!.reconstruction)
    expect(news.finished.samples).toMatchObject({ images: { count: 6 }, salient: { count: 6 }, reconstructions: { count: 6 }, drawn: { count: 6 } })
  })
  expect(new Set(tensors).size).toBe(1)
  expect(totals.at(-1)!).toBeLessThan(totals[0]! / 3)
  const { files } = trained!
  const generator = await loadGenerator(files)
  const set = toySet(6)
  const images = Float32Array.from(set.images, (byte) => byte / 255)
  const salient = weighted(images, prepareMasks(set.masks, set, task.settings))
  const { mean, logVariance } = await generator.encode(salient)
  const decoded = await generator.decode(mean)
  // Also the lower half, which was never seen.
  for (let n = 0; n < 6; n++) expect(nearestMode(decoded.subarray(n * 784, (n + 1) * 784))).toMatchObject({ mode: n % 3 })
  const drawn = await generator.decode(normals(60 * 4, createRandom(1, 'prior')))
  const found = Array.from({ length: 60 }, (_, i) => nearestMode(drawn.subarray(i * 784, (i + 1) * 784)))
  for (const mode of [0, 1, 2]) expect(found.filter((one) => one.mode === mode && one.distance < 0.5).length).toBeGreaterThan(4)
  // As anyone would open it.
  const { modelTopology, weightsManifest } = JSON.parse(files.decoder.json) as { modelTopology: object; weightsManifest: { paths: string[]; weights: tf.io.WeightsManifestEntry[] }[] }
  expect(weightsManifest[0]!.paths).toEqual(['weights.bin'])
  const plain = await loadLayersModel(tf.io.fromMemory({ modelTopology, weightSpecs: weightsManifest[0]!.weights, weightData: files.decoder.weights.slice().buffer }))
  const again = tf.tidy(() => (plain.predict(tf.tensor(mean, [6, 4])) as tf.Tensor).dataSync())
  expect(Array.from(again.subarray(0, 50))).toEqual(Array.from(decoded.subarray(0, 50)))
  expect(plain.inputs[0]!.shape).toEqual([null, 4])
  expect(logVariance.every((value) => value < 1)).toBe(true)
  plain.dispose()
  generator.dispose()
  expect(tf.memory().numTensors).toBe(before)
  await expect(loadGenerator({ ...files, decoder: { ...files.decoder, json: '{' } })).rejects.toMatchObject({ code: 'input', subject: 'decoder' })
})

test('samples vary what is hidden and keep what is salient; without recognition they vary hardly', async () => {
  // The lower half is bright or dark whatever the upper one shows, and only the upper one is seen.
  const count = 12
  const set = toySet(count)
  for (let n = 0; n < count; n++) set.images.fill(n % 2 === 0 ? 40 : 215, n * 784 + 500, (n + 1) * 784)
  async function spread(recognition: boolean): Promise<{ hidden: number; salient: number }> {
    const settings = toySettings({ epochs: 28, batch: 6, warmUp: 3, learningRate: 0.008, recognition })
    const trained = (await trainToy(toyTask({ settings, set })))!
    const generator = await loadGenerator(trained.files)
    const { images, masks } = pickBatch(packSet(set, settings), [0, 1, 2])
    const { mean, logVariance } = await generator.encode(weighted(images, masks))
    const draws = 24
    const latents = Float32Array.from({ length: draws * mean.length }, (_, i) => mean[i % mean.length]! + Math.exp(logVariance[i % mean.length]! / 2) * createRandom(4, 'draw', i).normal())
    const pictures = await generator.decode(latents)
    generator.dispose()
    const deviation = (from: number, to: number): number => {
      let sum = 0
      for (let n = 0; n < 3; n++) for (let p = from; p < to; p++) {
        const values = Array.from({ length: draws }, (_, k) => pictures[(3 * k + n) * 784 + p]!)
        const middle = values.reduce((a, b) => a + b, 0) / draws
        sum += Math.sqrt(values.reduce((a, b) => a + (b - middle) ** 2, 0) / draws)
      }
      return sum / (3 * (to - from))
    }
    return { hidden: deviation(500, 784), salient: deviation(0, 392) }
  }
  const [varied, usual] = [await spread(true), await spread(false)]
  // Of the data it is .343; so short a training is on its way there.
  expect(varied.hidden).toBeGreaterThan(0.03)
  expect(varied.salient).toBeLessThan(varied.hidden / 4)
  expect(usual.hidden).toBeLessThan(varied.hidden / 3)
})

test('a training that was killed goes on to the bytes of one that was not; seeds tell apart', async () => {
  const task = toyTask({ settings: toySettings({ epochs: 3, conditional: true }), set: toySet(20), validation: toySet(3) })
  const whole = (await trainToy(task))!
  const again = (await trainToy({ ...task, checkpoint: await checkpointAfter(task, 2) }))!
  for (const part of ['encoder', 'decoder'] as const) {
    expect(same(again.files[part].weights, whole.files[part].weights)).toBe(true)
    expect(again.files[part].json).toBe(whole.files[part].json)
  }
  expect(again.files.description).toEqual(whole.files.description)
  const { checkpoint } = whole
  expect(again.checkpoint).toMatchObject({ epoch: 3, steps: 6, fingerprint: checkpoint.fingerprint })
  for (const part of ['weights', 'mean', 'square'] as const) expect(same(again.checkpoint[part], checkpoint[part])).toBe(true)
  // One that is over already only gives its files.
  const over = (await trainToy({ ...task, checkpoint: whole.checkpoint }, () => expect.unreachable('no step is left')))!
  expect(same(over.files.decoder.weights, whole.files.decoder.weights)).toBe(true)
  const other = toyTask({ settings: toySettings({ epochs: 3, conditional: true, seed: 2 }), set: toySet(20), validation: toySet(3) })
  expect(same((await checkpointAfter(other, 1)).weights, (await checkpointAfter(task, 1)).weights)).toBe(false)
  await expect(trainToy({ ...other, checkpoint: whole.checkpoint })).rejects.toMatchObject({ code: 'usage', subject: 'checkpoint' })
})

test('what cannot be trained is refused with the setting that is wrong; a cancelled training stops, one that diverges says so', async () => {
  const refusals: [Parameters<typeof toyTask>[0], string][] = [
    [{ settings: toySettings({ size: { height: 30, width: 30, channels: 1 } }) }, 'size'],
    [{ set: { ...toySet(4), channels: 3 } }, 'size'],
    [{ set: { ...toySet(4), masks: new Float32Array(5) } }, 'set'],
    [{ set: { ...toySet(4), outcomes: Int32Array.of(0, 1, 2, 3) } }, 'set'],
    [{ set: toySet(1) }, 'set'],
    [{ settings: toySettings({ latent: 0 }) }, 'latent'],
    [{ settings: toySettings({ seed: -1 }) }, 'seed'],
    [{ settings: toySettings({ gamma: 1 }) }, 'gamma'],
  ]
  for (const [given, subject] of refusals) await expect(trainToy(toyTask(given))).rejects.toMatchObject({ code: 'usage', subject })
  const blind = analyticClassifier({ height: 28, width: 28, channels: 1, classes: 3, head: 'none' })
  await expect(trainToy(toyTask({ settings: toySettings({ gamma: 1 }), classifier: blind }))).rejects.toMatchObject({ code: 'unavailable', subject: 'gamma' })
  expect(() => nearestSize({ height: 8, width: 8, channels: 4 })).toThrow(MaskscopeError)
  expect(nearestSize({ height: 224, width: 224, channels: 3 })).toEqual({ height: 64, width: 64, channels: 3 })

  const controller = new AbortController()
  let seen = 0
  await expect(trainToy(toyTask({ signal: controller.signal }), () => void (++seen === 1 && controller.abort()))).rejects.toMatchObject({ code: 'cancelled' })
  expect(seen).toBe(1)
  const before = tf.memory().numTensors
  await expect(trainToy(toyTask({ settings: toySettings({ epochs: 8, learningRate: 1 }) }))).rejects.toMatchObject({ code: 'run', message: expect.stringMatching(/no finite number/) as string })
  expect(tf.memory().numTensors).toBe(before)
})

test('masks are spread by a disc and blurred, resizing has an exact adjoint, Adam takes its first step by the rate', () => {
  const point = new Float32Array(784)
  point[14 * 28 + 14] = 1
  const disc = prepareMasks(point, toySize, { size: toySize, floor: 0, dilation: 2, blur: 0 })
  expect(disc.reduce((a, b) => a + b, 0)).toBe(13)
  expect([disc[12 * 28 + 14], disc[13 * 28 + 13], disc[12 * 28 + 12]]).toEqual([1, 1, 0])
  const blurred = prepareMasks(point, toySize, { size: toySize, floor: 0, dilation: 0, blur: 1 })
  expect(blurred.reduce((a, b) => a + b, 0)).toBeCloseTo(1, 5)
  expect(blurred[14 * 28 + 15]! / blurred[14 * 28 + 14]!).toBeCloseTo(Math.exp(-0.5), 4)
  expect(prepareMasks(Uint8Array.from(point, (value) => 255 * value), toySize, { size: toySize, floor: 0, dilation: 2, blur: 0 })).toEqual(disc)

  // What lies below the floor shows nothing, the rest keeps its order and its largest value.
  const faint = prepareMasks(Float32Array.from(point, (value, i) => (value === 1 ? 1 : i % 2 ? 0.6 : 0.15)), toySize, { size: toySize, floor: 0.2, dilation: 0, blur: 0 })
  expect([faint[14 * 28 + 14], faint[1], faint[2]]).toEqual([1, expect.closeTo(0.5, 6), 0])

  const random = createRandom(2, 'adjoint')
  const { apply, adjoint } = createResampler({ height: 9, width: 12 }, { height: 20, width: 7 })
  const x = normals(2 * 9 * 12 * 3, random)
  const y = normals(2 * 20 * 7 * 3, random)
  const dot = (a: Float32Array, b: Float32Array): number => a.reduce((sum, value, i) => sum + value * b[i]!, 0)
  expect(dot(apply(x, 3), y)).toBeCloseTo(dot(x, adjoint(y, 3)), 3)

  const weights = Float32Array.of(1, 2, 3)
  adamStep(weights, Float32Array.of(5, -0.01, 0), createAdamState(3), 0.1)
  expect(Array.from(weights)).toEqual([0.9, 2.1, 3].map((value) => expect.closeTo(value, 5) as number))
  expect([0, 1, 2, 3].map((epochs) => betaAt({ beta: 4, warmUp: 2 }, epochs))).toEqual([0, 2, 4, 4])
  expect([0, 0.5, 1].map((part) => rateAt({ learningRate: 2 }, part))).toEqual([2, expect.closeTo(1, 9), expect.closeTo(0, 9)])
})

/** Byte by byte: of a million numbers `toEqual` takes seconds. */
function same(a: Float32Array | Uint8Array, b: Float32Array | Uint8Array): boolean {
  return Buffer.from(a.buffer, a.byteOffset, a.byteLength).equals(Buffer.from(b.buffer, b.byteOffset, b.byteLength))
}

/** @param distance mean absolute difference, where the modes differ, in units of that between two modes */
function nearestMode(picture: Float32Array): { mode: number; distance: number } {
  const distances = toyModes.map((mode) => mode.reduce((sum, value, i) => sum + Math.abs(value - picture[i]!), 0) / 240)
  const distance = Math.min(...distances)
  return { mode: distances.indexOf(distance), distance }
}

import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { initWasm } from '#engine/backend/wasm.ts'
import { plainUse } from '#engine/classifier/load.ts'
import { createEngine } from '#engine/engine.ts'
import type { WorkerReply, WorkerRequest } from '#engine/protocol.ts'
import { aligned, meanOf, spreadOf } from '#engine/reconstruction/alignment.ts'
import { traitsOf } from '#engine/reconstruction/class-view.ts'
import { clustersOf } from '#engine/reconstruction/clusters.ts'
import { generate, type GenerateHands } from '#engine/reconstruction/generate.ts'
import { loadGenerator, type Generator } from '#engine/reconstruction/generator.ts'
import { judgePictures } from '#engine/reconstruction/judging.ts'
import { loadModel } from '#services/models.ts'
import { generatorSchema, settingsOf, type ClassView, type SalientSet, type VariationRequest, type VariationSet } from '#shared/domain/reconstruction.ts'
import { resolveParameters } from '#shared/domain/parameters.ts'
import { createRandom } from '#shared/random/random.ts'
import { analyticClassifier, type AnalyticClassifier } from '../../../fixtures/analytic-classifier.ts'
import { tinyCard, writeTinyModel } from '../../../fixtures/tiny-model.ts'
import { toySet, toySettings, toySize, toyTask, trainToy } from './toy.ts'

const folder = mkdtempSync(path.join(tmpdir(), 'maskscope-variations-'))
afterAll(() => rmSync(folder, { recursive: true, force: true }))

const values = 784
let generator: Generator
let hands: GenerateHands
const fresh = (): AnalyticClassifier => analyticClassifier({ height: 28, width: 28, channels: 1, classes: 3, strength: 3 })

beforeAll(async () => {
  await initWasm()
  const trained = await trainToy(toyTask({ settings: toySettings({ conditional: true, epochs: 4, beta: 4 }), set: toySet(24) }))
  generator = await loadGenerator(trained!.files)
  hands = { generator, classifier: fresh(), judge: null, signal: new AbortController().signal, tell: () => undefined }
})

async function varied(given: Partial<VariationRequest> = {}, other?: { image: Uint8Array; mask: Float32Array }): Promise<VariationSet> {
  const { images, masks } = toySet(1)
  const request: VariationRequest = { kind: 'posterior', count: 6, temperature: 1, seed: 3, pinned: false, ...given }
  const result = await generate({ kind: 'vary', image: images as Uint8Array, mask: masks, request, ...(other ? { other } : {}) }, hands)
  return result.kind === 'vary' ? result.variations : expect.unreachable()
}

test('accepted variations keep the outcome for a fresh classifier, within the margin; the same seed draws the same', async () => {
  const set = await varied({ count: 40, temperature: 3 })
  const again = await judgePictures(fresh(), Float32Array.from(set.variations.flatMap(({ image }) => [...image])), toySize)
  const [clean] = await judgePictures(fresh(), set.image, toySize)
  expect(set.outcome).toEqual({ class: clean!.top, probability: clean!.probability(clean!.top) })
  set.variations.forEach(({ accepted, top, probability, topProbability }, i) => {
    expect(top).toBe(again[i]!.top)
    expect(accepted).toBe(again[i]!.top === set.outcome.class)
    expect(probability).toBeCloseTo(again[i]!.probability(set.outcome.class), 6)
    expect(topProbability).toBeCloseTo(again[i]!.probability(again[i]!.top), 6)
  })
  // Some of each, so that the check above says something.
  expect(set.acceptance).toBeGreaterThan(0)
  expect(set.acceptance).toBeLessThan(1)
  expect(set.acceptance).toBe(set.variations.filter(({ accepted }) => accepted).length / 40)
  const strict = await varied({ count: 40, temperature: 3, margin: 0.01 })
  strict.variations.forEach(({ accepted, top, probability }) => expect(accepted).toBe(top === strict.outcome.class && probability >= strict.outcome.probability - 0.01))
  expect(strict.variations.map(({ image }) => image)).toEqual(set.variations.map(({ image }) => image))
  expect((await varied({ seed: 4 })).variations[0]!.image).not.toEqual((await varied()).variations[0]!.image)
})

test('temperature 0 is the mean; pinned pixels stay those of the image; ways lead from end to end; the class prior draws its class', async () => {
  const still = await varied({ temperature: 0, count: 2 })
  for (const { image } of still.variations) expect(image).toEqual(still.reconstruction.image)
  expect(still.informative).toHaveLength(4)
  expect(still.salient).toEqual(still.image.map((value, i) => value * still.mask[i]!))

  const pinned = await varied({ pinned: true })
  for (const { image } of pinned.variations) {
    expect(image.subarray(0, values / 2)).toEqual(pinned.image.subarray(0, values / 2))
    expect(image.subarray(values / 2)).not.toEqual(pinned.image.subarray(values / 2))
  }
  const free = await varied()
  expect(free.variations[0]!.image.subarray(values / 2)).toEqual(pinned.variations[0]!.image.subarray(values / 2))

  const end = toySet(2)
  const way = await varied({ kind: 'interpolation', count: 3 }, { image: (end.images as Uint8Array).slice(values), mask: (end.masks as Float32Array).slice(values) })
  expect(way.variations.map(({ place }) => place)).toEqual([0, 0.5, 1])
  expect(way.variations[0]!.image).toEqual(way.reconstruction.image)
  expect(way.variations[2]!.image).not.toEqual(way.reconstruction.image)
  const strip = await varied({ kind: 'traversal', count: 5, range: 2, dimension: 1 })
  expect(strip.variations.map(({ place }) => place)).toEqual([-2, -1, 0, 1, 2])
  // The same whatever else: a class drawn without noise is the class's mean decoded.
  const drawn = await varied({ kind: 'prior', class: 2, temperature: 0, count: 1 })
  expect(drawn.variations[0]!.image).toEqual(await generator.decode(Float32Array.from(generator.description.classMeans[2]!), [2]))
})

test('the view of a class: masks as they lie and aligned, prototypes with shares and variations that were accepted', async () => {
  const set = toySet(24)
  const outcome = hands.classifier
  const judged = await judgePictures(outcome, Float32Array.from(set.images, (byte) => byte / 255), toySize)
  // A class that this little generator does draw, given to half of the pictures.
  const wanted = (await varied()).reconstruction.top
  const outcomes = Int32Array.from(judged, ({ top }, i) => (i < 12 ? wanted : top))
  const result = await generate({ kind: 'class-view', set: { ...set, outcomes }, request: { class: wanted, variations: 4, temperature: 1, seed: 1 } }, hands)
  const view: ClassView = result.kind === 'class-view' ? result.view : expect.unreachable()
  expect(view.count).toBe(outcomes.filter((one) => one === wanted).length)
  expect(view.meanMask[0]).toBeCloseTo(1, 5)
  expect(Math.max(...view.spreadMask)).toBeLessThan(1e-6)
  expect(view.prototypes.reduce((sum, { share }) => sum + share, 0)).toBeCloseTo(1, 9)
  for (const { variations, nearest, acceptance } of view.prototypes) {
    expect(outcomes[nearest]).toBe(wanted)
    expect(variations.every(({ accepted, top }) => accepted && top === wanted)).toBe(true)
    if (acceptance === 0) expect(variations).toEqual([])
  }
  const kept = view.prototypes.flatMap(({ variations }) => variations)
  expect(kept.length).toBeGreaterThan(0)
  const again = await judgePictures(fresh(), Float32Array.from(kept.flatMap(({ image }) => [...image])), toySize)
  expect(again.every(({ top }) => top === wanted)).toBe(true)
  const controller = new AbortController()
  controller.abort()
  await expect(generate({ kind: 'class-view', set: { ...set, outcomes }, request: { class: wanted, variations: 1, temperature: 1, seed: 1 } }, { ...hands, signal: controller.signal })).rejects.toMatchObject({ code: 'cancelled' })
})

test('inputs of a spatial latent are grouped by what is in them, wherever it is', () => {
  const settings = { ...toySettings(), spatial: true, latent: 7 * 7 * 2 }
  const means = new Float32Array(8 * settings.latent)
  // Of each kind four, with the one mark that tells the kinds apart at another place each time.
  for (let i = 0; i < 8; i++) {
    means.fill(0.1, i * settings.latent, (i + 1) * settings.latent)
    means[i * settings.latent + 2 * (5 * i + 3) + (i % 2)] = 3
  }
  const { data, length } = traitsOf(means, settings)
  expect(length).toBe(4)
  for (let i = 2; i < 8; i++) for (let k = 0; k < length; k++) expect(data[i * length + k]).toBeCloseTo(data[(i % 2) * length + k]!, 6)
  expect(data[0]).toBeCloseTo((48 * 0.1 + 3) / 49, 6)
  expect(data[2]).toBeCloseTo((2.9 * Math.sqrt(48)) / 49, 5)
  const { groups } = clustersOf(data, length, undefined, 1)
  expect(groups.map(({ members }) => members)).toEqual([[0, 2, 4, 6], [1, 3, 5, 7]])
  expect(traitsOf(means, { ...settings, spatial: false })).toEqual({ data: means, length: settings.latent })
})

test('moved copies of one mask lie on each other; groups of points are found, with the number that fits best', () => {
  const random = createRandom(1, 'moves')
  const maps = new Float32Array(12 * values)
  for (let n = 0; n < 12; n++) {
    const [down, across] = [random.below(9) - 4, random.below(9) - 4]
    for (let y = 10; y < 18; y++) for (let x = 11; x < 16; x++) maps[n * values + (y + down) * 28 + x + across] = y < 12 ? 1 : 0.5
  }
  expect(Math.max(...spreadOf(maps, values))).toBeGreaterThan(0.3)
  const moved = aligned({ data: maps, height: 28, width: 28 })
  expect(Math.max(...spreadOf(moved, values))).toBe(0)
  expect(meanOf(moved, values).reduce((a, b) => a + b, 0)).toBeCloseTo(10 + 15, 4)

  const points = Float32Array.from({ length: 2 * 90 }, (_, i) => [0, 8, -9][Math.floor(i / 2) % 3]! * (i % 2 === 0 ? 1 : 0.5) + 0.3 * random.normal())
  const { groups, silhouette } = clustersOf(points, 2, undefined, 0)
  expect(groups.map(({ members }) => members.length)).toEqual([30, 30, 30])
  for (const { members } of groups) expect(new Set(members.map((i) => i % 3)).size).toBe(1)
  expect(silhouette).toBeGreaterThan(0.8)
  expect(clustersOf(new Float32Array(10).fill(1), 2, undefined, 0).groups).toHaveLength(1)
})

test('requests that cannot be met are refused with the field that is wrong', async () => {
  const wrong: [Partial<VariationRequest>, string][] = [
    [{ count: 0 }, 'count'], [{ temperature: -1 }, 'temperature'], [{ margin: 2 }, 'margin'], [{ kind: 'traversal', dimension: 4 }, 'dimension'],
    [{ kind: 'traversal', range: 0 }, 'range'], [{ kind: 'interpolation' }, 'other'], [{ kind: 'prior', class: 3 }, 'class'],
  ]
  for (const [given, subject] of wrong) await expect(varied(given)).rejects.toMatchObject({ code: 'usage', subject })
  const { masks } = toySet(1)
  const request: VariationRequest = { kind: 'posterior', count: 1, temperature: 1, seed: 1, pinned: false }
  await expect(generate({ kind: 'vary', image: new Float32Array(5), mask: masks, request }, hands)).rejects.toMatchObject({ code: 'usage', subject: 'image' })
  await expect(generator.decode(new Float32Array(4))).rejects.toMatchObject({ code: 'usage', subject: 'classes' })
  await expect(generator.encode(new Float32Array(7), [0])).rejects.toMatchObject({ code: 'usage', subject: 'salient input' })
  const set = toySet(3)
  for (const [given, subject] of [[{ class: 5 }, 'class'], [{ variations: -1 }, 'variations'], [{ prototypes: 0 }, 'prototypes'], [{ temperature: NaN }, 'temperature']] as const) {
    await expect(generate({ kind: 'class-view', set, request: { class: 0, variations: 1, temperature: 1, seed: 1, ...given } }, hands)).rejects.toMatchObject({ code: 'usage', subject })
  }
})

test('a worker trains for its model, stands and goes on when told, heeds a cancellation, and asks what it trained', async () => {
  const told: WorkerReply[] = []
  let hear: (reply: WorkerReply) => void = () => undefined
  const engine = createEngine((reply) => {
    told.push(reply)
    hear(reply)
  }, (error) => {
    throw error
  })
  /** @param react to everything but the last answer, in a turn of its own, as a message would come */
  function ask(request: WorkerRequest, react: (reply: WorkerReply) => void = () => undefined): Promise<WorkerReply> {
    told.length = 0
    return new Promise((resolve) => {
      hear = (reply) => (['training', 'paused', 'resumed', 'generating'].includes(reply.type) ? void setImmediate(react, reply) : resolve(reply))
      engine.handle(request)
    })
  }
  await ask({ type: 'start', id: 1, backend: 'wasm' })
  await ask({ type: 'load', id: 2, key: 'tiny', source: (await loadModel(writeTinyModel(folder, { card: tinyCard }))).source, use: plainUse })
  const random = createRandom(1, 'pictures')
  const set: SalientSet = {
    count: 4, height: 16, width: 16, channels: 3, images: Float32Array.from({ length: 4 * 768 }, () => random.uniform()), masks: new Float32Array(4 * 256).fill(0.7),
    outcomes: Int32Array.of(0, 1, 2, 3), labels: null,
  }
  // Pictures of 16×16×3 are resized to the nearest size, and the classifier is in the loss.
  const size = { height: 32, width: 32, channels: 3 }
  const settings = settingsOf(resolveParameters(generatorSchema(size), { latent: 3, epochs: 2, batch: 2, gamma: 1 }), size, 1)
  const work = { settings, set, validation: null, checkpoint: null }
  const answer = await ask({ type: 'train', id: 3, model: 'tiny', work, threads: 1 }, (reply) => {
    if (reply.type === 'training' && reply.step.news.epoch === 1 && reply.step.news.step === 1) engine.handle({ type: 'pause', id: 3 })
    if (reply.type === 'paused') engine.handle({ type: 'resume', id: 3 })
  })
  expect(answer.type).toBe('trained')
  const order = told.map((reply) => (reply.type === 'training' ? `${reply.step.news.epoch}.${reply.step.news.step}${reply.step.checkpoint ? ' kept' : ''}` : reply.type))
  expect(order.filter((word) => word !== 'paused' && word !== 'resumed')).toEqual(['1.1', '1.2 kept', '2.1', '2.2 kept', 'trained'])
  expect(order.indexOf('resumed')).toBe(order.indexOf('paused') + 1)
  expect(order).toContain('paused')

  const { files } = answer.type === 'trained' ? answer.trained : expect.unreachable()
  expect(files.description).toMatchObject({ classes: 4, trainedOn: 4, epochs: 2, pictures: { height: 16, width: 16, channels: 3 } })
  const request: VariationRequest = { kind: 'posterior', count: 3, temperature: 1, seed: 1, pinned: false }
  const made = await ask({
    type: 'generate', id: 4, model: 'tiny', judge: null, generator: files, threads: 1,
    work: { kind: 'vary', image: set.images.slice(0, 768), mask: set.masks.slice(0, 256), request },
  })
  expect(made).toMatchObject({ type: 'generated', result: { kind: 'vary', variations: { size } } })

  // Its latent is spatial: 8×8 places of 3 numbers, and a traversal moves one of the three at all places, from where its mean is.
  expect(settings.latent).toBe(8 * 8 * 3)
  const strip = await ask({
    type: 'generate', id: 6, model: 'tiny', judge: null, generator: files, threads: 1,
    work: { kind: 'vary', image: set.images.slice(0, 768), mask: set.masks.slice(0, 256), request: { ...request, kind: 'traversal', dimension: 2, range: 1 } },
  })
  const { variations, reconstruction, informative } = strip.type === 'generated' && strip.result.kind === 'vary' ? strip.result.variations : expect.unreachable()
  expect(informative).toHaveLength(3)
  expect(variations[1]!.image).toEqual(reconstruction.image)
  const moved = variations[0]!.image.map((value, i) => Math.abs(value - reconstruction.image[i]!))
  // Every corner of the picture hears of it.
  for (const corner of [0, 31, 31 * 32, 32 * 32 - 1]) expect(Math.max(...moved.subarray(3 * corner, 3 * corner + 3))).toBeGreaterThan(0)

  // A prototype is what one of the inputs decodes to: the mean of such latents would have every input's things in it.
  const seen = await ask({
    type: 'generate', id: 7, model: 'tiny', judge: null, generator: files, threads: 1,
    work: { kind: 'class-view', set: { ...set, outcomes: new Int32Array(4) }, request: { class: 0, variations: 1, temperature: 1, seed: 1, prototypes: 2 } },
  })
  const { prototypes } = seen.type === 'generated' && seen.result.kind === 'class-view' ? seen.result.view : expect.unreachable()
  expect(prototypes).toHaveLength(2)
  for (const [i, { nearest, image }] of prototypes.entries()) {
    const own = await ask({
      type: 'generate', id: 8 + i, model: 'tiny', judge: null, generator: files, threads: 1,
      work: { kind: 'vary', image: set.images.slice(nearest * 768, (nearest + 1) * 768), mask: set.masks.slice(nearest * 256, (nearest + 1) * 256), request },
    })
    const alone = own.type === 'generated' && own.result.kind === 'vary' ? own.result.variations.reconstruction.image : expect.unreachable()
    expect(Math.max(...image.image.map((value, k) => Math.abs(value - alone[k]!)))).toBeLessThan(1e-5)
  }
  const stopped = await ask({ type: 'train', id: 5, model: 'tiny', work, threads: 1 }, (reply) => {
    if (reply.type === 'training') engine.handle({ type: 'cancel', id: 5 })
  })
  expect(stopped).toMatchObject({ type: 'failed', error: { code: 'cancelled' } })
})

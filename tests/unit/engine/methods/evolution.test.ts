import { describe, expect, test } from 'vitest'
import type { Classifier } from '#engine/classifier/classifier.ts'
import { createCells } from '#engine/methods/evolution/cells.ts'
import { midwayRepair, type Evolution, type EvolutionOptions } from '#engine/methods/evolution/evolution.ts'
import { createGaussians } from '#engine/methods/evolution/gaussians.ts'
import { createLShade } from '#engine/methods/evolution/lshade.ts'
import { createRandomDraws } from '#engine/methods/evolution/random-draws.ts'
import { createRandOneBin } from '#engine/methods/evolution/rand-one-bin.ts'
import { planGenerations } from '#engine/methods/evolution/schedule.ts'
import { createSegments } from '#engine/methods/evolution/segments.ts'
import { averagePrecision } from '#engine/metrics/average-precision.ts'
import { createMaskQueries, enlarge, type Spread } from '#engine/methods/queries/mask-queries.ts'
import { Album, createPacker, unpack } from '#engine/methods/queries/wire.ts'
import { findMethod } from '#engine/methods/registry.ts'
import type { ImageBatch } from '#shared/domain/image.ts'
import { resolveParameters } from '#shared/domain/parameters.ts'
import { createRandom } from '#shared/random/random.ts'
import { analyticClassifier } from '../../../fixtures/analytic-classifier.ts'
import { only, randomImages, run } from './method-runs.ts'

/** Nobody stops it. */
const still = { signal: new AbortController().signal }

/** Minimises a function of genes in [0, 1] and returns the best value found. */
function minimise(create: (options: EvolutionOptions) => Evolution, genes: number, f: (x: Float64Array) => number, generations: number, last = 8): number {
  const random = createRandom(3, 'minimise')
  const initial = Array.from({ length: 48 }, () => Float64Array.from({ length: genes }, () => random.uniform()))
  const evolution = create({ initial, repair: midwayRepair, random })
  evolution.score(evolution.population.map((x) => -f(x)))
  for (let g = 0; g < generations; g++) {
    evolution.shrink(Math.round(48 + ((last - 48) * g) / generations))
    const trials = evolution.propose()
    for (const x of trials) for (const gene of x) if (!(gene >= 0 && gene <= 1)) throw new Error('out of bounds')
    const before = Math.max(...evolution.fitness)
    evolution.select(trials.map((x) => -f(x)))
    if (Math.max(...evolution.fitness) < before) throw new Error('the best got worse')
  }
  return -Math.max(...evolution.fitness)
}

const sphere = (x: Float64Array): number => x.reduce((sum, v) => sum + (v - 0.3) ** 2, 0)
/** Many local minima; the optimum lies on the bounds of half the genes. */
function rastriginAtBounds(x: Float64Array): number {
  return x.reduce((sum, v, i) => {
    const z = 5 * (v - (i % 2 === 0 ? 0 : 0.6))
    return sum + z * z + 2 * (1 - Math.cos(2 * Math.PI * z))
  }, 0)
}

describe('the strategies', () => {
  test('L-SHADE finds the optimum of the sphere, and of a function of many minima with its optimum on the bounds', () => {
    expect(minimise(createLShade, 10, sphere, 200)).toBeLessThan(1e-8)
    expect(minimise(createLShade, 6, rastriginAtBounds, 300)).toBeLessThan(1e-3)
  })

  test('rand/1/bin finds the optimum of the sphere, in more generations', () => {
    const found = minimise(createRandOneBin, 10, sphere, 200, 48)
    expect(found).toBeLessThan(1e-3)
    expect(minimise(createLShade, 10, sphere, 60)).toBeLessThan(minimise(createRandOneBin, 10, sphere, 60, 48))
  })

  test('random draws: no more count than may, of the first generation too', () => {
    const initial = Array.from({ length: 6 }, (_, i) => Float64Array.of(i / 6))
    const draws = createRandomDraws({ initial }, () => Float64Array.of(1), [1], 2)
    draws.score(initial.map(([x]) => x!))
    expect(draws.population.map(([x]) => x)).toEqual([4 / 6, 5 / 6])
    draws.propose()
    draws.select([0.75])
    expect(draws.fitness).toEqual([5 / 6, 0.75])
  })

  test('a gene out of bounds becomes the mean of its parent and the bound', () => {
    expect([midwayRepair(-3, 0.4), midwayRepair(1.2, 0.4), midwayRepair(0.9, 0.4)]).toEqual([0.2, 0.7, 0.9])
  })

  test('the schedule spends the budget and not more, and falls to the last size', () => {
    const plan = planGenerations({ budget: 1000, each: 2, first: 40, last: 8, redraw: 3, remainder: false })
    let spent = 0
    for (const [g, { size, redrawn, spent: stated }] of plan.entries()) {
      expect(redrawn).toBe(g > 0 && g % 3 === 0)
      spent += 2 * size * (redrawn ? 2 : 1)
      expect(stated).toBe(spent)
    }
    expect(spent).toBeLessThanOrEqual(1000)
    expect(spent).toBeGreaterThan(1000 - 32)
    expect(plan[0]!.size).toBe(40)
    expect(plan.at(-1)!.size).toBeLessThan(10)
  })

  test('the schedule of a control spends what is left, too', () => {
    const plan = planGenerations({ budget: 125, each: 2, first: 20, last: 20, redraw: 0, remainder: true })
    expect(plan.map(({ size, spent }) => [size, spent])).toEqual([[20, 40], [20, 80], [20, 120], [2, 124]])
    expect(planGenerations({ budget: 80, each: 1, first: 40, last: 40, redraw: 0, remainder: true }).map(({ size }) => size)).toEqual([40, 40])
  })
})

test('genotypes: what they say of a mask is true of the enlarged mask', () => {
  const frame = { height: 24, width: 32, channels: 3 }
  const image = scene(frame.height, frame.width).images.data
  for (const genotype of [createCells(frame, 8), createGaussians(frame, 3), createSegments(frame, image, 20, 10)]) {
    const random = createRandom(5, 'genotype')
    for (let trial = 0; trial < 5; trial++) {
      const genes = genotype.sample(random)
      expect(genes.length).toBe(genotype.genes)
      expect(genes.every((gene) => gene >= 0 && gene <= 1)).toBe(true)
      const values = genotype.render(genes)
      const picture = genotype.picture(values)
      expect(picture.every((value) => value >= 0 && value <= 1)).toBe(true)
      const mean = picture.reduce((sum, value) => sum + value, 0) / picture.length
      expect(genotype.area(values)).toBeCloseTo(mean, 5)
      expect(genotype.variation(values)).toBeCloseTo(variationOf(picture, genotype.height, genotype.width), 5)
      const full = enlarge(genotype.masks([values]), 0, frame)
      if (full.length === picture.length) expect(full).toEqual(picture)
      else expect(full.reduce((sum, value) => sum + value, 0) / full.length).toBeCloseTo(mean, 2)
    }
  }
})

function variationOf(map: Float32Array, height: number, width: number): number {
  let across = 0
  let down = 0
  for (let y = 0; y < height; y++) {
    for (let x = 0; x < width; x++) {
      const at = y * width + x
      if (x + 1 < width) across += Math.abs(map[at + 1]! - map[at]!) / (height * (width - 1))
      if (y + 1 < height) down += Math.abs(map[at + width]! - map[at]!) / ((height - 1) * width)
    }
  }
  return across + down
}

/** A red square on noisy green, and a blue one beside it that nobody asks about. */
function scene(height: number, width: number): { images: ImageBatch; object: Uint8Array } {
  const random = createRandom(2, 'scene')
  const object = new Uint8Array(height * width)
  const data = new Float32Array(height * width * 3)
  for (let y = 0; y < height; y++) {
    for (let x = 0; x < width; x++) {
      const at = y * width + x
      const red = y >= 4 && y < 10 && x >= 3 && x < 9
      const blue = y >= 14 && y < 20 && x >= 14 && x < 20
      object[at] = red ? 1 : 0
      data.set(red ? [0.9, 0.1, 0.1] : blue ? [0.1, 0.1, 0.9] : [0.2, 0.5 + 0.1 * random.uniform(), 0.2], 3 * at)
    }
  }
  return { images: { count: 1, height, width, channels: 3, data }, object }
}

/** Outputs alone: asks for gradients or layers end in an error. Its class 1 is as likely as the object's place is red. */
function redFinder(object: Uint8Array, height: number, width: number, strength = 8): Classifier & { asked: number } {
  const refuse = (): Promise<never> => Promise.reject(new Error('differentiated'))
  const base = analyticClassifier({ height: 1, width: 1, classes: 2 })
  const area = object.reduce((sum, bit) => sum + bit, 0)
  const size = height * width * 3
  const classifier = {
    ...base, info: { ...base.info, access: 'query' as const, input: { height, width, channels: 3 } }, scoreGradient: refuse, activations: refuse, asked: 0,
    async logits(images: ImageBatch) {
      classifier.asked += images.count
      const out = new Float32Array(2 * images.count)
      for (let n = 0; n < images.count; n++) {
        let sum = 0
        for (let i = 0; i < object.length; i++) if (object[i] === 1) sum += images.data[n * size + 3 * i]! - images.data[n * size + 3 * i + 2]!
        out[2 * n + 1] = strength * (sum / area - 0.4)
      }
      return out
    },
  }
  return classifier
}

const small = { mode: 'preserve', queries: 600, islands: 2, population: 16, segments: 16, resolution: 6 }

describe('DE-CAM and random search', () => {
  const { images, object } = scene(24, 24)

  test('find what the classifier looks at, from outputs alone, with every kind of individual', async () => {
    // A constant map would score .06; a grid of four pixels a cell cannot follow the square.
    for (const [set, least] of [
      [{ genotype: 'segments' }, 0.9], [{ genotype: 'cells', 'area-weight': 6 }, 0.35], [{ genotype: 'gaussians' }, 0.7],
      [{ strategy: 'rand-1-bin' }, 0.8], [{ mode: 'dual', queries: 1200 }, 0.9], [{ mode: 'delete' }, 0.7],
    ] as const) {
      const { explanations } = await run('de-cam', redFinder(object, 24, 24), images, { ...small, ...set })
      expect(averagePrecision(explanations[0]!.saliency.data, object), JSON.stringify(set)).toBeGreaterThan(least)
    }
    const control = await run('random-search', redFinder(object, 24, 24), images, small)
    expect(averagePrecision(control.explanations[0]!.saliency.data, object)).toBeGreaterThan(0.4)
  })

  test('queries are counted and the budget is kept, with redrawn fills too', async () => {
    for (const [id, set] of [['de-cam', {}], ['de-cam', { mode: 'dual', redraw: 2 }], ['random-search', {}]] as const) {
      const classifier = redFinder(object, 24, 24)
      const { explanations, steps } = await run(id, classifier, images, { ...small, ...set })
      const [{ evaluations, facts, iterations, parts }] = explanations as [(typeof explanations)[0]]
      expect(evaluations).toEqual({ forward: classifier.asked, backward: 0 })
      const queries = facts!.find(({ label }) => label === 'Queries of the search')!.value
      expect(queries).toBeLessThanOrEqual(600)
      expect(queries).toBeGreaterThan(600 - 2 * 64)
      expect(classifier.asked).toBe(Number(queries) + 1 + 8)
      expect(steps.map(({ iteration }) => iteration)).toEqual(Array.from({ length: iterations + 1 }, (_, i) => i))
      expect(parts!.map(({ name }) => name)).toEqual(['best', 'population'])
    }
  })

  test('the best never gets worse under a fill that stays, and news are complete', async () => {
    const method = findMethod('de-cam')
    const parameters = resolveParameters(method, { ...small, fill: 'mean' })
    let best = -Infinity
    const task = { classifier: redFinder(object, 24, 24), images, targets: [1], seeds: [4], parameters, signal: new AbortController().signal }
    for await (const { losses, probability, lookAtStrip } of method.explain(task)) {
      expect(Object.keys(losses)).toEqual(['best', 'median', 'worst', 'diversity'])
      expect(losses['best']!).toBeGreaterThanOrEqual(best)
      expect(losses['best']!).toBeGreaterThanOrEqual(losses['median']!)
      expect(losses['median']!).toBeGreaterThanOrEqual(losses['worst']!)
      expect(losses['diversity']!).toBeGreaterThan(0)
      expect(probability).toBeGreaterThanOrEqual(0)
      expect(probability).toBeLessThanOrEqual(1)
      best = losses['best']!
      const strip = lookAtStrip!()
      expect(strip.data.length).toBe(strip.count * strip.height * strip.width)
    }
  })

  test('the same seed gives the same bytes, another seed others, and a batch what singles give', async () => {
    const batch = randomImages(2, 12, 12)
    const classifier = (): Classifier => analyticClassifier({ height: 12, width: 12, classes: 3 })
    for (const set of [{ ...small, queries: 200 }, { ...small, queries: 200, genotype: 'cells', mode: 'dual', redraw: 2 }]) {
      const together = await run('de-cam', classifier(), batch, set)
      for (let index = 0; index < 2; index++) {
        const alone = await run('de-cam', classifier(), only(batch, index), set, { seeds: [index] })
        expect(alone.explanations[0]!.saliency).toEqual(together.explanations[index]!.saliency)
        expect(alone.explanations[0]!.parts).toEqual(together.explanations[index]!.parts)
      }
      const other = await run('de-cam', classifier(), only(batch, 0), set, { seeds: [9] })
      expect(other.explanations[0]!.saliency.data).not.toEqual(together.explanations[0]!.saliency.data)
    }
  })

  test('helpers change no byte, nor what is told of each generation while islands run ahead', async () => {
    const told: unknown[][] = []
    for (const helpers of [0, 1]) {
      const classifier = redFinder(object, 24, 24)
      const album = new Album()
      const pack = createPacker()
      const spread: Spread = {
        helpers,
        seek: () => undefined,
        async give(share) {
          const sent = pack(share)
          album.add(sent.pictures)
          const { scene, masks } = unpack(sent, album)
          await new Promise((resolve) => setTimeout(resolve, 2))
          return createMaskQueries(classifier, scene.frame, scene.image, still).ask({ masks, fill: scene.fill, side: scene.side })
        },
      }
      const method = findMethod('de-cam')
      const parameters = resolveParameters(method, { queries: 1000, population: 16 })
      const news = method.explain({ classifier, images, targets: [1], seeds: [4], parameters, signal: new AbortController().signal, spread })
      const generations: unknown[] = []
      for (;;) {
        const step = await news.next()
        if (step.done) {
          told.push([...generations, step.value])
          break
        }
        const { losses, evaluations, probability, look, frame, lookAtStrip } = step.value
        generations.push({ losses, evaluations, probability, map: frame ?? look!(), strip: lookAtStrip!() })
      }
    }
    expect(told[1]).toEqual(told[0])
  })

  test('a classifier that says the same to everything is said to', async () => {
    for (const id of ['de-cam', 'random-search']) {
      const { explanations, steps } = await run(id, redFinder(object, 24, 24, 0), images, small)
      expect(explanations[0]!.notes.join(' ')).toMatch(/same under every mask/)
      expect(explanations[0]!.saliency.data.every(Number.isFinite)).toBe(true)
      expect(steps.every(({ losses }) => Object.values(losses).every(Number.isFinite))).toBe(true)
    }
  })

  test('a cancelled run stops at the next generation; a budget too small is refused by name', async () => {
    const controller = new AbortController()
    const method = findMethod('de-cam')
    const classifier = redFinder(object, 24, 24)
    const news = method.explain({ classifier, images, targets: [1], seeds: [1], parameters: resolveParameters(method, small), signal: controller.signal })
    await news.next()
    const { asked } = classifier
    controller.abort()
    await expect(news.next()).rejects.toMatchObject({ code: 'cancelled' })
    await new Promise((resolve) => setTimeout(resolve, 20))
    // One call had begun for the next generation.
    expect(classifier.asked).toBeLessThanOrEqual(asked + 16)
    await expect(run('de-cam', classifier, images, { ...small, queries: 30 })).rejects.toMatchObject({ code: 'usage', subject: 'queries' })
    const headless = { ...classifier, info: { ...classifier.info, head: 'none' as const } }
    await expect(run('de-cam', headless, images, small)).rejects.toMatchObject({ code: 'unavailable', subject: 'score' })
    const logit = await run('de-cam', headless, images, { ...small, queries: 100, score: 'logit' })
    expect(logit.explanations[0]!.probability).toEqual({ original: NaN, masked: NaN })
  })
})

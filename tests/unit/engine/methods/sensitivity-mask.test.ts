import { describe, expect, test } from 'vitest'
import type { Classifier } from '#engine/classifier/classifier.ts'
import { contestEnd } from '#engine/methods/masks/contest.ts'
import type { ExplainTask, Step } from '#engine/methods/method.ts'
import { createFill } from '#engine/methods/masks/fills.ts'
import { createGrowth } from '#engine/methods/masks/growth.ts'
import { createParametrisation } from '#engine/methods/masks/parametrisation.ts'
import { sensitivityMask } from '#engine/methods/sensitivity-mask.ts'
import { createGradientProbe } from '#engine/methods/sensitivity-mask/gradient-probe.ts'
import { keptShare, shareOfPrice } from '#engine/methods/sensitivity-mask/objective.ts'
import type { ProbeContext } from '#engine/methods/sensitivity-mask/probe.ts'
import { centredRanks, createQueryProbe } from '#engine/methods/sensitivity-mask/query-probe.ts'
import { createSensitivity, factorsOf, pricesOf, readSensitivity } from '#engine/methods/sensitivity-mask/sensitivity.ts'
import { readSettings } from '#engine/methods/sensitivity-mask/settings.ts'
import { neuromask } from '#engine/methods/neuromask.ts'
import { averagePrecision } from '#engine/metrics/average-precision.ts'
import type { ImageBatch } from '#shared/domain/image.ts'
import { resolveParameters } from '#shared/domain/parameters.ts'
import { storedIterations, type Explanation } from '#shared/domain/run.ts'
import { upsample } from '#shared/imaging/interpolation.ts'
import { createRandom } from '#shared/random/random.ts'
import { analyticClassifier } from '../../../fixtures/analytic-classifier.ts'
import { randomImages, single } from './neuromask-runs.ts'

interface Outcome {
  steps: Step[]
  explanations: Explanation[]
}

async function explain(classifier: Classifier, images: ImageBatch, set: Record<string, unknown> = {}, more: Partial<ExplainTask> = {}): Promise<Outcome> {
  const run = sensitivityMask.explain({
    classifier, images, targets: new Array<number>(images.count).fill(1), seeds: Array.from({ length: images.count }, (_, i) => i),
    signal: new AbortController().signal, parameters: resolveParameters(sensitivityMask, set), ...more,
  })
  const steps: Step[] = []
  for (;;) {
    const next = await run.next()
    if (next.done) return { steps, explanations: next.value }
    steps.push(next.value)
  }
}

/** Two classes; the logit of class 1 is Σ weights·x − bias. It has no gradient, and throws when it is differentiated. */
function linearClassifier(height: number, width: number, weights: Float32Array, bias = 0): Classifier {
  const base = analyticClassifier({ height, width, classes: 2 })
  const size = height * width * 3
  return {
    ...base,
    info: { ...base.info, access: 'query' },
    logits: async ({ data, count }) => Float32Array.from({ length: 2 * count }, (_, k) => {
      if (k % 2 === 0) return 0
      let sum = -bias
      for (let i = 0; i < size; i++) sum += weights[i]! * data[(k >> 1) * size + i]!
      return sum
    }),
    scoreGradient: () => Promise.reject(new Error('differentiated')),
    activations: () => Promise.reject(new Error('looked into')),
  }
}

/** The same with its gradient, log p of a softmax over two. */
function differentiable(height: number, width: number, weights: Float32Array, bias = 0): Classifier {
  const linear = linearClassifier(height, width, weights, bias)
  return {
    ...linear,
    info: { ...linear.info, access: 'gradient' },
    scoreGradient: async (images) => {
      const logits = await linear.logits(images)
      const missing = Array.from({ length: images.count }, (_, n) => 1 / (1 + Math.exp(logits[2 * n + 1]! - logits[2 * n]!)))
      const gradient = Float32Array.from(images.data, (_, i) => missing[Math.floor(i / weights.length)]! * weights[i % weights.length]!)
      return { scores: new Float32Array(images.count), logits, gradient }
    },
  }
}

test('every preset names every parameter, and the first holds the defaults', () => {
  expect(sensitivityMask.presets.map(({ title }) => title)).toEqual(['Maskscope, from outputs', 'Maskscope, from gradients', 'Maskscope, mask alone', 'As published (our reading)'])
  const names = sensitivityMask.parameters.map(({ name }) => name).sort()
  for (const preset of sensitivityMask.presets) expect(Object.keys(preset.values).sort()).toEqual(names)
  for (const { name, default: value } of sensitivityMask.parameters) expect(sensitivityMask.presets[0]!.values[name]).toBe(value)
  expect(resolveParameters(sensitivityMask, { preset: 'published' })).toMatchObject({ access: 'query', weigh: true, localise: true, stages: 3, map: 'product' })
  expect(sensitivityMask.access).toBe('query')
})

test.each([sensitivityMask, neuromask])('a tuner of $id stays within what is allowed', ({ parameters }) => {
  for (const parameter of parameters) {
    if (!parameter.tune) continue
    if ('values' in parameter.tune) {
      for (const value of parameter.tune.values) expect(() => resolveParameters({ parameters, presets: [] }, { [parameter.name]: value })).not.toThrow()
    } else {
      for (const value of Object.values(parameter.tune)) expect(() => resolveParameters({ parameters, presets: [] }, { [parameter.name]: value })).not.toThrow()
      expect(parameter.tune.min).toBeLessThanOrEqual(Number(parameter.default))
      expect(parameter.tune.max).toBeGreaterThanOrEqual(Number(parameter.default))
    }
  }
})

describe('the gradient of the composed objective agrees with finite differences', () => {
  const shape = { height: 9, width: 8 }
  const frame = { ...shape, channels: 3 }
  const image = randomImages(1, 9, 8, 5).data
  const cases: [string, Record<string, unknown>][] = [
    ['preserve, drawn fill, shifted', { resolution: 4, smoothing: 0.8, shift: 16 }],
    ['delete', { mode: 'delete', fill: 'noise', resolution: 0, smoothing: 0 }],
    ['both, log-odds with a cap that is not reached', { mode: 'both', score: 'log-odds', 'score-cap': 50, fill: 'blur', resolution: 5 }],
    ['preserve, grown', { fill: 'mean', resolution: 6, growth: 1 }],
    ['delete, probability', { mode: 'delete', score: 'probability', fill: 'mean', resolution: 6 }],
  ]
  test.each(cases)('%s', async (_name, set) => {
    const classifier = analyticClassifier({ ...shape, seed: 9 })
    const settings = readSettings(resolveParameters(sensitivityMask, { ...set, access: 'gradient', 'area-weight': 2, 'variation-weight': 0.7 }), frame)
    const parametrisation = createParametrisation(frame, settings.resolution, settings.smoothing, 1)
    const cells = parametrisation.height * parametrisation.width
    const prices = Float32Array.from({ length: cells }, (_, i) => 0.5 + (i % 3) / 2)
    const random = createRandom(7)
    // Far apart even where they are smoothed: total variation has kinks where neighbours agree.
    const u = Float32Array.from({ length: cells }, () => 4 * random.normal())
    // Fresh streams each time: the same draws, so that only u differs.
    async function at(values: Float32Array): Promise<{ total: number; direction: Float32Array }> {
      const probe = createGradientProbe({
        frame, image, aim: { target: 2, head: 'softmax', kind: settings.score, cap: settings.scoreCap }, parametrisation,
        settings: () => settings,
        costs: () => ({ height: parametrisation.height, width: parametrisation.width, areaWeight: 2, variationWeight: 0.7, prices }),
        fill: createFill(settings.fill, frame, image, settings.fillBlur, createRandom(1)), placements: createRandom(2), noises: createRandom(3), growth: createGrowth(parametrisation, createRandom(4)), noiseSmoothing: 0,
      })
      const data = new Float32Array(probe.images * image.length)
      probe.compose(values, data)
      const answer = await classifier.scoreGradient({ ...frame, count: probe.images, data }, probe.scores!)
      const rows = Array.from({ length: probe.images }, (_, k) => answer.logits.subarray(k * 4, k * 4 + 4))
      const { losses, direction } = probe.read(rows, answer.gradient)
      expect(losses.total).toBeCloseTo(losses.prediction + losses.area + losses.variation, 10)
      return { total: losses.total, direction }
    }
    const { direction } = await at(u)
    const largest = Math.max(...direction.map(Math.abs))
    const h = 2 ** -7
    for (let i = 0; i < cells; i += 3) {
      const moved = async (by: number): Promise<number> => (await at(u.map((v, k) => (k === i ? v + by : v)))).total
      const difference = ((await moved(h)) - (await moved(-h))) / (2 * h)
      expect(Math.abs(direction[i]! - difference) / largest, `cell ${i}`).toBeLessThan(2e-3)
    }
  })
})

describe('the estimate from outputs alone', () => {
  test('points along the true gradient of a linear classifier, with a cosine of √(n/(n + D)) for n pairs and D cells', async () => {
    const frame = { height: 8, width: 8, channels: 3 }
    const random = createRandom(4)
    const weights = Float32Array.from({ length: 192 }, () => random.normal())
    const image = randomImages(1, 8, 8, 6).data
    const classifier = linearClassifier(8, 8, weights)
    // Over black the slope of cell k is Σ weights·x of its pixel.
    const slope = Float32Array.from({ length: 64 }, (_, k) => [0, 1, 2].reduce((sum, c) => sum + weights[3 * k + c]! * image[3 * k + c]!, 0))
    for (const pairs of [16, 64, 256]) {
      const cosines: number[] = []
      for (let seed = 0; seed < 8; seed++) {
        const settings = readSettings(resolveParameters(sensitivityMask, {
          pairs, deviation: 0.1, resolution: 0, smoothing: 0, 'noise-smoothing': 0, fill: 'zero', shift: 0, score: 'logit', 'area-weight': 0, 'variation-weight': 0,
        }), frame)
        const context: ProbeContext = {
          frame, image, aim: { target: 1, head: 'softmax', kind: 'logit', cap: 0 }, parametrisation: createParametrisation(frame, 0, 0, 1),
          settings: () => settings, costs: () => ({ height: 8, width: 8, areaWeight: 0, variationWeight: 0, prices: new Float32Array(64).fill(1) }),
          fill: createFill('zero', frame, image, 1, createRandom(1)), placements: createRandom(2), noises: createRandom(seed), growth: createGrowth({ height: 8, width: 8 }, createRandom(4)), noiseSmoothing: 0,
        }
        const probe = createQueryProbe(context)
        const data = new Float32Array(probe.images * image.length)
        probe.compose(new Float32Array(64), data)
        const logits = await classifier.logits({ ...frame, count: probe.images, data })
        const { direction, slopes } = probe.read(Array.from({ length: probe.images }, (_, k) => logits.subarray(2 * k, 2 * k + 2)), null)
        cosines.push(cosine(slopes, slope), -cosine(direction, slope))
      }
      const mean = (from: number): number => cosines.filter((_, i) => i % 2 === from).reduce((sum, value) => sum + value, 0) / 8
      const predicted = Math.sqrt(pairs / (pairs + 64))
      expect(Math.abs(mean(0) - predicted), `${pairs} pairs, slopes`).toBeLessThan(0.06)
      // Ranks lose a little.
      expect(Math.abs(mean(1) - predicted), `${pairs} pairs, ranks`).toBeLessThan(0.08)
    }
  })

  test('ranks are centred, and equal values share theirs', () => {
    expect([...centredRanks([3, 1, 2])]).toEqual([0.5, -0.5, 0])
    expect([...centredRanks([1, 1, 5, 0])].map((r) => Number(r.toFixed(4)))).toEqual([0, 0, 0.5, -0.5])
    expect([...centredRanks([7, 7])]).toEqual([0, 0])
  })
})

test('sensitivity: a signed mean less its standard error, weighted; its prices and step factors', () => {
  const running = createSensitivity(3)
  running.add(Float32Array.of(4, -1, 1))
  running.add(Float32Array.of(2, -3, -1))
  const { sensitivity, error } = readSensitivity([running.sums])
  // Means 3, −2, 0; the variance of each mean is 2/2 = 1.
  expect([...error]).toEqual([1, 1, 1])
  expect([...sensitivity]).toEqual([Math.fround(Math.sqrt(8)), 0, 0])
  const weighted = createSensitivity(1)
  weighted.add(Float32Array.of(1), Float32Array.of(3))
  weighted.add(Float32Array.of(100), Float32Array.of(0))
  expect(readSensitivity([weighted.sums]).sensitivity[0]).toBe(1)
  // s/mean s = 2, 0, 1: 1/(½ + ·) = .4, 2, ⅔.
  const prices = pricesOf(Float32Array.of(4, 0, 2))
  expect(prices.reduce((a, b) => a + b, 0)).toBeCloseTo(3, 6)
  expect(prices[1]! / prices[0]!).toBeCloseTo(5, 5)
  expect([...factorsOf(Float32Array.of(4, 0, 2))]).toEqual([2, 0.5, 1])
  expect([...pricesOf(new Float32Array(2)), ...factorsOf(new Float32Array(2))]).toEqual([1, 1, 1, 1])
})

describe('a planted object', () => {
  const side = 16
  const random = createRandom(8)
  const object = Uint8Array.from({ length: side * side }, (_, i) => (Math.abs(Math.floor(i / side) - 5) <= 2 && Math.abs((i % side) - 9) <= 2 ? 1 : 0))
  const data = Float32Array.from({ length: side * side * 3 }, (_, i) => (object[Math.floor(i / 3)] === 1 ? 0.9 : 0.35) + 0.1 * random.uniform())
  const weights = Float32Array.from(data, (_, i) => (object[Math.floor(i / 3)] === 1 ? 0.3 : 0))
  const image: ImageBatch = { count: 1, height: side, width: side, channels: 3, data }
  const quick = { queries: 2560, steps: 80, resolution: 12, smoothing: 0.7, 'noise-smoothing': 0.7, 'area-weight': 4, shift: 4, starts: 1 }

  test('is found from outputs alone, though the classifier throws when it is differentiated', async () => {
    const { explanations: [explanation], steps } = await explain(linearClassifier(side, side, weights, 14), image, quick)
    expect(averagePrecision(explanation!.saliency.data, object)).toBeGreaterThan(0.9)
    const sensitivity = explanation!.parts!.find(({ name }) => name === 'sensitivity')!
    expect(averagePrecision(upsample(sensitivity, side, side).data, object)).toBeGreaterThan(0.8)
    expect(explanation!.evaluations).toEqual({ forward: 2560 + 1 + 8, backward: 0 })
    expect(explanation!.facts!.find(({ label }) => label === 'Queries')!.value).toBe(2569)
    expect(explanation!.facts!.find(({ label }) => label.startsWith('Mean standard error'))!.value).toBeGreaterThan(0)
    expect(steps.at(-1)!.losses['total']!).toBeLessThan(steps[0]!.losses['total']!)
  })

  test('is found with gradients, which are asked for and refused where there are none', async () => {
    const { explanations: [explanation] } = await explain(differentiable(side, side, weights, 14), image, { ...quick, preset: 'maskscope-gradient' })
    expect(averagePrecision(explanation!.saliency.data, object)).toBeGreaterThan(0.9)
    expect(explanation!.evaluations).toEqual({ forward: 80 + 1 + 8, backward: 80 })
    await expect(explain(linearClassifier(side, side, weights), image, { access: 'gradient' })).rejects.toMatchObject({ code: 'unavailable', subject: 'access' })
  })

  test('is found as published: weighed, localised and in stages, whose frames have one size', async () => {
    const { explanations: [explanation], steps } = await explain(linearClassifier(side, side, weights, 14), image, { ...quick, queries: 3840, preset: 'published' })
    expect(averagePrecision(explanation!.saliency.data, object)).toBeGreaterThan(0.8)
    const stored = new Set(storedIterations(120))
    for (const step of steps) {
      expect(step.frame !== undefined).toBe(stored.has(step.iteration))
      const { height, width } = step.frame ?? step.look!()
      expect([height, width]).toEqual([12, 12])
      const { prediction, area, variation, total } = step.losses
      expect(total).toBeCloseTo(prediction! + area! + variation!, 9)
    }
    expect(steps.at(-1)!.frame).toEqual(explanation!.own)
  })
})

describe('the price of the area', () => {
  test('falls with what is kept of the class, and not at all without a hold', () => {
    expect(keptShare(0.4, 0.8, 'preserve')).toBe(0.5)
    expect(keptShare(0.9, 0.8, 'both')).toBe(1)
    expect(keptShare(0.4, 0.8, 'delete')).toBe(0.6)
    expect(keptShare(NaN, NaN, 'preserve')).toBe(1)
    expect(shareOfPrice(0.45, 0.9)).toBe(0.5)
    expect(shareOfPrice(0.95, 0.9)).toBe(1)
    expect(shareOfPrice(0, 0)).toBe(1)
  })

  test.each(['query', 'gradient'])('that is too high for a large object does not give it up: %s', async (access) => {
    const side = 16
    const object = Uint8Array.from({ length: side * side }, (_, i) => (i % side >= 6 ? 1 : 0))
    const data = Float32Array.from({ length: side * side * 3 }, (_, i) => (object[Math.floor(i / 3)] === 1 ? 0.9 : 0.2))
    const weights = Float32Array.from(data, (_, i) => (object[Math.floor(i / 3)] === 1 ? 6 / (0.9 * 480) : 0))
    const image: ImageBatch = { count: 1, height: side, width: side, channels: 3, data }
    // Hidden, −log p is 3.05; shown, five eighths of a price of 16.
    const set = { access, queries: 5120, steps: 160, resolution: 12, fill: 'zero', shift: 0, 'area-weight': 16, ceiling: 0, smoothing: 1 }
    const [given, kept] = await Promise.all([0, 0.9].map(async (hold) => (await explain(differentiable(side, side, weights, 3), image, { ...set, hold })).explanations[0]!))
    expect(given!.probability.masked).toBeLessThan(0.1)
    expect(averagePrecision(kept!.saliency.data, object)).toBeGreaterThan(0.95)
    expect(kept!.probability.masked).toBeGreaterThan(0.3)
  })
})

test.each(['query', 'gradient'])('no cell goes above the ceiling, with the access %s', async (access) => {
  const set = { access, queries: 800, steps: 100, pairs: 4, resolution: 6, starts: 1, 'area-weight': 0, 'variation-weight': 0 }
  const highest = async (ceiling: number): Promise<number> => {
    const { explanations: [explanation] } = await explain(analyticClassifier({ height: 12, width: 10 }), single(randomImages(1, 12, 10), 0), { ...set, ceiling })
    return Math.max(...explanation!.parts!.find(({ name }) => name === 'mask')!.data)
  }
  const sigmoid = (value: number): number => 1 / (1 + Math.exp(-value))
  expect(await highest(2)).toBeLessThanOrEqual(sigmoid(2) + 1e-6)
  expect(await highest(0)).toBeGreaterThan(sigmoid(2) + 0.02)
})

test('a mask is ranked by what stands before its sigmoid, a blurred one by itself', async () => {
  const image = randomImages(1, 12, 10)
  const set = { queries: 200, pairs: 4, resolution: 6, starts: 1, map: 'mask', edges: 0 }
  const of = async (more: Record<string, unknown>): Promise<Explanation> => (await explain(analyticClassifier({ height: 12, width: 10 }), image, { ...set, ...more })).explanations[0]!
  expect((await of({})).ranking).toBeDefined()
  expect((await of({ 'map-blur': 6 })).ranking).toBeUndefined()
})

test('with outputs alone all starts share the queries', async () => {
  const image = single(randomImages(1, 12, 10), 0)
  for (const [starts, restarts] of [[1, 1], [2, 1], [3, 2], [5, 1]] as const) {
    const { explanations: [explanation] } = await explain(analyticClassifier({ height: 12, width: 10 }), image, { queries: 1000, pairs: 4, resolution: 6, starts, restarts })
    const { iterations, evaluations: { forward } } = explanation!
    // The clean image, and the finished mask under eight fills.
    const asked = forward - 9
    expect(asked).toBe(8 * restarts * (iterations + (starts - 1) * contestEnd({ starts, iterations })))
    expect(asked).toBeLessThanOrEqual(1000)
    expect(asked).toBeGreaterThan(1000 - 8 * restarts * (starts + 1))
  }
  await expect(explain(analyticClassifier({ height: 12, width: 10 }), image, { queries: 10, pairs: 4, starts: 3 })).rejects.toThrow(/queries is 10, and one step takes 12; raise it, or lower pairs, restarts or starts/)
})

describe.each(['query', 'gradient'])('with the access %s', (access) => {
  const images = randomImages(2, 12, 10)
  const classifier = (): Classifier => analyticClassifier({ height: 12, width: 10 })
  const set = { access, queries: 240, pairs: 4, steps: 30, resolution: 6, weigh: true, localise: true, stages: 2, restarts: 2, starts: 1, map: 'sum' }

  test('the same seed gives the same bytes, and a batch what singles give', async () => {
    const both = await explain(classifier(), images, set)
    expect((await explain(classifier(), images, set)).explanations).toEqual(both.explanations)
    for (const i of [0, 1]) {
      const alone = await explain(classifier(), single(images, i), set, { seeds: [i] })
      expect(alone.explanations[0]).toEqual(both.explanations[i])
    }
    const other = await explain(classifier(), single(images, 0), set, { seeds: [5] })
    expect(other.explanations[0]!.own).not.toEqual(both.explanations[0]!.own)
  })

  test('the starts are those of as many restarts, until the best goes on alone; each image has its own contest', async () => {
    const plain = { ...set, stages: 1, restarts: 1, starts: 1, weigh: false, localise: false }
    const iterations = access === 'query' ? 21 : 30
    const end = contestEnd({ starts: 3, iterations })
    const totals = ({ steps }: Outcome): number[] => steps.map(({ losses }) => losses['total']!)
    const one = single(images, 0)
    const [starts, restarts] = [await explain(classifier(), one, { ...plain, starts: 3 }), await explain(classifier(), one, { ...plain, queries: 3 * 8 * iterations, restarts: 3 })]
    expect([starts.explanations[0]!.iterations, restarts.explanations[0]!.iterations]).toEqual([iterations, iterations])
    expect(totals(starts).slice(0, end)).toEqual(totals(restarts).slice(0, end))
    for (let i = end; i < iterations; i++) expect(totals(starts)[i]).not.toBe(totals(restarts)[i])

    const both = await explain(classifier(), images, { ...plain, starts: 3 })
    for (const i of [0, 1]) expect((await explain(classifier(), single(images, i), { ...plain, starts: 3 }, { seeds: [i] })).explanations[0]).toEqual(both.explanations[i])
  })

  test('a run that is cancelled ends as such, at the start and on the way', async () => {
    const controller = new AbortController()
    await expect(explain(classifier(), images, set, { signal: AbortSignal.abort() })).rejects.toMatchObject({ code: 'cancelled' })
    const steer = async (iteration: number): Promise<null> => {
      if (iteration === 3) controller.abort()
      return null
    }
    await expect(explain(classifier(), images, set, { signal: controller.signal, steer })).rejects.toMatchObject({ code: 'cancelled' })
  })

  test.each(['mask', 'sensitivity', 'product', 'sum'])('a constant classifier gives a note and numbers: %s', async (map) => {
    const constant = analyticClassifier({ height: 12, width: 10, strength: 0 })
    const { explanations: [explanation], steps } = await explain(constant, single(images, 0), { ...set, stages: 1, map })
    expect(explanation!.notes.join(' ')).toMatch(/answered the same to every mask/)
    const numbers = [...explanation!.saliency.data, ...explanation!.parts!.flatMap(({ data }) => [...data]), ...steps.flatMap(({ losses }) => Object.values(losses))]
    expect(numbers.every(Number.isFinite)).toBe(true)
  })

  test('a change on the way holds from its step on', async () => {
    const one = single(images, 0)
    const plain = await explain(classifier(), one, set)
    const changed = await explain(classifier(), one, set, { steer: async (iteration) => (iteration === 6 ? { 'area-weight': 20 } : null) })
    const terms = ({ steps }: Outcome): Record<string, number>[] => steps.map(({ losses }) => losses)
    expect(terms(changed).slice(0, 6)).toEqual(terms(plain).slice(0, 6))
    expect(terms(changed)[6]!['area']! / terms(plain)[6]!['area']!).toBeCloseTo(20 / Number(resolveParameters(sensitivityMask, set)['area-weight']), 5)
    expect(terms(changed)[6]!['prediction']).toBe(terms(plain)[6]!['prediction'])
  })
})

test('outputs that are no probabilities are explained by their logit, and the probability is unknown', async () => {
  const classifier = analyticClassifier({ height: 12, width: 10, head: 'none' })
  const images = randomImages(1, 12, 10)
  const { explanations: [explanation], steps } = await explain(classifier, images, { queries: 64, pairs: 4, resolution: 6, score: 'logit' })
  expect(steps.every(({ probability }) => Number.isNaN(probability))).toBe(true)
  expect(explanation!.saliency.data.every(Number.isFinite)).toBe(true)
  await expect(explain(classifier, images, { queries: 64, pairs: 4 })).rejects.toMatchObject({ code: 'unavailable', subject: 'score' })
})

test('a budget below one step is refused by name', async () => {
  const images = randomImages(1, 12, 10)
  await expect(explain(analyticClassifier({ height: 12, width: 10 }), images, { queries: 20 })).rejects.toMatchObject({ code: 'usage', subject: 'queries' })
})

test('what is hidden is shown as the judged fill', () => {
  const { data: image } = randomImages(1, 12, 10)
  const ask = (set: Record<string, unknown>): { picture: Float32Array; name: string } =>
    sensitivityMask.baseline!({ image, height: 12, width: 10, channels: 3, seed: 3, parameters: resolveParameters(sensitivityMask, set) })!
  expect(ask({}).name).toBe('drawn textures (one example)')
  expect(ask({}).picture).toEqual(ask({}).picture)
  expect(ask({ fill: 'zero' }).picture.every((v) => v === 0)).toBe(true)
})

function cosine(a: Float32Array, b: Float32Array): number {
  const dot = (x: Float32Array, y: Float32Array): number => x.reduce((sum, value, i) => sum + value * y[i]!, 0)
  return dot(a, b) / Math.sqrt(dot(a, a) * dot(b, b))
}

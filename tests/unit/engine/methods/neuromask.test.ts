import { describe, expect, test } from 'vitest'
import { analyticClassifier, type AnalyticClassifier } from '../../../fixtures/analytic-classifier.ts'
import type { Classifier } from '#engine/classifier/classifier.ts'
import { findMethod, methods } from '#engine/methods/registry.ts'
import type { ExplainTask } from '#engine/methods/method.ts'
import { MaskscopeError } from '#shared/domain/errors.ts'
import type { ImageBatch } from '#shared/domain/image.ts'
import { resolveParameters } from '#shared/domain/parameters.ts'
import { storedIterations } from '#shared/domain/run.ts'
import { upsample } from '#shared/imaging/interpolation.ts'
import { certain, explain, neuromask, randomImages, single } from './neuromask-runs.ts'

test('the registry offers it and names what it knows otherwise', () => {
  expect(methods.map((m) => m.id)).toContain('neuromask')
  expect(() => findMethod('neuro-mask')).toThrow(/neuromask/)
})

test('the published presets are offered under their names and complete', () => {
  expect(neuromask.presets.map((p) => p.title)).toEqual(['Maskscope', 'Maskscope, mask alone', 'ImageNet demo', 'CIFAR-10 demo', 'Class defaults'])
  const names = neuromask.parameters.map((p) => p.name).sort()
  for (const preset of neuromask.presets) expect(Object.keys(preset.values).sort()).toEqual(names)
  const imagenet = resolveParameters(neuromask, { preset: 'imagenet-demo' })
  expect(imagenet).toMatchObject({
    iterations: 2000, 'learning-rate': 0.03, 'prediction-weight': 0.4, 'sparsity-weight': 0.35, 'smoothness-weight': 0.03,
    temperature: 0.3, offset: 10, 'init-range': 10, kernel: '5x5', resolution: 0, smoothing: 0, fill: 'zero', shift: 0,
    flip: false, noise: 0, averaging: 0, restarts: 1, starts: 1, edges: 0, mode: 'preserve', 'early-stopping': false,
  })
  expect(resolveParameters(neuromask, { preset: 'cifar10-demo' })).toMatchObject({ 'smoothness-weight': 0.15, temperature: 1, kernel: '3x3' })
  expect(resolveParameters(neuromask, { preset: 'class-defaults' })).toMatchObject({
    iterations: 1000, 'prediction-weight': 50, 'sparsity-weight': 16, 'smoothness-weight': 3, temperature: 0.3,
  })
  // Every parameter's own default is our preset's value.
  for (const parameter of neuromask.parameters) expect(neuromask.presets[0]!.values[parameter.name]).toBe(parameter.default)
})

describe('the published ImageNet demo', () => {
  test('its loss falls as the authors logged it, whatever the classifier: 299², first 350 steps', async () => {
    const controller = new AbortController()
    const images: ImageBatch = { ...randomImages(1, 1, 1), height: 299, width: 299, data: new Float32Array(299 * 299 * 3) }
    const task: ExplainTask = {
      classifier: certain(299, 299), images, targets: [0], seeds: [11], signal: controller.signal,
      parameters: resolveParameters(neuromask, { preset: 'imagenet-demo' }),
    }
    const totals = new Map<number, number>()
    for await (const news of neuromask.explain(task)) {
      totals.set(news.iteration, news.losses['total']!)
      if (news.iteration === 350) break
    }
    const published = { 0: 603.8, 50: 599.8, 100: 549.3, 150: 366.5, 200: 205.1, 250: 101.5, 300: 42.3, 350: 14.14 }
    for (const [iteration, total] of Object.entries(published)) {
      expect(Math.abs(totals.get(Number(iteration))! / total - 1), `iteration ${iteration}`).toBeLessThan(0.01)
    }
  })
})

describe('the objective', () => {
  const shape = { height: 9, width: 8 }
  const images = randomImages(1, 9, 8, 5)

  test('loss terms by hand: constant w = 0 over black', async () => {
    const classifier = analyticClassifier({ ...shape, classes: 3 })
    const { progress } = await explain(classifier, images, {
      preset: 'imagenet-demo', iterations: 1, 'init-range': 0, 'sparsity-weight': 0.35, 'prediction-weight': 0.4,
    })
    // w = 0: m = ½ everywhere, mean|w + 10| = 10, and no curvature.
    const half = await classifier.logits({ ...images, data: images.data.map((v) => v / 2) })
    const logSum = Math.log(half.reduce((sum, z) => sum + Math.exp(z), 0))
    expect(progress[0]!.losses['prediction']!).toBeCloseTo(0.4 * (logSum - half[1]!), 5)
    expect(progress[0]!.losses['sparsity']!).toBeCloseTo(3.5, 6)
    expect(progress[0]!.losses['smoothness']!).toBe(0)
    expect(progress[0]!.losses['total']!).toBeCloseTo(3.5 + 0.4 * (logSum - half[1]!), 5)
    expect(progress[0]!.probability).toBeCloseTo(Math.exp(half[1]! - logSum), 6)
  })

  // Settings that together visit every branch of composition, parametrisation and loss.
  const cases: [string, Record<string, unknown>][] = [
    ['published', { preset: 'cifar10-demo', 'init-range': 1 }],
    ['coarse, smoothed, drawn fill, shifted', { resolution: 4, smoothing: 0.8, kernel: '3x3', shift: 2 }],
    ['delete over noise, flipped', { mode: 'delete', fill: 'noise', flip: true, shift: 1, resolution: 0, temperature: 0.5 }],
    ['both over blur, with noise', { mode: 'both', fill: 'blur', blur: 2, noise: 0.1, resolution: 5, smoothing: 0 }],
    ['grown', { fill: 'mean', growth: 1, resolution: 6, 'init-range': 3 }],
    ['mean fill, 5×5', { fill: 'mean', kernel: '5x5', resolution: 6, smoothing: 1.5, 'init-range': 2 }],
  ]
  test.each(cases)('its gradient agrees with finite differences: %s', async (_name, set) => {
    const { createTrial, createPlan } = await import('#engine/methods/neuromask-trial.ts')
    const { createParametrisation } = await import('#engine/methods/masks/parametrisation.ts')
    const { readSettings } = await import('#engine/methods/neuromask-parameters.ts')
    const settings = readSettings(resolveParameters(neuromask, { 'init-range': 1, ...set, 'sparsity-weight': 0.7, 'smoothness-weight': 0.2 }))
    const classifier = analyticClassifier({ ...shape, seed: 9 })
    const frame = { ...shape, channels: 3 }
    const parametrisation = createParametrisation(shape, settings.resolution, settings.smoothing, settings.temperature)
    const plan = createPlan(frame, 'softmax', settings, parametrisation)
    const size = 9 * 8 * 3

    // A fresh trial with the same seed makes the same draws, so only the moved weight differs.
    async function evaluate(move: (w: Float32Array) => void): Promise<{ total: number; gradient: Float32Array }> {
      // A seed whose first mask is grown, where masks are.
      const trial = createTrial(plan, images.data, 2, 79, 0)
      move(trial.weights)
      const count = trial.scores.length
      const data = new Float32Array(count * size)
      trial.compose(data)
      const answer = await classifier.scoreGradient({ ...frame, count, data }, trial.scores)
      const rows = Array.from({ length: count }, (_, k) => answer.logits.subarray(k * 4, k * 4 + 4))
      return { total: trial.learn(rows, answer.gradient).total, gradient: trial.gradient }
    }
    const { gradient } = await evaluate(() => undefined)
    const steepest = Math.max(...gradient.map(Math.abs))
    expect(steepest).toBeGreaterThan(1e-3)
    for (let i = 0; i < gradient.length; i += 3) {
      const up = await evaluate((w) => (w[i]! += 0.01))
      const down = await evaluate((w) => (w[i]! -= 0.01))
      expect(Math.abs((up.total - down.total) / 0.02 - gradient[i]!), `weight ${i}`).toBeLessThan(0.01 * steepest)
    }
  })

  test('one step agrees with an independent computation in double precision', async () => {
    const classifier = analyticClassifier({ ...shape, seed: 4 })
    const set = { preset: 'imagenet-demo', iterations: 1, kernel: '3x3', 'init-range': 1, 'learning-rate': 0.05, 'smoothness-weight': 0.1 }
    const { progress, explanations } = await explain(classifier, images, set, { seeds: [3], targets: [2] })
    const T = 0.3
    const start = [...progress[0]!.frame!.data].map((m) => T * Math.log(m / (1 - m)))
    // Gradient of the whole loss by finite differences of its definition.
    const loss = async (w: number[]): Promise<number> => {
      const data = images.data.map((v, i) => v / (1 + Math.exp(-w[Math.floor(i / 3)]! / T)))
      const logits = await classifier.logits({ ...images, data })
      const logSum = Math.log(logits.reduce((sum, z) => sum + Math.exp(z), 0))
      let curved = 0
      for (let y = 0; y < 7; y++) {
        for (let x = 0; x < 6; x++) {
          let r = 0
          for (let dy = 0; dy < 3; dy++) for (let dx = 0; dx < 3; dx++) r += (dy === 1 && dx === 1 ? 8 : -1) * w[(y + dy) * 8 + x + dx]!
          curved += (r * r) / 42
        }
      }
      return 0.4 * (logSum - logits[2]!) + (0.35 * w.reduce((sum, v) => sum + Math.abs(v + 10), 0)) / 72 + 0.1 * curved
    }
    const v = explanations[0]!.ranking!.data
    for (let i = 0; i < 72; i++) {
      const slope = ((await loss(start.map((w, k) => (k === i ? w + 0.02 : w)))) - (await loss(start.map((w, k) => (k === i ? w - 0.02 : w))))) / 0.04
      const expected = start[i]! - (0.05 * slope) / Math.sqrt(0.9 + 0.1 * slope * slope + 1e-10)
      expect(v[i]! * T, `weight ${i}`).toBeCloseTo(expected, 3)
    }
  })

  test('class 0 is a target like any other', async () => {
    const classifier = analyticClassifier({ ...shape, strength: 2 })
    const set = { iterations: 200, resolution: 0, smoothing: 0, fill: 'mean', shift: 0, 'sparsity-weight': 0.001, 'smoothness-weight': 0 }
    const zero = await explain(classifier, images, set, { targets: [0] })
    const other = await explain(classifier, images, set, { targets: [3] })
    expect(zero.explanations[0]!.target).toBe(0)
    expect(zero.explanations[0]!.probability.masked).toBeGreaterThan(zero.progress[0]!.probability)
    expect(zero.explanations[0]!.probability.masked).toBeGreaterThan(0.9)
    expect(other.explanations[0]!.probability.masked).toBeGreaterThan(other.progress[0]!.probability)
    expect(zero.explanations[0]!.own.data).not.toEqual(other.explanations[0]!.own.data)
  })

  test('a sigmoid head is taken class by class; an unknown head is refused', async () => {
    const classifier = analyticClassifier({ ...shape, head: 'sigmoid' })
    const { progress } = await explain(classifier, images, { preset: 'imagenet-demo', iterations: 1, 'init-range': 0 })
    const half = await classifier.logits({ ...images, data: images.data.map((v) => v / 2) })
    expect(progress[0]!.probability).toBeCloseTo(1 / (1 + Math.exp(-half[1]!)), 6)
    await expect(explain(analyticClassifier({ ...shape, head: 'none' }), images)).rejects.toThrow(/model card/)
  })
})

describe('the run', () => {
  const shape = { height: 16, width: 16 }
  const images = randomImages(3, 16, 16, 8)
  const quick = { iterations: 24, resolution: 8, starts: 1, edges: 0 }

  test('progress carries three terms and their total at every step, and a mask at the stored ones', async () => {
    const { progress, explanations } = await explain(analyticClassifier(shape), single(images, 0), quick)
    expect(progress.map((p) => p.iteration)).toEqual(Array.from({ length: 25 }, (_, i) => i))
    for (const { losses, probability } of progress) {
      expect(Object.keys(losses)).toEqual(['prediction', 'sparsity', 'smoothness', 'total'])
      expect(losses['prediction']! + losses['sparsity']! + losses['smoothness']!).toBeCloseTo(losses['total']!, 6)
      expect(probability).toBeGreaterThan(0)
      expect(probability).toBeLessThanOrEqual(1)
    }
    expect(progress.filter((p) => p.frame).map((p) => p.iteration)).toEqual(storedIterations(24))
    const [explanation] = explanations
    expect(progress.at(-1)!.frame!.data).toEqual(explanation!.own.data)
    expect(progress.at(-1)!.probability).toBe(explanation!.probability.masked)
    // Frames are the masks of their own time.
    const frames = progress.flatMap((p) => (p.frame ? [p.frame.data.join()] : []))
    expect(new Set(frames).size).toBe(frames.length)
  })

  test('the explanation: map at the input size, own resolution, ranking, limits, evaluations', async () => {
    const classifier = analyticClassifier(shape)
    const { explanations } = await explain(classifier, single(images, 0), { ...quick, temperature: 0.5, mode: 'both', restarts: 2 })
    const explanation = explanations[0]!
    expect(explanation.own).toMatchObject({ height: 8, width: 8 })
    expect(explanation.saliency).toEqual(upsample(explanation.own, 16, 16))
    explanation.ranking!.data.forEach((v, i) => expect(1 / (1 + Math.exp(-v))).toBeCloseTo(explanation.own.data[i]!, 6))
    expect(explanation.range).toEqual([0, 1])
    expect(explanation.signed).toBe(false)
    expect(explanation.iterations).toBe(24)
    // Two restarts of two images each; the clean image; eight fills of two images each.
    expect(explanation.evaluations).toEqual({ forward: 1 + 24 * 4 + 16, backward: 24 * 4 })
    expect(classifier.calls).toEqual(explanation.evaluations)
    const clean = await classifier.logits(single(images, 0))
    const p = Math.exp(clean[1]!) / clean.reduce((sum, z) => sum + Math.exp(z), 0)
    expect(explanation.probability.original).toBeCloseTo(p, 5)
  })

  test('the finished mask is the mean of w over the last part, before the sigmoid', async () => {
    const set = { ...quick, iterations: 8, averaging: 0.5, fill: 'mean', shift: 0 }
    const { progress, explanations } = await explain(analyticClassifier(shape), single(images, 0), set)
    // Iterations 5 to 8: the iterate after step 8 is seen in a run without averaging.
    const last = await explain(analyticClassifier(shape), single(images, 0), { ...set, averaging: 0 })
    const logit = (m: number): number => Math.log(m / (1 - m))
    const iterates = [5, 6, 7].map((i) => progress[i]!.frame?.data).concat([last.explanations[0]!.own.data])
    expect(iterates.every((frame) => frame !== undefined)).toBe(true)
    explanations[0]!.ranking!.data.forEach((v, k) => {
      expect(v).toBeCloseTo(iterates.reduce((sum, frame) => sum + logit(frame![k]!), 0) / 4, 3)
    })
  })

  test('a batch gives what singles give, and the same seed the same bytes', async () => {
    const set = { ...quick, flip: true, noise: 0.05, restarts: 2 }
    const options = { targets: [0, 1, 2], seeds: [5, 6, 5] }
    const batch = await explain(analyticClassifier(shape), images, set, options)
    const again = await explain(analyticClassifier(shape), images, set, options)
    expect(again).toEqual(batch)
    for (let i = 0; i < 3; i++) {
      const alone = await explain(analyticClassifier(shape), single(images, i), set, { targets: [i], seeds: [options.seeds[i]!] })
      expect(alone.explanations[0]).toEqual(batch.explanations[i])
      expect(alone.progress.map((p) => p.losses)).toEqual(batch.progress.filter((p) => p.image === i).map((p) => p.losses))
    }
    const other = await explain(analyticClassifier(shape), single(images, 0), set, { targets: [0], seeds: [7] })
    expect(other.explanations[0]!.own.data).not.toEqual(batch.explanations[0]!.own.data)
  })

  test('early stopping ends each image on its own plateau, says so, and is off by default', async () => {
    const set = { iterations: 2000, resolution: 8, fill: 'mean', shift: 0, patience: 20, tolerance: 0.001, averaging: 0 }
    const stopping = { ...set, 'early-stopping': true }
    const batch = await explain(analyticClassifier(shape), images, stopping)
    for (const [i, explanation] of batch.explanations.entries()) {
      expect(explanation.iterations).toBeLessThan(2000)
      expect(explanation.notes.join()).toMatch(/plateau/)
      const mine = batch.progress.filter((p) => p.image === i)
      expect(mine.at(-1)!.iteration).toBe(explanation.iterations)
      expect(mine.at(-1)!.frame!.data).toEqual(explanation.own.data)
      const alone = await explain(analyticClassifier(shape), single(images, i), stopping, { seeds: [i] })
      expect(alone.explanations[0]).toEqual(explanation)
      // The rule itself, on the logged totals.
      const totals = mine.map((p) => p.losses['total']!)
      const mean = (from: number, to: number): number => totals.slice(from, to).reduce((a, b) => a + b, 0) / (to - from)
      const end = explanation.iterations
      const fall = mean(end - 40, end - 20) - mean(end - 20, end)
      expect(fall).toBeLessThanOrEqual(0.001 * mean(end - 40, end - 20) + 1e-9)
    }
    const averaged = await explain(analyticClassifier(shape), single(images, 0), { ...stopping, averaging: 0.25 })
    const stopped = batch.explanations[0]!.iterations
    expect(averaged.explanations[0]!.iterations).toBe(stopped + Math.ceil(stopped / 3))
    const full = await explain(analyticClassifier(shape), single(images, 0), { ...set, iterations: 300 })
    expect(full.explanations[0]!.iterations).toBe(300)
  })

  test('an abort ends it with "cancelled" at the next step', async () => {
    const controller = new AbortController()
    const classifier = analyticClassifier(shape)
    const run = neuromask.explain({
      classifier, images: single(images, 0), targets: [0], seeds: [0], signal: controller.signal,
      parameters: resolveParameters(neuromask, quick),
    })
    for (let i = 0; i < 4; i++) await run.next()
    controller.abort()
    const before = classifier.calls.backward
    await expect(run.next()).rejects.toMatchObject({ code: 'cancelled' })
    expect(classifier.calls.backward).toBe(before)
  })

  test('says why a mask is constant, and refuses a diverged run', async () => {
    const blind = await explain(analyticClassifier({ ...shape, strength: 0 }), single(images, 0), { iterations: 300, resolution: 6, smoothing: 2, averaging: 0 })
    expect(blind.explanations[0]!.notes.join(' ')).toMatch(/gradient was zero/)
    expect(blind.explanations[0]!.notes.join(' ')).toMatch(/constant at .*lower sparsity-weight/)
    const broken: AnalyticClassifier = analyticClassifier(shape)
    const poisoned: Classifier = {
      ...broken,
      async scoreGradient(batch, scores) {
        const answer = await broken.scoreGradient(batch, scores)
        return { ...answer, gradient: answer.gradient.fill(NaN) }
      },
    }
    const failure = explain(poisoned, single(images, 0), quick)
    await expect(failure).rejects.toBeInstanceOf(MaskscopeError)
    await expect(failure).rejects.toThrow(/no longer a number at iteration 1/)
  })

  test('a mask smaller than the kernel is refused by name', async () => {
    const failure = explain(analyticClassifier(shape), single(images, 0), { resolution: 4, kernel: '5x5' })
    await expect(failure).rejects.toMatchObject({ code: 'usage', subject: 'resolution' })
  })
})

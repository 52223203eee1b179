import { describe, expect, test } from 'vitest'
import type { Classifier } from '#engine/classifier/classifier.ts'
import { areaTerm, createExtremalPlan, createExtremalTrial } from '#engine/methods/extremal-perturbation-trial.ts'
import { extremalPerturbation } from '#engine/methods/extremal-perturbation.ts'
import { createIgosSubject, igosLoss } from '#engine/methods/igos-plus-plus-objective.ts'
import { igosPlusPlus } from '#engine/methods/igos-plus-plus.ts'
import { createPerturbationPlan, createPerturbationTrial } from '#engine/methods/meaningful-perturbation-trial.ts'
import { meaningfulPerturbation } from '#engine/methods/meaningful-perturbation.ts'
import type { Method } from '#engine/methods/method.ts'
import { createCells } from '#engine/methods/perturbation/cells.ts'
import type { MaskTrial } from '#engine/methods/perturbation/mask-run.ts'
import { movePicture, movePictureBack } from '#engine/methods/perturbation/moved.ts'
import { blurPyramid } from '#engine/methods/perturbation/pyramid.ts'
import { createSmoothMax } from '#engine/methods/perturbation/smooth-max.ts'
import { differencePower, isotropicVariation } from '#engine/methods/perturbation/variation.ts'
import type { ImageBatch } from '#shared/domain/image.ts'
import { resolveParameters } from '#shared/domain/parameters.ts'
import { storedIterations, type Explanation, type Progress } from '#shared/domain/run.ts'
import { upsample } from '#shared/imaging/interpolation.ts'
import { createRandom } from '#shared/random/random.ts'
import { analyticClassifier, scoreSlopes } from '../../../fixtures/analytic-classifier.ts'

const random = createRandom(4, 'masks')
const values = (length: number, lo = 0.05, hi = 0.95): Float32Array => Float32Array.from({ length }, () => random.between(lo, hi))
function dot(a: ArrayLike<number>, b: ArrayLike<number>): number {
  let sum = 0
  for (let i = 0; i < a.length; i++) sum += a[i]! * b[i]!
  return sum
}

/** Compares a gradient with central differences of f at some places. */
async function expectGradient(at: Float32Array, gradient: ArrayLike<number>, f: (x: Float32Array) => number | Promise<number>, every = 1, by = 0.004): Promise<void> {
  const steepest = Math.max(...Array.from(gradient, Math.abs))
  expect(steepest).toBeGreaterThan(0)
  for (let i = 0; i < at.length; i += every) {
    const [up, down] = [at.slice(), at.slice()]
    up[i]! += by
    down[i]! -= by
    const slope = ((await f(up)) - (await f(down))) / (up[i]! - down[i]!)
    expect(Math.abs(slope - gradient[i]!), `place ${i}: ${slope} and ${gradient[i]!}`).toBeLessThan(0.01 * steepest)
  }
}

describe('pieces', () => {
  test('variation of either form, weighted pairs too', async () => {
    const map = values(30)
    const pairs = { down: values(24), right: values(25) }
    for (const beta of [1.5, 2, 3]) {
      for (const form of [differencePower, isotropicVariation] as const) {
        const gradient = new Float32Array(30)
        form(map, 5, 6, beta, 2, gradient)
        await expectGradient(map, gradient, (x) => form(x, 5, 6, beta, 2, new Float32Array(30)))
      }
      const gradient = new Float32Array(30)
      differencePower(map, 5, 6, beta, 2, gradient, pairs)
      await expectGradient(map, gradient, (x) => differencePower(x, 5, 6, beta, 2, new Float32Array(30), pairs))
    }
    // One step of 1 between two halves: of 20 pairs across 4 rows, 4 differ by 1.
    const step = Float32Array.from({ length: 24 }, (_, i) => (i % 6 < 3 ? 0 : 1))
    expect(differencePower(step, 4, 6, 3, 10, new Float32Array(24))).toBeCloseTo(10 * (4 / 20), 6)
    expect(isotropicVariation(step, 4, 6, 3, 10, new Float32Array(24))).toBeCloseTo(10 * (4 / 24), 6)
  })

  test('the way back of cells and of moved pictures is the adjoint', () => {
    for (const enlargement of ['bilinear', 'blurred'] as const) {
      const cells = createCells({ height: 12, width: 18 }, { resolution: 4, enlargement, sigma: 1.3, throughBlur: true })
      expect([cells.height, cells.width]).toEqual([4, 6])
      const [small, large] = [values(24), values(216)]
      expect(dot(cells.enlarge(small), large)).toBeCloseTo(dot(small, cells.shrink(large)), 3)
      expect(cells.enlarge(new Float32Array(24).fill(1)).every((v) => Math.abs(v - 1) < 1e-5)).toBe(true)
    }
    // Left out on the way back: squares are summed.
    const plain = createCells({ height: 4, width: 4 }, { resolution: 2, enlargement: 'blurred', sigma: 2, throughBlur: false })
    expect([...plain.shrink(Float32Array.from({ length: 16 }, (_, i) => (i === 5 ? 1 : 0)))]).toEqual([1, 0, 0, 0])
    const frame = { height: 5, width: 4, channels: 3 }
    for (const move of [{ down: 2, right: -1, flip: false }, { down: 0, right: 0, flip: true }, { down: -9, right: 3, flip: true }]) {
      const [picture, gradient, out] = [values(60), values(60), new Float32Array(60)]
      movePicture(frame, picture, move, out)
      expect(dot(out, gradient)).toBeCloseTo(dot(picture, movePictureBack(frame, gradient, move)), 3)
    }
  })

  test('the smooth maximum: range, size on large images, gradient', async () => {
    const smoothMax = createSmoothMax({ height: 8, width: 10 }, { step: 28, sigma: 42, margin: 42, coldness: 20 })
    const parameters = values(smoothMax.parameters)
    const mask = smoothMax.apply(parameters)
    const weights = values(mask.length)
    const trace = smoothMax.createTrace()
    smoothMax.apply(parameters, trace)
    const gradient = smoothMax.pullBack(parameters, mask, trace, weights)
    await expectGradient(parameters, gradient, (x) => dot(smoothMax.apply(x), weights), 3)
    // A place as the paper defines it: lattice and parameters 1 px apart, σ 1.5 px, a margin of 2 places.
    const near = Array.from({ length: 80 }, (_, cell) => ({ value: parameters[cell]!, distance: Math.hypot(Math.floor(cell / 10) - 3, (cell % 10) - 4) / 1.5 })).filter(({ distance }) => distance <= 1.75)
    const damped = near.map(({ value, distance }) => value * Math.exp(-2 * Math.max(0, distance - 0.5) ** 2))
    const [above, below] = [damped.reduce((sum, v) => sum + v * Math.exp(20 * v), 0), damped.reduce((sum, v) => sum + Math.exp(20 * v), 0)]
    expect(smoothMax.crop(mask)[3 * 10 + 4]).toBeCloseTo(above / below, 6)
    // All ones gives nearly ones: never more than the maximum.
    const ones = smoothMax.crop(smoothMax.apply(new Float32Array(smoothMax.parameters).fill(1)))
    expect(Math.min(...ones)).toBeGreaterThan(0.85)
    expect(Math.max(...ones)).toBeLessThanOrEqual(1)
    expect([...smoothMax.apply(new Float32Array(smoothMax.parameters))].every((v) => v === 0)).toBe(true)
    const large = createSmoothMax({ height: 224, width: 448 }, { step: 7, sigma: 21, margin: 21, coldness: 20 })
    expect([large.inner, large.height, large.width]).toEqual([{ height: 32, width: 64 }, 38, 70])
    const [small, wide] = [values(38 * 70), values(224 * 448)]
    expect(dot(large.enlarge(small), wide) / dot(small, large.shrink(wide))).toBeCloseTo(1, 4)
  })

  test('the blur pyramid ends in the image and in its blur; its gradient', async () => {
    const frame = { height: 6, width: 5, channels: 3 }
    const image = values(90)
    const pyramid = blurPyramid(frame, image, 4, 2)
    const out = new Float32Array(90)
    pyramid.compose(new Float32Array(30).fill(1), out)
    expect(Math.max(...out.map((v, i) => Math.abs(v - image[i]!)))).toBeLessThan(1e-6)
    pyramid.compose(new Float32Array(30), out)
    expect(out).toEqual(pyramid.darkest)
    const [mask, weights, gradient] = [values(30), values(90, -1, 1), new Float32Array(30)]
    for (let i = 0; i < 30; i++) if (Math.abs(mask[i]! * 3 - Math.round(mask[i]! * 3)) < 0.03) mask[i]! += 0.04
    pyramid.pullBack(mask, weights, 2, gradient)
    await expectGradient(mask, gradient, (x) => {
      const composed = new Float32Array(90)
      pyramid.compose(x, composed)
      return 2 * dot(composed, weights)
    })
  })

  test('the area term: by hand, ties, gradient', async () => {
    // 10 places, a tenth wanted: nine zeros and one 1.
    const mask = Float32Array.of(0, 0.2, 0, 0, 0.9, 0, 0, 0, 0, 0)
    expect(areaTerm(mask, 1, 300, new Float32Array(10))).toBeCloseTo((300 * (0.04 + 0.01)) / 10, 5)
    expect(areaTerm(new Float32Array(10).fill(0.5), 3, 1, new Float32Array(10))).toBeCloseTo(0.25, 6)
    const gradient = new Float32Array(10)
    areaTerm(new Float32Array(10).fill(0.5), 3, 1, gradient)
    for (const slope of gradient) expect(slope).toBeCloseTo(0.04, 6)
    const map = values(20)
    const slopes = new Float32Array(20)
    areaTerm(map, 5, 5, slopes)
    await expectGradient(map, slopes, (x) => areaTerm(x, 5, 5, new Float32Array(20)), 1, 1e-3)
  })
})

const shape = { height: 9, width: 8 }
const frame = { ...shape, channels: 3 }
const picture = values(216)

/** Total and gradient of one step of a trial whose values are moved first. */
async function stepOf<T extends MaskTrial & { gradient: Float32Array }>(make: () => T, move: (trial: T) => void): Promise<{ total: number; gradient: Float32Array }> {
  const classifier = analyticClassifier({ ...shape, seed: 9 })
  const trial = make()
  move(trial)
  const count = trial.scores.length
  const data = new Float32Array(count * 216)
  trial.compose(data, false)
  const answer = await classifier.scoreGradient({ ...frame, count, data }, trial.scores)
  const total = trial.losses(answer.scores)['total']!
  trial.learn(answer.gradient)
  return { total, gradient: trial.gradient }
}

describe('gradients of whole objectives agree with finite differences', () => {
  test.each([
    [{ fill: 'mean', resolution: 4, 'mask-blur': 20, shift: 28, noise: 0.05 }],
    [{ fill: 'blur', resolution: 5, enlargement: 'bilinear', mode: 'preserve', score: 'log-probability', variation: 'anisotropic', shift: 0 }],
  ])('meaningful perturbation %j', async (set) => {
    const parameters = resolveParameters(meaningfulPerturbation, set)
    const plan = createPerturbationPlan(frame, parameters)
    const start = values(plan.cells.height * plan.cells.width)
    const fill = values(216)
    const run = (mask: Float32Array): Promise<{ total: number; gradient: Float32Array }> =>
      stepOf(() => createPerturbationTrial(plan, { image: picture, fill, target: 2, seed: 5, mask: mask.slice() }), () => undefined)
    await expectGradient(start, (await run(start)).gradient, async (x) => (await run(x)).total, 2, 0.01)
  })

  test.each([[{ mode: 'preserve' }], [{ mode: 'dual', perturbation: 'mean', score: 'log-odds' }], [{ mode: 'delete', 'pyramid-blur': 40 }]])('extremal perturbation %j', async (set) => {
    const parameters = resolveParameters(extremalPerturbation, { step: 56, sigma: 80, 'area-weight': 2, ...set })
    const plan = createExtremalPlan(frame, parameters)
    const pyramid = blurPyramid(frame, picture, 2, 3)
    const start = values(plan.smoothMax.parameters, 0.2, 0.8)
    const run = (at: Float32Array): Promise<{ total: number; gradient: Float32Array }> =>
      stepOf(() => createExtremalTrial(plan, pyramid, 0.3, 1), (trial) => trial.values.set(at))
    await expectGradient(start, (await run(start)).gradient, async (x) => (await run(x)).total, 3, 0.002)
  })

  test('iGOS++, both masks', async () => {
    const parameters = resolveParameters(igosPlusPlus, { resolution: 4, 'path-steps': 3, edge: 0.5, 'area-weight': 0.3, 'variation-weight': 0.5 })
    const subject = createIgosSubject(frame, picture, values(216), 2, parameters)
    const cells = subject.cells.height * subject.cells.width
    const masks = { deletion: values(cells), insertion: values(cells) }
    const classifier = analyticClassifier({ ...shape, seed: 9 })
    const loss = (at: typeof masks, differentiate: boolean): ReturnType<typeof igosLoss> => igosLoss(classifier, subject, at, createRandom(3), differentiate)
    const { gradients, losses } = await loss(masks, true)
    expect((await loss(masks, false)).losses['total']).toBeCloseTo(losses['total']!, 5)
    for (const name of ['deletion', 'insertion'] as const) {
      await expectGradient(masks[name], gradients[name], async (x) => (await loss({ ...masks, [name]: x }, false)).losses['total']!, 2, 0.01)
    }
    expect(subject.evaluations.backward).toBe(12)
  })
})

/** log-odds of class 0: how bright the object is; all else does not matter. */
function plantedClassifier(height: number, width: number, object: (i: number) => boolean, gain = 12): Classifier {
  const inside = Float32Array.from({ length: height * width * 3 }, (_, i) => (object(Math.floor(i / 3)) ? 1 : 0))
  const area = inside.reduce((a, b) => a + b, 0)
  const base = analyticClassifier({ height, width, classes: 2 })
  const logitsOf = (images: ImageBatch): number[] => Array.from({ length: images.count }, (_, n) => {
    const image = images.data.subarray(n * inside.length, (n + 1) * inside.length)
    return gain * (dot(image, inside) / area - 0.55)
  })
  return {
    ...base,
    logits: async (images) => Float32Array.from(logitsOf(images).flatMap((z) => [z, 0])),
    scoreGradient: async (images, scores) => {
      const z = logitsOf(images)
      const parts = z.map((value, n) => scoreSlopes([value, 0], scores[n]!, 'softmax'))
      return {
        scores: Float32Array.from(parts, (part) => part.value), logits: Float32Array.from(z.flatMap((value) => [value, 0])),
        gradient: Float32Array.from(parts.flatMap((part) => Array.from(inside, (v) => (v * gain * part.slopes[0]!) / area))),
      }
    },
  }
}

async function explain(
  method: Method, classifier: Classifier, images: ImageBatch, set: Record<string, unknown>, seeds = [...new Array(images.count).keys()], signal = new AbortController().signal,
): Promise<{ progress: Progress[]; explanations: Explanation[] }> {
  const run = method.explain({ classifier, images, targets: seeds.map(() => 0), seeds, signal, parameters: resolveParameters(method, set) })
  const progress: Progress[] = []
  for (;;) {
    const next = await run.next()
    if (next.done) return { progress, explanations: next.value }
    const { look, ...news } = next.value
    progress.push(look && news.iteration % 4 === 3 ? { ...news, frame: look() } : news)
  }
}

/** A bright square of 6×6 on a dark ground of 16×16, off the middle. */
const square = (i: number): boolean => Math.floor(i / 16) >= 2 && Math.floor(i / 16) < 8 && i % 16 >= 7 && i % 16 < 13
const scene: ImageBatch = {
  count: 1, height: 16, width: 16, channels: 3,
  data: Float32Array.from({ length: 768 }, (_, i) => (square(Math.floor(i / 3)) ? random.between(0.85, 1) : random.between(0, 0.3))),
}

function contrast({ saliency }: Explanation): number {
  const mean = (inside: boolean): number => {
    const kept = [...saliency.data].filter((_, i) => square(i) === inside)
    return kept.reduce((a, b) => a + b, 0) / kept.length
  }
  return mean(true) - mean(false)
}

describe('a planted object is found', () => {
  test.each(([
    [meaningfulPerturbation, { iterations: 80, fill: 'mean', 'area-weight': 0.2, 'variation-weight': 1 }],
    [meaningfulPerturbation, { iterations: 80, mode: 'preserve', score: 'log-probability', fill: 'mean', 'area-weight': 1, 'variation-weight': 1 }],
    [meaningfulPerturbation, { preset: 'authors', iterations: 80, fill: 'mean' }],
    [extremalPerturbation, { iterations: 150, perturbation: 'mean', areas: 'voc', 'learning-rate': 0.03, flip: false, step: 14 }],
    [extremalPerturbation, { iterations: 150, perturbation: 'mean', mode: 'delete', area: 0.14, 'learning-rate': 0.03, flip: false }],
    [igosPlusPlus, { iterations: 12, 'path-steps': 6, fill: 'mean', 'variation-weight': 1 }],
    [igosPlusPlus, { iterations: 8, 'path-steps': 6, fill: 'mean', optimiser: 'line-search', 'variation-weight': 1 }],
  ] as [Method, Record<string, unknown>][]).map(([method, set]) => ({ id: method.id, method, set, text: JSON.stringify(set) })))('by $id with $text', async ({ method, set }) => {
    const { explanations, progress } = await explain(method, plantedClassifier(16, 16, square), scene, set)
    expect(contrast(explanations[0]!)).toBeGreaterThan(0.3)
    const totals = progress.map((p) => p.losses['total']!)
    if (method !== extremalPerturbation) expect(totals.at(-1)!).toBeLessThan(totals[0]!)
  })
})

test('extremal perturbation keeps to its area after 800 steps', async () => {
  const { explanations } = await explain(extremalPerturbation, plantedClassifier(16, 16, square), scene, { perturbation: 'mean', preset: 'authors' })
  const [mask] = explanations[0]!.parts!
  const mean = mask!.data.reduce((a, b) => a + b, 0) / mask!.data.length
  expect(Math.abs(mean - 0.1)).toBeLessThan(0.02)
})

const quick: [Method, Record<string, unknown>][] = [
  [meaningfulPerturbation, { iterations: 12, start: 'uniform', noise: 0.02, shift: 28, fill: 'noise' }],
  [extremalPerturbation, { iterations: 12, areas: 'voc' }],
  [igosPlusPlus, { iterations: 3, 'path-steps': 3, resolution: 5, 'learning-rate': 10, 'area-weight': 0 }],
]
describe.each(quick.map(([method, set]) => ({ id: method.id, method, set })))('$id', ({ method, set }) => {
  const images = { count: 2, height: 9, width: 8, channels: 3, data: values(432) }
  const classifier = (): Classifier => analyticClassifier({ ...shape, seed: 3 })

  test('a batch gives what singles give, the same seed the same bytes', async () => {
    const both = await explain(method, classifier(), images, set, [5, 6])
    for (const k of [0, 1]) {
      const alone = await explain(method, classifier(), { ...images, count: 1, data: images.data.slice(216 * k, 216 * k + 216) }, set, [5 + k])
      expect(alone.explanations).toEqual([both.explanations[k]])
      expect(alone.progress).toEqual(both.progress.filter((p) => p.image === k).map((p) => ({ ...p, image: 0 })))
    }
    // Extremal perturbation draws nothing.
    if (method !== extremalPerturbation) expect((await explain(method, classifier(), images, set, [7, 6])).explanations[0]!.saliency).not.toEqual(both.explanations[0]!.saliency)
  })

  test('tells every step with the same losses, which add up, and stores frames of one size', async () => {
    const { progress, explanations } = await explain(method, classifier(), { ...images, count: 1 }, set, [1])
    const [explanation] = explanations
    const last = progress.at(-1)!
    expect(progress.map((p) => p.iteration)).toEqual(Array.from({ length: last.iterations + 1 }, (_, i) => i))
    for (const { losses, probability, frame, iteration, iterations } of progress) {
      const { total, ...terms } = losses
      expect(Object.keys(losses)).toEqual(Object.keys(last.losses))
      expect(Object.values(terms).reduce((a, b) => a + b, 0)).toBeCloseTo(total!, 5)
      expect(probability).toBeGreaterThan(0)
      if (storedIterations(iterations).includes(iteration)) expect([frame!.height, frame!.width]).toEqual([explanation!.own.height, explanation!.own.width])
    }
    expect(last.frame).toEqual(explanation!.own)
    expect(explanation!.saliency.data.every((v) => v >= 0 && v <= 1)).toBe(true)
    expect(explanation!.evaluations).toEqual(last.evaluations)
    expect(explanation!.probability.masked).toBe(last.probability)
  })

  test('what is stored, enlarged as anyone enlarges it, is what is judged, also with a blur', async () => {
    for (const more of [{}, { 'map-blur': 2 }]) {
      const { progress, explanations: [explanation] } = await explain(method, classifier(), { ...images, count: 1 }, { ...set, ...more }, [1])
      const { own, saliency } = explanation!
      expect(upsample(own, saliency.height, saliency.width)).toEqual(saliency)
      expect(progress.at(-1)!.frame).toEqual(own)
    }
  })

  test('says so where the classifier does not react, and works without probabilities', async () => {
    const [flat] = (await explain(method, analyticClassifier({ ...shape, strength: 0 }), { ...images, count: 1 }, set, [1])).explanations
    expect(flat!.notes.join(' ')).toMatch(/gradient was zero/)
    expect(flat!.saliency.data.every(Number.isFinite)).toBe(true)
    const bare = { ...classifier(), info: { ...classifier().info, head: 'none' as const } }
    const [margin] = (await explain(method, bare, { ...images, count: 1 }, { ...set, score: 'margin' }, [1])).explanations
    expect(margin!.probability).toEqual({ original: Number.NaN, masked: Number.NaN })
  })

  test('stops when cancelled', async () => {
    const controller = new AbortController()
    const slow = classifier()
    let calls = 0
    const scoreGradient: Classifier['scoreGradient'] = (...given) => {
      if (++calls === 3) controller.abort()
      return slow.scoreGradient(...given)
    }
    await expect(explain(method, { ...slow, scoreGradient }, images, { ...set, iterations: 50 }, [1, 2], controller.signal)).rejects.toMatchObject({ code: 'cancelled' })
  })

  test('presets are complete, and its baseline is shown', () => {
    const names = method.parameters.map((p) => p.name).sort()
    for (const preset of method.presets) {
      expect(Object.keys(preset.values).sort()).toEqual(names)
      expect(() => resolveParameters(method, { ...preset.values })).not.toThrow()
    }
    const shown = method.baseline!({ image: picture, ...frame, parameters: resolveParameters(method, {}), seed: 1 })!
    expect(shown.picture).toHaveLength(216)
    expect(shown.name).not.toBe('')
  })
})

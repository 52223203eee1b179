import { describe, expect, test } from 'vitest'
import type { Classifier } from '#engine/classifier/classifier.ts'
import { kernelShap } from '#engine/methods/kernel-shap.ts'
import { lime } from '#engine/methods/lime.ts'
import type { Method } from '#engine/methods/method.ts'
import { pairedCoalitions } from '#engine/methods/perturbation/coalitions.ts'
import { fitLinear, standardErrors } from '#engine/methods/perturbation/linear-fit.ts'
import { constrainedShapley } from '#engine/methods/perturbation/shapley.ts'
import type { ImageBatch } from '#shared/domain/image.ts'
import { resolveParameters } from '#shared/domain/parameters.ts'
import type { Explanation, Progress } from '#shared/domain/run.ts'
import { createRandom } from '#shared/random/random.ts'
import { analyticClassifier } from '../../../fixtures/analytic-classifier.ts'

/** A flat picture of so many cells side by side, on which SLIC gives the cells. */
function cells(count: number, images = 1): ImageBatch {
  const shape = { height: 3, width: 3 * count, channels: 3 }
  return { count: images, ...shape, data: new Float32Array(images * 27 * count).fill(0.5) }
}

type Game = (shown: readonly number[]) => number

/** Its logit of class 0 is a game over the cells that are not black; it gives no gradients. */
function gameClassifier(players: number, game: Game): Classifier {
  const formula = analyticClassifier({ height: 3, width: 3 * players, classes: 2 })
  return {
    ...formula,
    info: { ...formula.info, access: 'query' },
    scoreGradient: () => Promise.reject(new Error('differentiated')),
    logits: async ({ count, data }) =>
      Float32Array.from({ length: 2 * count }, (_, i) =>
        i % 2 === 1 ? 0 : game(Array.from({ length: players }, (__, k) => Math.round(2 * data[(i / 2) * 27 * players + 9 * k]!)))),
  }
}

async function explain(
  method: Method, classifier: Classifier, images: ImageBatch, set: Record<string, unknown>, seeds = [...new Array(images.count).keys()], signal = new AbortController().signal,
): Promise<{ progress: Progress[]; explanations: Explanation[] }> {
  const parameters = resolveParameters(method, { fill: 'zero', score: 'logit', ...set })
  const run = method.explain({ classifier, images, targets: seeds.map(() => 0), seeds, signal, parameters })
  const progress: Progress[] = []
  for (;;) {
    const next = await run.next()
    if (next.done) return { progress, explanations: next.value }
    progress.push(next.value)
  }
}

/** The value of each cell. */
function values(explanation: Explanation, players: number): number[] {
  return Array.from({ length: players }, (_, k) => explanation.saliency.data[3 * k + 1]!)
}

function fact(explanation: Explanation, label: string): number {
  return explanation.facts!.find((f) => f.label.startsWith(label))!.value as number
}

function expectClose(given: readonly number[], wanted: readonly number[], digits = 4): void {
  given.forEach((value, i) => expect(value, `value ${i}`).toBeCloseTo(wanted[i]!, digits))
}

/** By the definition: over all orders of players. */
function shapleyByOrders(players: number, game: Game): number[] {
  const phi = new Array<number>(players).fill(0)
  const orders = (rest: number[]): number[][] => (rest.length === 0 ? [[]] : rest.flatMap((p) => orders(rest.filter((q) => q !== p)).map((order) => [p, ...order])))
  const all = orders(Array.from({ length: players }, (_, i) => i))
  for (const order of all) {
    const shown = new Array<number>(players).fill(0)
    for (const player of order) {
      const before = game(shown)
      shown[player] = 1
      phi[player]! += (game(shown) - before) / all.length
    }
  }
  return phi
}

const weights = [2, -1, 0.5, 0, 3, -0.25, 1, 0.75]
const linear: Game = (shown) => 0.3 + shown.reduce((sum, z, k) => sum + z * weights[k]!, 0)
const tangled: Game = (z) => 2 * z[0]! * z[1]! - z[2]! + Math.max(z[3]!, 3 * z[4]! * z[5]!) + z[0]! * z[3]! * z[5]!

describe('weighted regression', () => {
  const random = createRandom(1, 'rows')
  const [rows, columns] = [60, 4]
  const x = Float32Array.from({ length: rows * columns }, () => random.normal())
  const w = Float64Array.from({ length: rows }, () => random.between(0.2, 2))
  const y = Float64Array.from({ length: rows }, (_, i) => 1 + 2 * x[i * columns]! - x[i * columns + 2]! + 0.3 * random.normal())

  test('ridge and lasso are where their objectives are least', () => {
    for (const penalty of [{ kind: 'ridge', strength: 0.7 }, { kind: 'lasso', strength: 0.1 }] as const) {
      const fit = fitLinear({ x, y, weights: w, columns }, penalty)
      const total = w.reduce((a, b) => a + b, 0)
      const objective = (beta: ArrayLike<number>, intercept: number): number => {
        let loss = 0
        for (let i = 0; i < rows; i++) {
          let rest = y[i]! - intercept
          for (let j = 0; j < columns; j++) rest -= beta[j]! * x[i * columns + j]!
          loss += w[i]! * rest * rest
        }
        const size = (power: number): number => Array.from(beta).reduce((sum, b) => sum + Math.abs(b) ** power, 0)
        return penalty.kind === 'ridge' ? loss + penalty.strength * size(2) : loss / (2 * total) + penalty.strength * size(1)
      }
      const least = objective(fit.coefficients, fit.intercept)
      for (let j = 0; j < columns; j++) {
        for (const by of [-0.01, 0.01]) {
          const moved = fit.coefficients.slice()
          moved[j]! += by
          expect(objective(moved, fit.intercept)).toBeGreaterThan(least)
        }
      }
      for (const by of [-0.01, 0.01]) expect(objective(fit.coefficients, fit.intercept + by)).toBeGreaterThan(least)
      expect(fit.rSquared).toBeGreaterThan(0.5)
    }
  })

  test('a strong lasso sets all to zero; a singular system is solved all the same', () => {
    expect([...fitLinear({ x, y, weights: w, columns }, { kind: 'lasso', strength: 100 }).coefficients]).toEqual([0, 0, 0, 0])
    const twice = Float32Array.from({ length: 2 * rows }, (_, i) => x[Math.floor(i / 2) * columns]!)
    const { coefficients } = fitLinear({ x: twice, y, weights: w, columns: 2 }, { kind: 'ridge', strength: 0 })
    expect(coefficients[0]).toBeCloseTo(coefficients[1]!, 3)
    expect(coefficients[0]! + coefficients[1]!).toBeCloseTo(2, 0)
  })

  test('the standard errors are the spread over repeated draws', () => {
    const fits = Array.from({ length: 300 }, () => {
      const x = Float32Array.from({ length: 160 }, () => (random.uniform() < 0.5 ? 1 : 0))
      // Not linear: the rest is what the model cannot say.
      const y = Float64Array.from({ length: 80 }, (_, i) => x[2 * i]! * x[2 * i + 1]! + 0.5 * x[2 * i]! + 0.2 * random.normal())
      const input = { x, y, weights: new Float64Array(80).fill(1), columns: 2 }
      const fit = fitLinear(input, { kind: 'ridge', strength: 0 })
      return { value: fit.coefficients[0]!, error: standardErrors(input, fit, 0)![0]! }
    })
    const mean = fits.reduce((sum, fit) => sum + fit.value, 0) / fits.length
    const spread = Math.sqrt(fits.reduce((sum, fit) => sum + (fit.value - mean) ** 2, 0) / fits.length)
    expect(fits.reduce((sum, fit) => sum + fit.error, 0) / fits.length / spread).toBeCloseTo(1, 0.7)
    expect(standardErrors({ x: new Float32Array(4), y: [1, 2], weights: [1, 1], columns: 2 }, fitLinear({ x: new Float32Array(4), y: [1, 2], weights: [1, 1], columns: 2 }, { kind: 'ridge', strength: 1 }), 1)).toBeNull()
  })
})

describe('LIME', () => {
  test('recovers a planted linear model of the segments', async () => {
    const { explanations, progress } = await explain(lime, gameClassifier(8, linear), cells(8), { segments: 8, samples: 200, 'penalty-strength': 0 })
    const [explanation] = explanations
    expectClose(values(explanation!, 8), weights)
    expect(fact(explanation!, 'R²')).toBeCloseTo(1, 6)
    expect(fact(explanation!, 'Intercept')).toBeCloseTo(0.3, 4)
    expect(explanation!.parts!.map((part) => part.name)).toEqual(['segments', 'standard-error'])
    expect(Math.max(...explanation!.parts![1]!.data)).toBeLessThan(1e-4)
    expect(progress.map(({ iteration, iterations }) => [iteration, iterations])).toEqual([[125, 200], [200, 200]])
    // The untouched image again for its probability.
    expect(explanation!.evaluations).toEqual({ forward: 201, backward: 0 })
    // Whatever the distance: a linear model leaves no residual to weigh.
    for (const distance of ['cosine', 'euclidean']) {
      expectClose(values((await explain(lime, gameClassifier(8, linear), cells(8), { segments: 8, samples: 200, 'penalty-strength': 0, distance, 'kernel-width': 5 })).explanations[0]!, 8), weights, 3)
    }
  })

  test('keeps the strongest segments alone where it is asked to', async () => {
    const { explanations } = await explain(lime, gameClassifier(8, linear), cells(8), { segments: 8, samples: 400, features: 2, 'penalty-strength': 0 })
    expect(values(explanations[0]!, 8).map((value) => value !== 0)).toEqual([true, false, false, false, true, false, false, false])
  })

  test('presets are complete, and those of other implementations run', async () => {
    for (const method of [lime, kernelShap]) {
      const names = method.parameters.map((p) => p.name).sort()
      for (const preset of method.presets) {
        expect(Object.keys(preset.values).sort()).toEqual(names)
        const { explanations } = await explain(method, gameClassifier(8, linear), cells(8), { preset: preset.id, samples: 30 })
        expect(explanations[0]!.saliency.data.every(Number.isFinite), `${method.id} ${preset.id}`).toBe(true)
      }
    }
  })
})

describe('KernelSHAP', () => {
  const vectors: [string, Game, number[]][] = [
    ['2a + ab', ([a, b]) => 2 * a! + a! * b!, [2.5, 0.5, 0]],
    ['a and b and c', ([a, b, c]) => a! * b! * c!, [1 / 3, 1 / 3, 1 / 3]],
    ['max(4a, 2b, c)', ([a, b, c]) => Math.max(4 * a!, 2 * b!, c!), [17 / 6, 5 / 6, 1 / 3]],
  ]
  test.each(vectors)('has the Shapley values of %s', async (_name, game, wanted) => {
    const { explanations } = await explain(kernelShap, gameClassifier(3, game), cells(3), { segments: 3 })
    expectClose(values(explanations[0]!, 3), wanted)
    expectClose(shapleyByOrders(3, game), wanted, 10)
  })

  test('is exact on an additive game with few coalitions, and agrees with LIME there', async () => {
    const { explanations } = await explain(kernelShap, gameClassifier(8, linear), cells(8), { segments: 8, samples: 40 })
    expectClose(values(explanations[0]!, 8), weights)
    expect(explanations[0]!.iterations).toBe(40)
    expect(fact(explanations[0]!, 'Gap')).toBeCloseTo(0, 6)
  })

  test('is exact where every coalition is asked, and near with half of them; the sum holds always', async () => {
    const wanted = shapleyByOrders(6, tangled)
    const whole = (await explain(kernelShap, gameClassifier(6, tangled), cells(6), { segments: 6 })).explanations[0]!
    expectClose(values(whole, 6), wanted)
    expect(whole.iterations).toBe(62)
    const half = (await explain(kernelShap, gameClassifier(6, tangled), cells(6), { segments: 6, samples: 40 })).explanations[0]!
    expect(Math.max(...values(half, 6).map((value, k) => Math.abs(value - wanted[k]!)))).toBeLessThan(0.4)
    expect(fact(half, 'Gap')).toBeCloseTo(0, 6)
    expect(fact(half, 'Sum')).toBeCloseTo(tangled([1, 1, 1, 1, 1, 1]) - tangled([0, 0, 0, 0, 0, 0]), 5)
    const captum = (await explain(kernelShap, gameClassifier(6, tangled), cells(6), { preset: 'captum', segments: 6 })).explanations[0]!
    expect(Math.abs(fact(captum, 'Gap'))).toBeLessThan(1e-4)
    expect(captum.evaluations.forward).toBe(26)
  })

  test('coalitions: all small and large ones, then pairs; the weights are the kernel\'s', () => {
    const { members, weights, count, complete } = pairedCoalitions(10, 300, createRandom(1, 'c'))
    const sizes = Array.from({ length: count }, (_, i) => members.subarray(10 * i, 10 * i + 10).reduce((a, b) => a + b, 0))
    expect(complete).toBe(2)
    expect(sizes.filter((size) => size === 1 || size === 9)).toHaveLength(20)
    expect(sizes.filter((size) => size === 2 || size === 8)).toHaveLength(90)
    expect(count).toBe(300)
    const of = (s: number): number => sizes.reduce((sum, size, i) => sum + (size === s ? weights[i]! : 0), 0)
    expect(weights.reduce((a, b) => a + b, 0)).toBeCloseTo(1, 12)
    expect(of(2) / of(1)).toBeCloseTo(9 / 16, 12)
    expect(of(3)).toBeCloseTo(of(7), 12)
    expect(new Set(Array.from({ length: count }, (_, i) => members.subarray(10 * i, 10 * i + 10).join('')))).toHaveProperty('size', 300)
    // Over many seeds each size has its share of the kernel, the middle one too, whose complement is of the same size.
    const drawn = new Map<number, number>()
    for (let seed = 0; seed < 200; seed++) {
      const found = pairedCoalitions(10, 300, createRandom(seed, 'c'))
      for (let i = 0; i < found.count; i++) {
        const size = found.members.subarray(10 * i, 10 * i + 10).reduce((a, b) => a + b, 0)
        drawn.set(size, (drawn.get(size) ?? 0) + found.weights[i]! / 200)
      }
    }
    const kernel = (s: number): number => 9 / (s * (10 - s))
    const whole = Array.from({ length: 9 }, (_, k) => kernel(k + 1)).reduce((a, b) => a + b, 0)
    for (let s = 1; s <= 9; s++) expect(Math.abs(drawn.get(s)! / (kernel(s) / whole) - 1)).toBeLessThan(0.05)
    expect([...constrainedShapley({ members: new Float32Array(0), weights: new Float64Array(0) }, [], 1, 4)].length).toBeLessThanOrEqual(1)
  })
})

describe.each([lime, kernelShap])('$id', (method) => {
  const images = cells(6, 2)
  images.data.forEach((_, i) => (images.data[i] = 0.3 + 0.4 * ((i * 37) % 11) / 11))
  const set = { samples: 30, segments: 6, compactness: 1000, score: 'probability', fill: 'mean' }
  const classifier = (): Classifier => ({ ...analyticClassifier({ height: 3, width: 18, seed: 3 }), scoreGradient: () => Promise.reject(new Error('differentiated')) })

  test('a batch gives what singles give, the same seed the same bytes, another seed others', async () => {
    const both = (await explain(method, classifier(), images, set, [5, 6])).explanations
    for (const k of [0, 1]) {
      const one = { ...images, count: 1, data: images.data.slice(k * 162, (k + 1) * 162) }
      expect((await explain(method, classifier(), one, set, [5 + k])).explanations).toEqual([both[k]])
    }
    expect((await explain(method, classifier(), images, set, [7, 6])).explanations[0]!.saliency).not.toEqual(both[0]!.saliency)
  })

  test('a constant classifier gives a constant map and a note', async () => {
    const [explanation] = (await explain(method, analyticClassifier({ height: 3, width: 18, strength: 0 }), cells(6), set)).explanations
    expect(new Set(explanation!.saliency.data)).toEqual(new Set([0]))
    expect(explanation!.notes.join(' ')).toMatch(/constant/)
  })

  test('says so where there is one segment', async () => {
    const picture = { ...cells(1), data: new Float32Array(27).fill(0.5) }
    const quick = { ...set, fill: 'zero', segmentation: 'quickshift', 'quickshift-kernel': 20, 'penalty-strength': 0 }
    if (method === kernelShap) delete (quick as Record<string, unknown>)['penalty-strength']
    const [explanation] = (await explain(method, analyticClassifier({ height: 3, width: 3 }), picture, quick)).explanations
    expect(explanation!.notes.join(' ')).toMatch(/one segment/)
    // All or nothing: the value is the whole difference.
    const { logits } = analyticClassifier({ height: 3, width: 3 })
    const p = async (value: number): Promise<number> => {
      const z = await logits({ ...picture, data: new Float32Array(27).fill(value) })
      return Math.exp(z[0]!) / z.reduce((sum, v) => sum + Math.exp(v), 0)
    }
    expect(explanation!.saliency.data[0]).toBeCloseTo((await p(0.5)) - (await p(0)), 5)
  })

  test('stops when cancelled, and refuses a score that the model does not have', async () => {
    const controller = new AbortController()
    controller.abort()
    await expect(explain(method, classifier(), images, set, [1, 2], controller.signal)).rejects.toMatchObject({ code: 'cancelled' })
    const bare = { ...classifier(), info: { ...classifier().info, head: 'none' as const } }
    await expect(explain(method, bare, images, set)).rejects.toMatchObject({ code: 'unavailable' })
    expect((await explain(method, bare, images, { ...set, score: 'margin' })).explanations[0]!.probability.original).toBeNaN()
  })

  test('shows its fill', () => {
    const parameters = resolveParameters(method, { fill: 'segment', segments: 6 })
    const shown = method.baseline!({ image: cells(6).data, height: 3, width: 18, channels: 3, parameters, seed: 1 })!
    expect(shown.name).toBe('mean colour of each segment')
    expect(shown.picture.every((v) => Math.abs(v - 0.5) < 1e-6)).toBe(true)
  })
})

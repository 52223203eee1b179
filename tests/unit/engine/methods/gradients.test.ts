import { beforeAll, describe, expect, test } from 'vitest'
import { selectBackend } from '#engine/backend/select.ts'
import { loadClassifier } from '#engine/classifier/load.ts'
import { createAdaptivePath } from '#engine/methods/gradients/adaptive-path.ts'
import { createRuledPath, quadrature, type Path, type QuadratureKind } from '#engine/methods/gradients/quadrature.ts'
import { modelUnit, modelZero } from '#engine/methods/gradients/zero.ts'
import { findMethod } from '#engine/methods/registry.ts'
import { renderScene } from '#engine/scenes/scenes.ts'
import { loadModel } from '#services/models.ts'
import { MaskscopeError } from '#shared/domain/errors.ts'
import type { Explanation } from '#shared/domain/run.ts'
import { createRandom } from '#shared/random/random.ts'
import { analyticClassifier } from '../../../fixtures/analytic-classifier.ts'
import { formula, imagesOf, mapOf, only, randomImages, run } from './method-runs.ts'

const ids = ['gradient', 'input-x-gradient', 'smoothgrad', 'vargrad', 'integrated-gradients']
const relu = (x: number): number => Math.max(0, x)
const step = (x: number): number => (x > 0 ? 1 : 0)

function fact(explanation: Explanation, label: string): number {
  return explanation.facts!.find((one) => one.label === label)!.value as number
}

function expectClose(found: ArrayLike<number>, wanted: ArrayLike<number>, within = 1e-5): void {
  expect(found.length).toBe(wanted.length)
  for (let i = 0; i < wanted.length; i++) expect(Math.abs(found[i]! - wanted[i]!), `value ${i}: ${found[i]} for ${wanted[i]}`).toBeLessThan(within)
}

describe('gradient', () => {
  const classifier = analyticClassifier({ height: 5, width: 4, seed: 3 })
  const images = randomImages(1, 5, 4)

  test('agrees with finite differences, and every reduction with its formula', async () => {
    const slopes: number[] = []
    for (let i = 0; i < images.data.length; i++) {
      const moved = async (by: number): Promise<number> => {
        const data = images.data.slice()
        data[i]! += by
        return (await classifier.logits({ ...images, data }))[1]!
      }
      slopes.push(((await moved(0.01)) - (await moved(-0.01))) / 0.02)
    }
    const pixel = (reduce: (three: number[]) => number): number[] => Array.from({ length: 20 }, (_, i) => reduce(slopes.slice(3 * i, 3 * i + 3)))
    const wanted: Record<string, number[]> = {
      'magnitude-sum': pixel((g) => g.reduce((a, b) => a + Math.abs(b), 0)), 'magnitude-max': pixel((g) => Math.max(...g.map(Math.abs))),
      norm: pixel((g) => Math.hypot(...g)), sum: pixel((g) => g.reduce((a, b) => a + b)), mean: pixel((g) => g.reduce((a, b) => a + b) / 3),
    }
    for (const [channels, map] of Object.entries(wanted)) {
      const { explanations } = await run('gradient', classifier, images, { channels })
      expectClose(explanations[0]!.saliency.data, map, 1e-3)
      expect(explanations[0]!.signed).toBe(channels === 'sum' || channels === 'mean')
    }
    // Times the image, relative to black.
    const times = images.data.map((value, i) => value * slopes[i]!)
    expectClose(await mapOf('input-x-gradient', classifier, images, { fill: 'zero' }), Array.from({ length: 20 }, (_, i) => times[3 * i]! + times[3 * i + 1]! + times[3 * i + 2]!), 1e-3)
  })

  test('says what was asked: one step, the score, the clean probability, a blurred map at the image\'s size', async () => {
    const { steps, explanations } = await run('gradient', classifier, images, { score: 'log-odds', 'map-blur': 4 })
    expect(steps.map(({ iteration, iterations }) => [iteration, iterations])).toEqual([[1, 1]])
    const logits = await classifier.logits(images)
    const p = Math.exp(logits[1]!) / logits.reduce((sum, z) => sum + Math.exp(z), 0)
    const [explanation] = explanations
    expect(explanation!.probability.original).toBeCloseTo(p, 5)
    expect(explanation!.probability.masked).toBeNaN()
    expect(fact(explanation!, 'Score of the image')).toBeCloseTo(Math.log(p / (1 - p)), 4)
    expect(explanation).toMatchObject({ score: 'log-odds', target: 1, evaluations: { forward: 1, backward: 1 }, range: [0, Infinity] })
    expect(explanation!.own.data).toEqual(explanation!.saliency.data)
  })
})

test("the model's zero and unit are those of its preprocessing", () => {
  const preprocessing = { ...analyticClassifier({ height: 1, width: 1 }).info.preprocessing, range: [-1, 1] as const, mean: [0, 0.2, 0.4], std: [1, 0.5, 0.25] }
  expectClose(modelZero(preprocessing, 3), [0.5, 0.6, 0.7])
  expectClose(modelUnit(preprocessing, 3), [0.5, 0.25, 0.125])
  expectClose(modelZero({ ...preprocessing, channelOrder: 'bgr' }, 3), [0.7, 0.6, 0.5])
})

describe('integrated gradients', () => {
  test('two networks that compute the same get the same: (1.5, −.5)', async () => {
    const networks = [
      formula(1, 2, (x) => relu(relu(x[0]!) - 1 - relu(x[1]!)), (x) => {
        const on = step(relu(x[0]!) - 1 - relu(x[1]!))
        return [on * step(x[0]!), -on * step(x[1]!)]
      }),
      formula(1, 2, (x) => relu(relu(x[0]! - 1) - relu(x[1]!)), (x) => {
        const on = step(relu(x[0]! - 1) - relu(x[1]!))
        return [on * step(x[0]! - 1), -on * step(x[1]!)]
      }),
    ]
    for (const network of networks) {
      expectClose(await mapOf('integrated-gradients', network, imagesOf(1, 2, 1, [3, 1]), { quadrature: 'gauss-legendre' }, { targets: [0] }), [1.5, -0.5])
      expectClose(await mapOf('integrated-gradients', network, imagesOf(1, 2, 1, [3, 1]), {}, { targets: [0] }), [1.5, -0.5], 2e-4)
    }
  })

  test('5x + y² + sin z from (.5, 1, 1) to (1, 2, 3) gives (2.5, 3, −.70035)', async () => {
    const moved = formula(1, 3, (u) => 5 * (u[0]! + 0.5) + (u[1]! + 1) ** 2 + Math.sin(u[2]! + 1), (u) => [5, 2 * (u[1]! + 1), Math.cos(u[2]! + 1)])
    const images = imagesOf(1, 3, 1, [0.5, 1, 2])
    for (const [quadrature, within] of [['gauss-legendre', 1e-5], ['adaptive', 2e-4]] as const) {
      const { explanations } = await run('integrated-gradients', moved, images, { quadrature }, { targets: [0] })
      expectClose(explanations[0]!.saliency.data, [2.5, 3, Math.sin(3) - Math.sin(1)], within)
      expect(Math.abs(fact(explanations[0]!, 'Completeness gap'))).toBeLessThan(within)
    }
  })

  test('a linear model is exact with two steps; the trapezoid of Captum loses 1/n of it, and a note says so', async () => {
    const linear = formula(2, 2, (x) => 3 * x[0]! - 2 * x[1]! + x[3]!, () => [3, -2, 0, 1])
    const images = imagesOf(2, 2, 1, [1, 0.5, 0.25, 0.5])
    expectClose(await mapOf('integrated-gradients', linear, images, { steps: 2 }, { targets: [0] }), [3, -1, 0, 0.5])
    const { explanations: [lossy] } = await run('integrated-gradients', linear, images, { preset: 'quantus' }, { targets: [0] })
    expectClose(lossy!.saliency.data, [2.7, -0.9, 0, 0.45])
    expect(fact(lossy!, 'Completeness gap as a share of the rise')).toBeCloseTo(0.1, 5)
    expect(lossy!.notes).toEqual([expect.stringMatching(/misses the rise of the score by 10%/)])
    // From the mean colour there is less to attribute.
    const { explanations: [fromMean] } = await run('integrated-gradients', linear, images, { fill: 'mean' }, { targets: [0] })
    expectClose(fromMean!.saliency.data, [3 * 0.4375, -2 * -0.0625, 0, -0.0625 + 0].map((v, i) => (i === 3 ? 0.5 - 0.5625 : v)))
  })

  test('the quadratures err on x³ as their programs do', () => {
    const table: [QuadratureKind, number[], number][] = [
      ['plain-mean', [1.056, 1.021, 1.01], 1e-3], ['trapezoid', [1.0062, 1.0009, 1.0002], 1e-4], ['right', [1.155, 1.061, 1.03], 1e-3],
      ['middle', [0.9975, 0.9996, 0.9999], 1e-4], ['gauss-legendre', [1, 1, 1], 1e-13], ['captum-trapezoid', [1.0062 * 0.9, 1.0009 * 0.96, 1.0002 * 0.98], 1e-4],
    ]
    for (const [kind, wanted, within] of table) {
      [10, 25, 50].forEach((n, i) => {
        const { points, weights } = quadrature(kind, n)
        expect(Math.abs(points.reduce((sum, a, k) => sum + weights[k]! * 3 * a * a, 0) - wanted[i]!), `${kind} ${n}`).toBeLessThan(within)
      })
    }
    // Degree 2n − 1 is exact, and many points stay in order and add up.
    const { points, weights } = quadrature('gauss-legendre', 3)
    expect(points.reduce((sum, a, k) => sum + weights[k]! * 6 * a ** 5, 0)).toBeCloseTo(1, 13)
    const many = quadrature('gauss-legendre', 500)
    expect(many.weights.reduce((a, b) => a + b)).toBeCloseTo(1, 12)
    expect([...many.points].every((point, k) => point > (many.points[k - 1] ?? 0) && point < 1)).toBe(true)
  })

  test('halving the cells that miss most comes nearer than any rule where the kinks lie together', () => {
    const random = createRandom(1, 'kinks')
    const kinks = Array.from({ length: 60 }, () => ({ at: 0.02 + 0.06 * random.uniform() ** 2, by: random.normal() }))
    // Each of the three numbers of the gradient has its own share of the slope.
    const score = (a: number): number => a + kinks.reduce((sum, { at, by }) => sum + by * relu(a - at), 0)
    const slope = (a: number): number => 1 + kinks.reduce((sum, { at, by }) => sum + by * step(a - at), 0)
    const missOf = (path: Path, steps: number): number => {
      const places = new Set<number>()
      for (let next = path.next(); next.length > 0; next = path.next()) {
        for (const a of next) {
          places.add(a)
          path.take(score(a), slope(a), Float32Array.of(slope(a), 2 * slope(a), 1))
        }
      }
      // Every step at another place, and no more of them.
      expect(places.size).toBe(steps)
      expect(path.integral[1]).toBeCloseTo(2 * path.integral[0]!, 9)
      expect(path.integral[2]).toBeCloseTo(1, 9)
      return Math.abs(path.integral[0]! - (score(1) - score(0)))
    }
    for (const steps of [50, 256, 1000]) {
      const ruled = (['gauss-legendre', 'middle', 'trapezoid'] as const).map((kind) => missOf(createRuledPath(quadrature(kind, steps), 3), steps))
      expect(missOf(createAdaptivePath(steps, 3), steps), `${steps} steps`).toBeLessThan(Math.min(...ruled) / 2)
    }
    for (const steps of [2, 3, 5]) missOf(createAdaptivePath(steps, 3), steps)
    // Where few gradients of three numbers can be kept, fewer cells stay open, and it is as many steps all the same.
    const closer = [9, 17, 33, 65].map((kept) => missOf(createAdaptivePath(256, 3, kept * 12), 256))
    expect(closer[3]).toBeLessThan(closer[0]!)
    expect(closer[3]).toBe(missOf(createAdaptivePath(256, 3), 256))
  })

  test('complete to 1% at 256 steps on the demo classifier', async () => {
    await selectBackend('wasm')
    const classifier = await loadClassifier((await loadModel('demo')).source)
    for (const seed of [2_000_007, 2_000_008, 2_000_009, 2_000_010]) {
      const { image, objects } = renderScene(seed)
      // The adaptive path chooses its places by the gap itself; the others do not know of it.
      for (const way of ['adaptive', 'gauss-legendre', 'middle']) {
        const { explanations: [explanation] } = await run('integrated-gradients', classifier, image, { steps: 256, quadrature: way }, { targets: [objects[0]!.class] })
        const rise = fact(explanation!, 'Score of the image') - fact(explanation!, 'Score of the baseline')
        expect(Math.abs(rise)).toBeGreaterThan(1)
        const gap = Math.abs(explanation!.saliency.data.reduce((a, b) => a + b, 0) - rise) / Math.abs(rise)
        expect(gap, `${seed}, ${way}`).toBeLessThan(0.01)
      }
    }
    classifier.dispose()
  })
})

describe('SmoothGrad and VarGrad', () => {
  const images = randomImages(1, 4, 4, 1)

  test('of a linear score: its gradient and no variance, whatever the noise', async () => {
    const v = [...randomImages(1, 4, 4, 1, 9).data].map((value) => value - 0.5)
    const linear = formula(4, 4, (x) => x.reduce((sum, value, i) => sum + v[i]! * value, 0), () => v)
    expectClose(await mapOf('smoothgrad', linear, images, { channels: 'sum' }, { targets: [0] }), v)
    expectClose(await mapOf('smoothgrad', linear, images, { aggregate: 'square' }, { targets: [0] }), v.map((value) => value * value))
    const { explanations: [flat] } = await run('vargrad', linear, images, { samples: 8 }, { targets: [0] })
    expect(flat!.saliency.data.every((value) => value === 0)).toBe(true)
    expect(flat!.notes).toHaveLength(1)
  })

  test('of a quadratic score the samples tend to the expectation: mean b·x, variance b²σ²', async () => {
    const b = Array.from({ length: 16 }, (_, i) => 1 + i / 8)
    const quadratic = formula(4, 4, (x) => x.reduce((sum, value, i) => sum + (b[i]! * value * value) / 2, 0), (x) => [...x].map((value, i) => b[i]! * value))
    const set = { samples: 4000, noise: 0.3, 'noise-unit': 'full' }
    const mean = await mapOf('smoothgrad', quadratic, images, { ...set, channels: 'sum' }, { targets: [0] })
    mean.forEach((value, i) => expect(Math.abs(value / b[i]! - images.data[i]!)).toBeLessThan(4 * 0.3 / Math.sqrt(4000)))
    const variance = await mapOf('vargrad', quadratic, images, set, { targets: [0] })
    variance.forEach((value, i) => expect(Math.abs(value / (b[i]! ** 2 * 0.09) - 1)).toBeLessThan(4 * Math.sqrt(2 / 4000)))
  })

  test('its own stream of noise, in the unit asked for, counted sample by sample', async () => {
    const seen: number[][] = []
    const linear = formula(2, 2, () => 0, (x) => {
      seen.push([...x])
      return [1, 2, 3, 4]
    })
    const image = imagesOf(2, 2, 1, [0.2, 0.4, 0.6, 0.7])
    const { steps, explanations } = await run('smoothgrad', linear, image, { samples: 3, noise: 0.2 }, { targets: [0], seeds: [7] })
    const random = createRandom(7, 'smoothgrad', 'noise')
    // .5 is the range of this image.
    for (const picture of seen) expectClose(picture, [...image.data].map((value) => value + 0.1 * random.normal()), 1e-6)
    expect(steps.map(({ iteration, evaluations, losses }) => [iteration, evaluations!.forward, evaluations!.backward, losses['change']!.toFixed(1)])).toEqual(
      [[1, 2, 1, '1.0'], [2, 3, 2, '0.0'], [3, 4, 3, '0.0']],
    )
    expect(fact(explanations[0]!, 'Noise, standard deviation from black to white')).toBeCloseTo(0.1, 6)
  })
})

describe('all of them', () => {
  const classifier = analyticClassifier({ height: 6, width: 5, seed: 8 })
  const images = randomImages(3, 6, 5)

  test('a batch gives what singles give, and the same seed the same bytes', async () => {
    for (const id of ids) {
      const set = { 'map-blur': 1, ...(id === 'gradient' || id === 'input-x-gradient' ? {} : id === 'integrated-gradients' ? { steps: 5, fill: 'noise' } : { samples: 5 }) }
      const batch = await run(id, { ...classifier, limits: { forward: 4, gradient: 4 } }, images, set, { targets: [0, 1, 2], seeds: [5, 6, 7] })
      const maps: Float32Array[] = []
      for (const index of [0, 1, 2]) {
        const alone = await run(id, classifier, only(images, index), set, { targets: [index], seeds: [5 + index] })
        expect(alone.explanations[0]).toEqual(batch.explanations[index])
        expect(alone.steps).toEqual(batch.steps.filter(({ image }) => image === index).map((news) => ({ ...news, image: 0 })))
        maps.push(alone.explanations[0]!.saliency.data)
      }
      const other = await run(id, classifier, only(images, 0), set, { targets: [0], seeds: [99] })
      const drawn = id !== 'gradient' && id !== 'input-x-gradient'
      expect(other.explanations[0]!.saliency.data.every((value, i) => value === maps[0]![i])).toBe(!drawn)
    }
  })

  test('a score that does not react is told of, never stretched; what is no number ends the run', async () => {
    const constant = analyticClassifier({ height: 6, width: 5, strength: 0 })
    const broken = { ...classifier, scoreGradient: async (...given: Parameters<typeof classifier.scoreGradient>) => ({ ...(await classifier.scoreGradient(...given)), gradient: new Float32Array(given[0].data.length).fill(NaN) }) }
    for (const id of ids) {
      const { explanations: [explanation] } = await run(id, constant, only(images, 0))
      expect(explanation!.saliency.data.every((value) => value === 0)).toBe(true)
      expect(explanation!.notes.join(' ')).toMatch(/The map is 0 everywhere: the score does not/)
      await expect(run(id, broken, only(images, 0))).rejects.toThrow(/The map holds NaN where a number should be/)
    }
  })

  test('it stops between calls of the classifier when cancelled', async () => {
    for (const id of ids) {
      const controller = new AbortController()
      let calls = 0
      const watched = { ...classifier, limits: { forward: 2, gradient: 2 }, scoreGradient: (...given: Parameters<typeof classifier.scoreGradient>) => {
        if (++calls === 2) controller.abort()
        return classifier.scoreGradient(...given)
      } }
      const error: unknown = await run(id, watched, images, {}, { signal: controller.signal }).then(() => null, (e: unknown) => e)
      expect(error).toBeInstanceOf(MaskscopeError)
      expect((error as MaskscopeError).code).toBe('cancelled')
      expect(calls).toBe(2)
    }
  })

  test('every preset is complete, and the first holds the defaults', () => {
    for (const id of [...ids, 'grad-cam', 'grad-cam-plus-plus', 'layer-cam', 'score-cam', 'consensus', 'random', 'uniform', 'center', 'edges', 'oracle']) {
      const { parameters, presets } = findMethod(id)
      for (const preset of presets) expect(Object.keys(preset.values).sort(), `${id} ${preset.id}`).toEqual(parameters.map(({ name }) => name).sort())
      for (const { name, default: fallback } of parameters) expect(presets[0]!.values[name], `${id} ${name}`).toBe(fallback)
    }
  })
})

beforeAll(async () => {
  await selectBackend('cpu')
})

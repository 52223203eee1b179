import { describe, expect, test } from 'vitest'
import type { Classifier } from '#engine/classifier/classifier.ts'
import type { Method } from '#engine/methods/method.ts'
import { occlusion } from '#engine/methods/occlusion.ts'
import { windowsOver } from '#engine/methods/occlusion-windows.ts'
import type { Spread } from '#engine/methods/queries/mask-queries.ts'
import { createMaskQueries } from '#engine/methods/queries/mask-queries.ts'
import { rise } from '#engine/methods/rise.ts'
import type { ImageBatch } from '#shared/domain/image.ts'
import { resolveParameters, type ParameterValues } from '#shared/domain/parameters.ts'
import type { Explanation, Progress } from '#shared/domain/run.ts'
import { interpolationMatrix } from '#shared/imaging/interpolation.ts'
import { createRandom } from '#shared/random/random.ts'
import { analyticClassifier } from '../../../fixtures/analytic-classifier.ts'

/** Nobody stops it. */
const still = { signal: new AbortController().signal }

const random = createRandom(11, 'rise-occlusion')

/** One channel; the logits of class 0 are Σ v·x, those of class 1 are 0. */
function linearClassifier(height: number, width: number, values: ArrayLike<number>): Classifier {
  const { info, ...rest } = analyticClassifier({ height, width, channels: 1, classes: 2 })
  return {
    ...rest, info: { ...info, access: 'query' },
    logits: async (images) => Float32Array.from({ length: 2 * images.count }, (_, i) =>
      i % 2 === 1 ? 0 : images.data.subarray((i / 2) * height * width, (i / 2 + 1) * height * width).reduce((sum, x, k) => sum + x * values[k]!, 0)),
    scoreGradient: () => Promise.reject(new Error('no gradients')),
  }
}

function pictures(count: number, height: number, width: number, channels = 1): ImageBatch {
  return { count, height, width, channels, data: Float32Array.from({ length: count * height * width * channels }, () => random.uniform()) }
}

async function explain(
  method: Method, classifier: Classifier, images: ImageBatch, set: ParameterValues, more: { seeds?: number[]; spread?: Spread; signal?: AbortSignal } = {},
): Promise<{ explanations: Explanation[]; steps: Progress[] }> {
  const run = method.explain({
    classifier, images, targets: new Array<number>(images.count).fill(0), seeds: more.seeds ?? Array.from({ length: images.count }, (_, i) => i + 1),
    parameters: resolveParameters(method, set), signal: more.signal ?? new AbortController().signal, ...(more.spread ? { spread: more.spread } : {}),
  })
  const steps: Progress[] = []
  while (true) {
    const step = await run.next()
    if (step.done) return { explanations: step.value, steps }
    steps.push(step.value)
  }
}

const worst = (a: ArrayLike<number>, b: ArrayLike<number>): number => Math.max(...Array.from(a, (value, k) => Math.abs(value - b[k]!)))

describe('RISE', () => {
  test('a constant classifier: flat to the last bit, without error, and said so', async () => {
    const { explanations: [found] } = await explain(rise, analyticClassifier({ height: 12, width: 12, strength: 0 }), pictures(1, 12, 12, 3), { masks: 150 })
    expect(new Set(found!.saliency.data)).toEqual(new Set([0.25]))
    expect(new Set(found!.parts![0]!.data)).toEqual(new Set([0]))
    expect(found!.notes.join()).toMatch(/0\.250 everywhere/)
    // The published form carries the ripple of its masks.
    const { explanations: [published] } = await explain(rise, analyticClassifier({ height: 12, width: 12, strength: 0 }), pictures(1, 12, 12, 3), { masks: 150, normalisation: 'expectation' })
    expect(new Set(published!.saliency.data).size).toBeGreaterThan(10)
  })

  test.each(['per-pixel', 'expectation'])('a linear classifier, %s: the analytic expectation, within the standard error', async (normalisation) => {
    const [side, cells, keep] = [6, 2, 0.4]
    const values = Float32Array.from({ length: 36 }, () => random.normal())
    const images = pictures(1, side, side)
    const { explanations: [found] } = await explain(rise, linearClassifier(side, side, values), images, { score: 'logit', fill: 'zero', masks: 6000, cells, keep, normalisation })
    // E[M_p·M_q] over cells and offsets, M = U·cells: p² + p(1 − p)·Σ_c U_pc·U_qc.
    const expected = new Float64Array(36)
    const [tall, up] = [3, rowsOf(cells, 9)]
    for (let down = 0; down < tall; down++) {
      for (let right = 0; right < tall; right++) {
        for (let q = 0; q < 36; q++) {
          for (let p = 0; p < 36; p++) {
            const dot = (a: number[], b: number[]): number => a.reduce((sum, x, c) => sum + x * b[c]!, 0)
            const along = dot(up[Math.floor(p / 6) + down]!, up[Math.floor(q / 6) + down]!) * dot(up[(p % 6) + right]!, up[(q % 6) + right]!)
            expected[q]! += (values[p]! * images.data[p]! * (keep * keep + keep * (1 - keep) * along)) / (9 * keep)
          }
        }
      }
    }
    const error = found!.parts![0]!.data
    const off = Array.from(found!.saliency.data, (value, k) => (value - expected[k]!) / error[k]!)
    expect(Math.max(...off.map(Math.abs))).toBeLessThan(4)
    // Neighbouring pixels err together; still the error is neither far too large nor far too small.
    expect(Math.sqrt(off.reduce((sum, x) => sum + x * x, 0) / 36)).toBeGreaterThan(0.15)
  })

  test('seed and settings give the bytes, whatever the batch, the memory and the workers', async () => {
    const options = { height: 16, width: 16 }
    const images = pictures(2, 16, 16, 3)
    const set = { masks: 200, cells: 4 }
    const { explanations: both, steps } = await explain(rise, analyticClassifier(options), images, set, { seeds: [5, 6] })
    const single: ImageBatch = { ...images, count: 1, data: images.data.slice(768) }
    const spread: Spread = {
      helpers: 2, seek: () => undefined,
      give: ({ scene, masks }) => createMaskQueries(analyticClassifier(options), scene.frame, scene.image, still).ask({ masks, fill: scene.fill, side: scene.side }),
    }
    const { explanations: [alone] } = await explain(rise, { ...analyticClassifier(options), limits: { forward: 5, gradient: 1 } }, single, set, { seeds: [6], spread })
    expect(alone!.saliency.data).toEqual(both[1]!.saliency.data)
    expect(alone!.parts![0]!.data).toEqual(both[1]!.parts![0]!.data)
    const { explanations: [other] } = await explain(rise, analyticClassifier(options), single, set, { seeds: [7] })
    expect(other!.saliency.data).not.toEqual(alone!.saliency.data)
    expect(steps.map(({ image, iteration }) => [iteration, image])).toEqual([1, 2, 3, 4].flatMap((iteration) => [[iteration, 0], [iteration, 1]]))
    expect(both[0]!.evaluations).toEqual({ forward: 201, backward: 0 })
  })

  test("the presets' divisors differ by a factor only where they should, and a sigmoid squashes", async () => {
    const classifier = analyticClassifier({ height: 8, width: 8 })
    const images = pictures(1, 8, 8, 3)
    const map = async (set: ParameterValues): Promise<Float32Array> => (await explain(rise, classifier, images, { masks: 40, cells: 2, ...set })).explanations[0]!.saliency.data
    const [expectation, count] = [await map({ normalisation: 'expectation' }), await map({ normalisation: 'count' })]
    expect(worst(expectation.map((value) => value / 2), count)).toBeLessThan(1e-6)
    const squashed = await map({ score: 'logit', sigmoid: true, normalisation: 'count' })
    expect(Math.min(...squashed)).toBeGreaterThanOrEqual(0)
    expect(Math.max(...squashed)).toBeLessThan(1)
  })

  test('it ends between two steps when it is cancelled', async () => {
    const abort = new AbortController()
    const classifier = analyticClassifier({ height: 8, width: 8 })
    const counting = { ...classifier, logits: (images: ImageBatch) => {
      if (classifier.calls.forward > 60) abort.abort()
      return classifier.logits(images)
    } }
    await expect(explain(rise, counting, pictures(1, 8, 8, 3), { masks: 5000, cells: 2 }, { signal: abort.signal })).rejects.toMatchObject({ code: 'cancelled' })
    const seen = classifier.calls.forward
    await new Promise((resolve) => setTimeout(resolve, 20))
    expect(classifier.calls.forward - seen).toBeLessThanOrEqual(64)
    expect(seen).toBeLessThan(400)
  })
})

function rowsOf(from: number, to: number): number[][] {
  const { begin, offset, weights } = interpolationMatrix(from, to)
  return Array.from({ length: to }, (_, r) => {
    const row = new Array<number>(from).fill(0)
    for (let k = offset[r]!; k < offset[r + 1]!; k++) row[begin[r]! + k - offset[r]!] = weights[k]!
    return row
  })
}

describe('occlusion', () => {
  /** px at 224 of whole pixels here. */
  const at = (pixels: number, side: number): number => Math.round((pixels * 224 * 2) / side) / 2
  const plain = { score: 'logit', fill: 'zero', 'map-blur': 0 }

  test('three times the sum, two ones in 5×5, windows of 3×3 at every pixel, summed', async () => {
    const images: ImageBatch = { count: 1, height: 5, width: 5, channels: 1, data: new Float32Array(25) }
    images.data[6] = 1
    images.data[18] = 1
    const { explanations: [found] } = await explain(occlusion, linearClassifier(5, 5, new Array(25).fill(3)), images, { ...plain, window: at(3, 5), stride: at(1, 5), gathering: 'sum' })
    expect([...found!.saliency.data]).toEqual([3, 6, 6, 3, 0, 6, 15, 18, 12, 3, 6, 18, 24, 18, 6, 3, 12, 18, 15, 6, 0, 3, 6, 6, 3])
  })

  test.each(['mean', 'sum'])('exact on a linear classifier, windows that do not fit, %s', async (gathering) => {
    const values = Float32Array.from({ length: 9 * 7 }, () => random.normal())
    const images = pictures(1, 9, 7)
    const { explanations: [found], steps } = await explain(occlusion, linearClassifier(9, 7, values), images, { ...plain, fill: 'mean', window: at(3, 7), stride: at(2, 7), gathering })
    const mean = images.data.reduce((a, b) => a + b, 0) / 63
    const expected = new Float64Array(63)
    const cover = new Float64Array(63)
    const windows = windowsOver({ height: 9, width: 7 }, 3, 2)
    for (let w = 0; w < windows.length; w += 4) {
      const inside = Array.from({ length: 9 }, (_, k) => (windows[w]! + Math.floor(k / 3)) * 7 + windows[w + 1]! + (k % 3))
      const fall = inside.reduce((sum, k) => sum + values[k]! * (images.data[k]! - mean), 0)
      for (const k of inside) {
        expected[k]! += fall
        cover[k]!++
      }
    }
    expect(Math.min(...cover)).toBeGreaterThan(0)
    expect(worst(found!.saliency.data, gathering === 'mean' ? expected.map((sum, k) => sum / cover[k]!) : expected)).toBeLessThan(1e-5)
    expect(steps.at(-1)!.iteration).toBe(Math.ceil(windows.length / 4 / 64))
    expect(found!.evaluations.forward).toBe(1 + windows.length / 4)
  })

  test('the last strip is covered by a window of full size', () => {
    expect([...windowsOver({ height: 3, width: 8 }, 3, 2)]).toEqual([0, 0, 3, 3, 0, 2, 3, 3, 0, 4, 3, 3, 0, 5, 3, 3])
    expect([...windowsOver({ height: 2, width: 2 }, 5, 1)]).toEqual([0, 0, 2, 2])
  })

  test('a constant classifier gives a map of zeros, and says why', async () => {
    const { explanations: [found] } = await explain(occlusion, analyticClassifier({ height: 8, width: 8, strength: 0 }), pictures(1, 8, 8, 3), {})
    expect(new Set(found!.saliency.data)).toEqual(new Set([0]))
    expect(found!.notes.join()).toMatch(/whatever the window hides/)
  })
})

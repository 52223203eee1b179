import { describe, expect, test } from 'vitest'
import type { Classifier } from '#engine/classifier/classifier.ts'
import type { ExplainTask } from '#engine/methods/method.ts'
import { resolveParameters, type ParameterValues } from '#shared/domain/parameters.ts'
import type { Progress } from '#shared/domain/run.ts'
import { analyticClassifier } from '../../../fixtures/analytic-classifier.ts'
import { certain, explain, neuromask, randomImages, type Outcome } from './neuromask-runs.ts'

describe('a change on the way', () => {
  const shape = { height: 12, width: 12 }
  const images = randomImages(1, 12, 12)
  const changeAt = (at: number, parameters: ParameterValues): Partial<ExplainTask> => ({
    steer: async (iteration) => (iteration === at ? parameters : null),
  })

  test('at the start is the same as having ordered it, for every parameter that may change', async () => {
    const set = { iterations: 20, resolution: 6 }
    const wanted: ParameterValues = {
      'learning-rate': 0.4, 'prediction-weight': 20, 'sparsity-weight': 3, 'smoothness-weight': 1, offset: 2, temperature: 0.4, smoothing: 0.7,
      shift: 2, flip: true, noise: 0.1, growth: 2, averaging: 0.5, 'early-stopping': true, patience: 4, tolerance: 0.5,
    }
    expect(Object.keys(wanted).sort()).toEqual(neuromask.parameters.filter((p) => p.live).map((p) => p.name).sort())
    const changed = await explain(analyticClassifier(shape), images, set, changeAt(0, wanted))
    expect(changed).toEqual(await explain(analyticClassifier(shape), images, { ...set, ...wanted }))
  })

  test('keeps weights and optimiser: the step before it and its mask are those of the old settings', async () => {
    const set = { iterations: 30, resolution: 6, shift: 0, averaging: 0, starts: 1, 'sparsity-weight': 70 }
    const plain = await explain(analyticClassifier(shape), images, set)
    const changed = await explain(analyticClassifier(shape), images, set, changeAt(10, { 'learning-rate': 0.001, 'sparsity-weight': 140 }))
    expect(changed.progress.slice(0, 10)).toEqual(plain.progress.slice(0, 10))
    const at = (o: Outcome): Progress => o.progress[10]!
    // The mask of iteration 10 was made by step 9.
    expect(at(changed).frame).toEqual(at(plain).frame)
    expect(at(changed).losses['sparsity']).toBeCloseTo(2 * at(plain).losses['sparsity']!, 10)
    expect(at(changed).losses['prediction']).toBe(at(plain).losses['prediction'])
    const moved = (o: Outcome): number => Math.max(...o.progress[20]!.frame!.data.map((v, i) => Math.abs(v - o.progress[10]!.frame!.data[i]!)))
    expect(moved(changed)).toBeLessThan(moved(plain) / 10)
  })

  test('begins the average anew: it is the mean of w since then', async () => {
    const set = { iterations: 40, resolution: 6, averaging: 0.5, temperature: 1 }
    const changed = await explain(analyticClassifier(shape), images, set, changeAt(40, { 'sparsity-weight': 140 }))
    const last = await explain(analyticClassifier(shape), images, { ...set, averaging: 0 })
    // Nothing is left to average but the end itself.
    expect(changed.explanations[0]!.own).toEqual(last.explanations[0]!.own)
    expect(changed.explanations[0]!.own).not.toEqual((await explain(analyticClassifier(shape), images, set)).explanations[0]!.own)
  })

  test('begins the watch for the plateau anew, also where one had been found', async () => {
    const set = { iterations: 300, resolution: 6, starts: 1, 'early-stopping': true, patience: 10, tolerance: 1, averaging: 0.5 }
    const classifier = (): Classifier => certain(12, 12)
    const size = { ...images }
    // Any loss is a plateau to a tolerance of 1: found after two windows, and as many steps averaged after it.
    const plain = await explain(classifier(), size, set)
    expect(plain.explanations[0]!.iterations).toBe(40)
    const watching = await explain(classifier(), size, set, changeAt(15, { 'sparsity-weight': 69 }))
    expect(watching.explanations[0]!.notes.join(' ')).toMatch(/plateau at iteration 35;/)
    const found = await explain(classifier(), size, set, changeAt(30, { 'sparsity-weight': 69 }))
    expect(found.explanations[0]!.notes.join(' ')).toMatch(/plateau at iteration 50;/)
  })
})

describe('the baseline', () => {
  const { data: image } = randomImages(1, 9, 8)
  const ask = (set: Record<string, unknown>, seed = 3): { picture: Float32Array; name: string } =>
    neuromask.baseline!({ image, height: 9, width: 8, channels: 3, seed, parameters: resolveParameters(neuromask, set) })!

  test.each([
    ['zero', 'black'], ['mean', 'mean colour'], ['blur', 'blurred'], ['noise', 'noise'], ['drawn', 'drawn textures (one example)'],
  ])('%s is named "%s", lies in [0, 1] and is the same each time', (fill, name) => {
    const { picture, name: given } = ask({ fill })
    expect(given).toBe(name)
    expect(picture).toHaveLength(9 * 8 * 3)
    expect(picture.every((v) => v >= 0 && v <= 1)).toBe(true)
    expect(ask({ fill }).picture).toEqual(picture)
    if (fill === 'noise' || fill === 'drawn') expect(ask({ fill }, 4).picture).not.toEqual(picture)
  })

  test.each(['zero', 'mean', 'blur', 'noise', 'drawn'])('%s is what the finished mask is judged over', async (fill) => {
    const classifier = analyticClassifier({ height: 9, width: 8 })
    const seen: Float32Array[] = []
    const logits: Classifier['logits'] = (batch) => {
      seen.push(batch.data.slice(0, image.length))
      return classifier.logits(batch)
    }
    // A hidden image: nothing but the fill is left of it.
    const set = { fill, iterations: 60, 'learning-rate': 10, 'prediction-weight': 0, 'smoothness-weight': 0, offset: 100, resolution: 0, smoothing: 0, averaging: 0, kernel: '3x3' }
    await explain({ ...classifier, logits }, { count: 1, height: 9, width: 8, channels: 3, data: image }, set, { seeds: [3] })
    const { picture } = ask(set)
    const judged = seen.at(-1)!
    expect(Math.max(...picture.map((v, i) => Math.abs(v - judged[i]!)))).toBeLessThan(1e-3)
  })
})

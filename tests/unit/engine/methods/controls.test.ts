import { describe, expect, test } from 'vitest'
import { createConsensus } from '#engine/methods/consensus.ts'
import { sobel } from '#engine/methods/controls/sobel.ts'
import type { ExplainTask, Method } from '#engine/methods/method.ts'
import { findMethod, methods } from '#engine/methods/registry.ts'
import { averagePrecision } from '#engine/metrics/average-precision.ts'
import { families } from '#shared/domain/method.ts'
import { resolveParameters } from '#shared/domain/parameters.ts'
import { storedIterations } from '#shared/domain/run.ts'
import { analyticClassifier } from '../../../fixtures/analytic-classifier.ts'
import { imagesOf, mapOf, only, randomImages, run } from './method-runs.ts'

const classifier = analyticClassifier({ height: 8, width: 6, seed: 2 })
const images = randomImages(2, 8, 6)
const objects = [0, 1].map((n) => Uint8Array.from({ length: 48 }, (_, i) => (i % 5 === n ? 1 : 0)))

test('methods stand family by family', () => {
  const order = methods.map(({ family }) => families.indexOf(family))
  expect(order).toEqual([...order].sort((a, b) => a - b))
  expect(new Set(methods.map(({ id }) => id)).size).toBe(methods.length)
})

describe('controls', () => {
  test('oracle: average precision 1 where the object is known, refused where it is not', async () => {
    const { explanations } = await run('oracle', classifier, images, {}, { objects })
    explanations.forEach(({ saliency }, n) => expect(averagePrecision(saliency.data, objects[n]!)).toBe(1))
    await expect(run('oracle', classifier, images)).rejects.toMatchObject({ code: 'unavailable', message: expect.stringMatching(/needs the true object/) as string })
    await expect(run('oracle', classifier, images, {}, { objects: [objects[0]!, null] })).rejects.toMatchObject({ code: 'unavailable' })
  })

  test('random: seeded per image, uniform in [0, 1]', async () => {
    const [a, again, b] = [await mapOf('random', classifier, images), await mapOf('random', classifier, only(images, 1)), await mapOf('random', classifier, images, {}, { seeds: [9, 9] })]
    expect(again).toEqual(a)
    expect(b).not.toEqual(a)
    const large = await mapOf('random', analyticClassifier({ height: 64, width: 64, channels: 1, classes: 2, seed: 1 }), randomImages(1, 64, 64, 1))
    const mean = large.reduce((sum, value) => sum + value, 0) / large.length
    expect(Math.abs(mean - 0.5)).toBeLessThan(4 / Math.sqrt(12 * large.length))
    expect(Math.max(...large)).toBeLessThanOrEqual(1)
  })

  test('uniform: one value, which scores the object\'s share; center: highest in the middle, symmetric', async () => {
    const { explanations: [uniform] } = await run('uniform', classifier, images)
    expect(new Set(uniform!.saliency.data)).toEqual(new Set([0.5]))
    expect(averagePrecision(uniform!.saliency.data, objects[0]!)).toBeCloseTo(10 / 48, 10)
    expect(uniform!.notes).toEqual(['The map is 0.500 everywhere: that is what this control is.'])
    const center = await mapOf('center', classifier, images)
    for (let i = 0; i < 48; i++) expect(center[i]).toBeCloseTo(center[47 - i]!, 6)
    // The middle four of 8×6 lie half a pixel from the centre.
    expect(Math.max(...center)).toBe(center[3 * 6 + 2])
    expect(center[3 * 6 + 2]).toBeCloseTo(Math.exp(-((0.5 / 8 / 0.25) ** 2 + (0.5 / 6 / 0.25) ** 2) / 2), 6)
  })

  test('edges: the slope of a ramp, half of a step on both its sides, nothing on a flat image', async () => {
    const ramp = imagesOf(4, 6, 1, Array.from({ length: 24 }, (_, i) => (i % 6) / 10))
    const slope = sobel({ height: 4, width: 6, channels: 1 }, ramp.data)
    expect(slope.data[8]).toBeCloseTo(0.1, 6)
    // Beyond the border the image continues as it ends.
    expect(slope.data[6]).toBeCloseTo(0.05, 6)
    const stepped = Float32Array.from({ length: 3 * 6 * 3 }, (_, i) => (Math.floor(i / 3) % 6 < 3 ? 0 : 1))
    expect([...sobel({ height: 3, width: 6, channels: 3 }, stepped).data.slice(6, 12)].map((value) => Number(value.toFixed(5)))).toEqual([0, 0, 0.5, 0.5, 0, 0])
    const { explanations: [flat] } = await run('edges', classifier, { ...only(images, 0), data: new Float32Array(8 * 6 * 3).fill(0.3) })
    expect(flat!.notes).toEqual(['The map is 0 everywhere: the image has no edge.'])
  })

  test('each is one step that asks once, and stops when cancelled', async () => {
    const controller = new AbortController()
    controller.abort()
    for (const id of ['random', 'uniform', 'center', 'edges', 'oracle']) {
      const { steps, explanations } = await run(id, classifier, images, {}, { objects })
      expect(steps.map(({ image, iteration, iterations }) => [image, iteration, iterations])).toEqual([[0, 1, 1], [1, 1, 1]])
      expect(explanations[1]!.evaluations).toEqual({ forward: 1, backward: 0 })
      expect(explanations[1]!.range).toEqual([0, 1])
      await expect(run(id, classifier, images, {}, { objects, signal: controller.signal })).rejects.toMatchObject({ code: 'cancelled' })
    }
  })
})

describe('consensus', () => {
  /** Ranks from 0 to 1 by counting, with equal values sharing. */
  function ranks(values: readonly number[]): number[] {
    return values.map((value) => values.reduce((sum, other) => sum + (other < value ? 1 : other === value ? 0.5 : 0), -0.5) / (values.length - 1))
  }

  test('of one method: its ranks, ties sharing', async () => {
    const { explanations: [one] } = await run('consensus', classifier, images, { methods: 'gradient', presets: 'first' })
    const wanted = ranks(await mapOf('gradient', classifier, images))
    one!.saliency.data.forEach((value, i) => expect(value).toBeCloseTo(wanted[i]!, 6))
    const tied = await mapOf('consensus', classifier, images, { methods: 'oracle' }, { objects })
    ranks([...objects[0]!]).forEach((value, i) => expect(tied[i]).toBeCloseTo(value, 6))
  })

  test('of several: the mean of their ranks, their maps beside it, their cost added up', async () => {
    const set = { methods: 'gradient, smoothgrad,uniform' }
    const { steps, explanations } = await run('consensus', classifier, images, set)
    const members = [['gradient', { preset: 'maskscope' }], ['smoothgrad', { preset: 'maskscope' }], ['uniform', {}]] as const
    for (const n of [0, 1]) {
      const maps = await Promise.all(members.map(async ([id, values]) => [...(await run(id, classifier, images, values)).explanations[n]!.saliency.data]))
      const wanted = maps.map(ranks)
      explanations[n]!.saliency.data.forEach((value, i) => expect(value).toBeCloseTo(wanted.reduce((sum, map) => sum + map[i]! / 3, 0), 5))
      expect(explanations[n]!.parts!.map(({ name }) => name)).toEqual(['gradient', 'smoothgrad', 'uniform'])
      explanations[n]!.parts!.forEach(({ data }, m) => expect([...data]).toEqual(maps[m]))
      // Clean image 1; gradient 1 and 1; SmoothGrad 51 and 50; uniform 1.
      expect(explanations[n]!.evaluations).toEqual({ forward: 54, backward: 51 })
      expect(explanations[n]!.notes).toEqual(['Uniform: The map is 0.500 everywhere: that is what this control is.'])
      const own = steps.filter(({ image }) => image === n)
      expect(own.map(({ iteration }) => iteration)).toEqual(Array.from({ length: 60 }, (_, i) => i + 1))
      expect(own.map(({ evaluations }) => evaluations!.forward)).toEqual([...own.map(({ evaluations }) => evaluations!.forward)].sort((a, b) => a - b))
      expect(own.at(-1)!.frame!.data).toEqual(explanations[n]!.own.data)
      expect(storedIterations(60).filter((k) => k > 0).every((k) => own[k - 1]!.frame !== undefined)).toBe(true)
    }
    expect(steps.filter(({ image, losses }) => image === 0 && losses['methods'] === 1).length).toBe(20)
    const { explanations: [alone] } = await run('consensus', classifier, only(images, 1), set, { seeds: [1] })
    expect(alone!.saliency).toEqual(explanations[1]!.saliency)
  })

  test('lists that cannot be are refused by name', async () => {
    const refused = (list: string): Promise<unknown> => run('consensus', classifier, images, { methods: list }).then(() => null, (e: unknown) => e)
    expect(await refused('gradient,consensus')).toMatchObject({ code: 'usage', subject: 'methods', message: expect.stringMatching(/consensus itself/) as string })
    expect(await refused('gradient,grad')).toMatchObject({ code: 'usage', subject: 'methods', message: expect.stringMatching(/no method "grad"/) as string })
    expect(await refused('gradient,gradient')).toMatchObject({ code: 'usage', message: expect.stringMatching(/twice/) as string })
    expect(await refused(',')).toMatchObject({ code: 'usage', message: expect.stringMatching(/names no method/) as string })
    // A formula has no layers, and nobody said where the object is.
    expect(await refused('gradient,grad-cam')).toMatchObject({ code: 'unavailable', subject: 'methods', message: expect.stringMatching(/Grad-CAM looks into the layers/) as string })
    expect(await refused('oracle')).toMatchObject({ code: 'unavailable', message: expect.stringMatching(/true object/) as string })
  })

  test('a pause waits before its next step, and a member that is cancelled is closed', async () => {
    let closed = false
    const endless: Method = {
      ...findMethod('random'), id: 'endless', parameters: [], presets: [],
      async *explain(task: ExplainTask) {
        try {
          for (let iteration = 1; ; iteration++) {
            await task.steer?.(iteration)
            yield { image: 0, iteration, iterations: 40, losses: {}, probability: NaN }
          }
        } finally {
          closed = true
        }
      },
    }
    const consensus = createConsensus(() => endless)
    const controller = new AbortController()
    const asked: number[] = []
    const task: ExplainTask = {
      classifier, images: only(images, 0), targets: [0], seeds: [0], signal: controller.signal,
      parameters: resolveParameters(consensus, { methods: 'endless' }), steer: async (iteration) => {
        asked.push(iteration)
        return null
      },
    }
    const found: number[] = []
    await expect((async () => {
      for await (const { iteration } of consensus.explain(task)) {
        found.push(iteration)
        if (iteration === 3) controller.abort()
      }
    })()).rejects.toMatchObject({ code: 'cancelled' })
    expect(found).toEqual([1, 2, 3])
    expect(asked.slice(0, 6)).toEqual([1, 1, 2, 2, 3, 3])
    expect(closed).toBe(true)
  })
})

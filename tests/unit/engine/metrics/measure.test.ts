import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { memory } from '@tensorflow/tfjs-core'
import { afterAll, beforeAll, expect, test, vi } from 'vitest'
import { plainUse } from '#engine/classifier/load.ts'
import { createEngine, type Engine } from '#engine/engine.ts'
import type { MeasureWork } from '#engine/measure.ts'
import { findMethod } from '#engine/methods/registry.ts'
import { judgedMapOf } from '#engine/metrics/judged-map.ts'
import { costMetric } from '#engine/metrics/cost.ts'
import type { MetricOutcome } from '#engine/metrics/metric.ts'
import { findMetric, metrics, metricsAndVariants } from '#engine/metrics/registry.ts'
import type { WorkerReply, WorkerRequest } from '#engine/protocol.ts'
import { loadModel } from '#services/models.ts'
import { resolveParameters, type ParameterValues } from '#shared/domain/parameters.ts'
import type { Explanation } from '#shared/domain/run.ts'
import { tinyCard, writeTinyModel } from '../../../fixtures/tiny-model.ts'
import { judged } from '../../../fixtures/metric-task.ts'

const folder = mkdtempSync(path.join(tmpdir(), 'maskscope-measure-'))
afterAll(() => rmSync(folder, { recursive: true, force: true }))

const image = Float32Array.from({ length: 768 }, (_, i) => ((i * 7919) % 997) / 997)
const object = Uint8Array.from({ length: 256 }, (_, i) => (i % 16 < 6 && i < 96 && i > 0 ? 1 : 0))
const methodParameters = resolveParameters(findMethod('neuromask'), { iterations: 3 })
let engine: Engine
let found: Explanation
let onReply: (reply: WorkerReply) => void = () => undefined

beforeAll(async () => {
  const { source } = await loadModel(writeTinyModel(folder, { card: tinyCard }))
  engine = createEngine((reply) => onReply(reply), (error) => {
    throw error
  })
  await ask({ type: 'start', id: 1, backend: 'cpu' })
  for (const key of ['tiny', 'judge']) await ask({ type: 'load', id: 2, key, source, use: plainUse })
  const answer = await ask({
    type: 'explain', id: 3, model: 'tiny', method: 'neuromask', parameters: methodParameters, images: { count: 1, height: 16, width: 16, channels: 3, data: image },
    targets: [1], seeds: [4], threads: 1, changes: [], live: false,
  })
  if (answer.type !== 'explained') throw new Error(JSON.stringify(answer))
  found = answer.explanations[0]!
})

function ask(request: WorkerRequest): Promise<WorkerReply> {
  return new Promise((resolve) => {
    onReply = (reply) => {
      if (reply.id === request.id && reply.type !== 'progress' && reply.type !== 'targets') resolve(reply)
    }
    engine.handle(request)
  })
}

function order(ids: readonly (string | { id: string; parameters: ParameterValues })[], given: Partial<MeasureWork> = {}, judge: string | null = 'judge'): WorkerRequest {
  const work: MeasureWork = {
    method: 'neuromask', methodParameters, image, target: 1, seed: 4, map: judgedMapOf(found), object, others: {}, evaluations: found.evaluations,
    metrics: ids.map((id) => (typeof id === 'string' ? { id, parameters: {} } : id)), ...given,
  }
  return { type: 'measure', id: 9, model: 'tiny', judge, work, threads: 1 }
}

async function outcomes(request: WorkerRequest): Promise<MetricOutcome[]> {
  const answer = await ask(request)
  if (answer.type !== 'measured') throw new Error(JSON.stringify(answer))
  return answer.outcomes
}

const quick: Record<string, ParameterValues> = {
  deletion: { steps: 4, 'road-steps': 2 }, insertion: { steps: 4, 'road-steps': 2 }, 'keep-rate': { 'wrong-class': true },
  'sensitivity-n': { sizes: 3, subsets: 8 }, infidelity: { draws: 8 }, 'max-sensitivity': { draws: 1 }, randomisation: { stages: 1 },
}

test('every metric of a real run, in the order asked; the method runs again where a metric wants it; no tensor is left, and the same again', async () => {
  const all = order(metrics.map(({ id }) => ({ id, parameters: quick[id] ?? {} })), { others: { other: judged(16, 16, image.subarray(0, 256)) } })
  const first = await outcomes(all)
  const before = memory().numTensors
  expect(first.map(({ id }) => id)).toEqual(metrics.map(({ id }) => id))
  for (const { id, measurement, error } of first) {
    expect(error, id).toBeNull()
    const { range } = findMetric(id)
    // The object is no cell of a mosaic.
    if (id === 'grid-pointing-game') expect(measurement!.note).toContain('no cell')
    else {
      expect(measurement!.value, id).toBeGreaterThanOrEqual(range[0])
      expect(measurement!.value, id).toBeLessThanOrEqual(range[1])
    }
    for (const [name, detail] of Object.entries(measurement!.details ?? {})) expect(Number.isFinite(detail), `${id} ${name}`).toBe(true)
  }
  const details = (id: string): Readonly<Record<string, number>> => first.find((outcome) => outcome.id === id)!.measurement!.details!
  expect(details('cost')).toEqual(found.evaluations)
  expect(details('keep-rate')).toMatchObject({ 'wrong-area': expect.any(Number) as number, 'judge-wrong-unseen': expect.any(Number) as number })
  // The judge is the same network here, so it says the same.
  expect(details('keep-rate')['judge-unseen']).toBe(details('keep-rate')['unseen'])
  expect(await outcomes(all)).toEqual(first)
  expect(memory().numTensors).toBe(before)
})

test.each([['deletion@xplique', 'deletion'], ['infidelity@captum', 'infidelity'], ['average-drop@product', 'average-drop'], ['road@odd', 'road']])(
  '%s is the metric with that preset, beside the metric itself', async (variant, id) => {
    const preset = variant.split('@')[1]!
    const [own, its, given] = await outcomes(order([id, variant, { id, parameters: { preset } }]))
    expect(its).toEqual({ ...given, id: variant })
    expect(own!.measurement).not.toEqual(its!.measurement)
  },
)

test('variants: every further preset of a metric, behind it and once; what runs the method again says so; unknown ones are told', () => {
  expect(new Set(metricsAndVariants.map(({ id }) => id)).size).toBe(metrics.reduce((sum, { presets }) => sum + Math.max(1, presets.length), 0))
  for (const { id, presets } of metrics) {
    const at = metricsAndVariants.findIndex((metric) => metric.id === id)
    expect(metricsAndVariants.slice(at, at + Math.max(1, presets.length)).map((metric) => metric.id)).toEqual([id, ...presets.slice(1).map((preset) => `${id}@${preset.id}`)])
  }
  expect(findMetric('keep-rate').cost).toBe('queries')
  expect(findMetric('keep-rate@wrong-class')).toMatchObject({ cost: 'dear', title: 'Keep rate, a wrong class, too' })
  expect(resolveParameters(findMetric('keep-rate@wrong-class'), {})).toMatchObject({ 'wrong-class': true })
  expect(resolveParameters(findMetric('keep-rate'), {})).toMatchObject({ 'wrong-class': false })
  expect(() => findMetric('deletion@no')).toThrow('variants of deletion are deletion@rise, deletion@xplique')
  expect(() => findMetric('iou@rise')).toThrow('There is no metric "iou@rise"; choose one of')
})

test('the method runs again with its own seed, whatever seed the metrics draw by', async () => {
  const still = [{ id: 'max-sensitivity', parameters: { draws: 1, radius: 0.0001 } }]
  const change = async (given: Partial<MeasureWork>): Promise<number> => (await outcomes(order(still, given)))[0]!.measurement!.value
  const own = await change({ seed: 77, methodSeed: 4 })
  expect(own).toBeLessThan(1e-3)
  // Another start of the mask is another mask.
  expect(await change({ seed: 4, methodSeed: 77 })).toBeGreaterThan(5 * own)
})

test('a metric that fails costs only itself', async () => {
  const broken = vi.spyOn(costMetric, 'measure').mockRejectedValue(new TypeError('a number broke'))
  const answers = await outcomes(order(['iou', 'cost', 'none', { id: 'deletion', parameters: { steps: 0 } }, 'sparseness'], { object: null }))
  broken.mockRestore()
  expect(answers.map(({ id, measurement }) => [id, measurement !== null])).toEqual([['iou', false], ['cost', false], ['none', false], ['deletion', false], ['sparseness', true]])
  expect(answers.map(({ error }) => error && [error.code, error.subject])).toEqual([
    ['unavailable', 'iou'], ['run', undefined], ['usage', 'metric'], ['usage', 'steps'], null,
  ])
  expect(answers[1]!.error!.message).toBe('a number broke')
})

test('a map with NaN gives no numbers but its cost; one of another size, and an object that does not fit, are refused with words', async () => {
  const map = judged(16, 16, found.saliency.data.map((v, i) => (i === 9 ? NaN : v)))
  const [iou, deletion, cost] = await outcomes(order(['iou', 'deletion', 'cost'], { map }))
  for (const outcome of [iou, deletion]) expect(outcome!.measurement).toMatchObject({ value: NaN, note: expect.stringContaining('no finite') as string })
  expect(cost!.measurement!.value).toBe(found.evaluations.forward + found.evaluations.backward)
  const said = async (given: Partial<MeasureWork>): Promise<string | undefined> => (await outcomes(order(['iou'], given)))[0]!.error?.message
  expect(await said({ map: judged(8, 8, new Float32Array(64)) })).toContain('The map is 8×8 and the input 16×16')
  expect(await said({ object: new Uint8Array(9) })).toContain('The object has 9 pixels')
  expect(await said({ image: image.subarray(0, 300) })).toContain('The image has 300 numbers')
})

test('a model or judge that is not there fails the request, and a cancellation is heard between metrics', async () => {
  expect(await ask(order(['iou'], {}, 'nobody'))).toMatchObject({ type: 'failed', error: { code: 'worker', message: expect.stringContaining('nobody') as string } })
  const long = order(Array.from({ length: 200 }, () => ({ id: 'keep-rate', parameters: { 'wrong-class': true } })))
  setTimeout(() => engine.handle({ type: 'cancel', id: 9 }), 50)
  expect(await ask(long)).toMatchObject({ type: 'failed', error: { code: 'cancelled' } })
  expect(engine.openRequests()).toEqual([])
})

test('every metric says what it is, once', () => {
  expect(new Set(metrics.map(({ id }) => id)).size).toBe(metrics.length)
  for (const metric of metrics) {
    expect(metric.id).toMatch(/^[a-z0-9-]+$/)
    expect(metric.definition, metric.id).toMatch(/^[A-Z].*\.$/)
    for (const text of [metric.title, metric.citation]) expect(text.length, metric.id).toBeGreaterThan(3)
    for (const preset of metric.presets) expect(() => resolveParameters(metric, { preset: preset.id, ...preset.values })).not.toThrow()
    expect(metric.range[0], metric.id).toBeLessThan(metric.range[1])
  }
  expect(() => findMetric('none')).toThrow(/There is no metric "none"; choose one of average-precision, iou/)
})

import { expect, test } from 'vitest'
import { measureOn, type MeasureJob } from '#pool/measure-job.ts'
import { modelKey, type WorkerHandle } from '#pool/worker-handle.ts'
import { MaskscopeError } from '#shared/domain/errors.ts'
import type { ModelSource } from '#shared/domain/model.ts'

function model(sha256: string): ModelSource {
  return { name: 'm', sha256, format: 'onnx', bytes: new Uint8Array(), external: {}, preprocessing: {} as never, labels: null, head: undefined }
}

const map = { height: 1, width: 1, data: Float32Array.of(1) }
const job: MeasureJob = {
  method: 'x', methodParameters: {}, image: new Float32Array(1), target: 0, seed: 1, map: { saliency: map, ranking: map, signed: false, mask: true }, object: null, others: {},
  evaluations: { forward: 0, backward: 0 }, metrics: [{ id: 'cost', parameters: {} }],
}
const outcomes = [{ id: 'cost', measurement: { value: 0 }, error: null }]

/** A worker with room for some models, the latest ones; it answers as the test says. */
function fakeWorker(room: number, answer: (request: Record<string, unknown>) => Promise<unknown>): { worker: WorkerHandle; held: string[]; told: unknown[]; load(source: ModelSource): Promise<never> } {
  const held: string[] = []
  const told: unknown[] = []
  const worker = {
    number: 7, holds: (key: string) => held.includes(key), kill: () => told.push('killed'), control: (message: unknown) => told.push(message),
    ask: (_type: string, request: Record<string, unknown>, _news: unknown, onId: (id: number) => void) => {
      onId(5)
      return answer(request)
    },
  } as unknown as WorkerHandle
  return {
    worker, held, told,
    async load(source) {
      const key = modelKey(source)
      if (!held.includes(key)) held.push(key)
      if (held.length > room) held.shift()
      return { name: source.sha256 } as never
    },
  }
}

test('model and judge are both there when the worker is asked, also where one took the place of the other', async () => {
  for (const before of [[], ['b', 'x'], ['x', 'b'], ['a', 'x']]) {
    const seen: Record<string, unknown>[] = []
    const fake = fakeWorker(2, async (request) => {
      seen.push({ ...request, both: [request['model'], request['judge']].every((key) => fake.held.includes(key as string)) })
      return { outcomes }
    })
    for (const sha of before) await fake.load(model(sha))
    const measured = await measureOn(fake.worker, model('a'), { ...job, judge: model('b'), company: 1 }, { load: fake.load, threads: 3, signal: undefined })
    expect(measured).toMatchObject({ outcomes, worker: 7, info: { name: 'a' }, judge: { name: 'b' } })
    expect(seen).toMatchObject([{ type: 'measure', threads: 3, both: true, work: job }])
    expect(Object.keys(seen[0]!['work'] as object)).not.toContain('company')
  }
})

test('a judge that is the model itself is refused', async () => {
  const fake = fakeWorker(4, async () => ({ outcomes }))
  await expect(measureOn(fake.worker, model('a'), { ...job, judge: model('a') }, { load: fake.load, threads: 1, signal: undefined })).rejects.toMatchObject({
    code: 'usage', subject: 'judge', message: 'The judge is m itself, which was explained; choose another classifier.',
  })
})

test('a cancellation reaches the worker, or the measuring does not begin', async () => {
  const controller = new AbortController()
  const fake = fakeWorker(4, () => {
    controller.abort()
    return Promise.reject(new MaskscopeError('cancelled', 'The measurement was cancelled.'))
  })
  const hands = { load: fake.load, threads: 1, signal: controller.signal }
  await expect(measureOn(fake.worker, model('a'), job, hands)).rejects.toMatchObject({ code: 'cancelled' })
  expect(fake.told).toEqual([{ type: 'cancel', id: 5 }])
  await expect(measureOn(fake.worker, model('a'), job, hands)).rejects.toMatchObject({ code: 'cancelled' })
  expect(fake.told).toHaveLength(1)
})

import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { engine as tfEngine, memory } from '@tensorflow/tfjs-core'
import { afterAll, beforeAll, expect, test, vi } from 'vitest'
import { plainUse } from '#engine/classifier/load.ts'
import { createEngine, type Engine } from '#engine/engine.ts'
import { findMethod } from '#engine/methods/registry.ts'
import type { WorkerReply, WorkerRequest } from '#engine/protocol.ts'
import { loadModel } from '#services/models.ts'
import type { ModelSource } from '#shared/domain/model.ts'
import { resolveParameters } from '#shared/domain/parameters.ts'
import { tinyCard, writeTinyModel } from '../../fixtures/tiny-model.ts'

const folder = mkdtempSync(path.join(tmpdir(), 'maskscope-engine-'))
afterAll(() => rmSync(folder, { recursive: true, force: true }))

let source: ModelSource
let engine: Engine
let replies: WorkerReply[] = []
let onReply: (reply: WorkerReply) => void = () => undefined
const images = { count: 2, height: 16, width: 16, channels: 3, data: Float32Array.from({ length: 2 * 768 }, (_, i) => ((i * 7919) % 997) / 997) }

beforeAll(async () => {
  source = (await loadModel(writeTinyModel(folder, { card: tinyCard }))).source
  engine = createEngine((reply) => {
    replies.push(reply)
    onReply(reply)
  }, (error) => {
    throw error
  })
  await ask({ type: 'start', id: 1, backend: 'cpu' })
  await ask({ type: 'load', id: 2, key: 'tiny', source, use: plainUse })
})

/** Resolves with the last answer to the request. */
function ask(request: WorkerRequest, onNews: (reply: WorkerReply) => void = () => undefined): Promise<WorkerReply> {
  replies = []
  return new Promise((resolve) => {
    onReply = (reply) => {
      if (reply.id !== request.id) return
      if (reply.type === 'progress' || reply.type === 'targets') onNews(reply)
      else resolve(reply)
    }
    engine.handle(request)
  })
}

function explain(id: number, iterations: number, targets: (number | 'auto')[]): WorkerRequest {
  const parameters = resolveParameters(findMethod('neuromask'), { iterations })
  return { changes: [], live: false, threads: 1, type: 'explain', id, model: 'tiny', method: 'neuromask', parameters, images, targets, seeds: [1, 2] }
}

test('auto targets are the top classes of the clean images, told before any progress', async () => {
  const answer = await ask({ type: 'classify', id: 3, model: 'tiny', images })
  if (answer.type !== 'logits') throw new Error(answer.type)
  const top = [0, 1].map((i) => [...answer.logits.subarray(4 * i, 4 * i + 4)]).map((row) => row.indexOf(Math.max(...row)))
  const explained = await ask(explain(4, 3, ['auto', 'auto']))
  expect(explained.type).toBe('explained')
  const originals = explained.type === 'explained' ? explained.explanations.map((e) => e.probability.original) : []
  expect(replies[0]).toEqual({ type: 'targets', id: 4, targets: top, originals })

  const steps = replies.flatMap((r) => (r.type === 'progress' ? [[r.progress.image, r.progress.iteration]] : []))
  for (const image of [0, 1]) expect(steps.filter((s) => s[0] === image).map((s) => s[1])).toEqual([0, 1, 2, 3])
  // Named, they are the same.
  await ask(explain(5, 1, top))
  expect(replies[0]).toEqual({ type: 'targets', id: 5, targets: top, originals })
})

test('a cancellation is heard in the middle of a run, and no tensor is left', async () => {
  await ask(explain(5, 2, [0, 1]))
  const before = memory().numTensors
  let steps = 0
  const answer = await ask(explain(6, 20000, [0, 1]), (reply) => {
    // From outside, as a message would come, not in the step itself.
    if (reply.type === 'progress' && ++steps === 10) setImmediate(() => engine.handle({ type: 'cancel', id: 6 }))
  })
  expect(answer).toMatchObject({ type: 'failed', error: { code: 'cancelled' } })
  expect(steps).toBeLessThan(20)
  expect(memory().numTensors).toBe(before)
  engine.handle({ type: 'cancel', id: 6 })
  expect((await ask(explain(7, 2, [0, 1]))).type).toBe('explained')
})

test.each([
  ['in a step', 10, /^tiny failed at iteration 3: a kernel broke\. /],
  ['before the first', 0, /^tiny failed before the first iteration: a kernel broke\. /],
])('a model that throws %s fails the run with words, no tensor is left, and the next run is as ever', async (_, from, words) => {
  const reference = await ask(explain(40, 5, [0, 1]))
  const before = memory().numTensors
  let steps = 0
  let broken: { mockRestore(): void } | undefined
  // In the middle of the model: some of its tensors exist by then.
  const breakLater = (): void => {
    const tf = tfEngine()
    const real = tf.runKernel.bind(tf)
    let calls = 0
    broken = vi.spyOn(tf, 'runKernel').mockImplementation((name, inputs, attributes) => {
      if (++calls === 4) throw new TypeError('a kernel broke')
      return real(name, inputs, attributes) as never
    })
  }
  if (from === 0) breakLater()
  const answer = await ask(explain(41, 20, [0, 1]), (reply) => {
    // Two images to each iteration.
    if (reply.type === 'progress' && ++steps === 6) breakLater()
  })
  broken?.mockRestore()
  expect(answer).toMatchObject({ type: 'failed', error: { code: 'run', message: expect.stringMatching(words) as string } })
  expect(memory().numTensors).toBe(before)
  expect(engine.openRequests()).toEqual([])
  expect(await ask(explain(40, 5, [0, 1]))).toEqual(reference)
})

test.each([
  ['a target out of range', () => explain(10, 2, [0, 4]), 'usage', 'classes 0 to 3'],
  ['a method that does not exist', () => ({ ...explain(11, 2, [0, 1]), method: 'none' }) as WorkerRequest, 'usage', 'no method'],
  ['a model that was not loaded', () => ({ ...explain(12, 2, [0, 1]), model: 'other' }) as WorkerRequest, 'worker', 'other'],
])('%s fails the request with words', async (_, request, code, words) => {
  expect(await ask(request())).toMatchObject({ type: 'failed', error: { code, message: expect.stringContaining(words) as string } })
  expect(engine.openRequests()).toEqual([])
})

test('of more models than it keeps, the one used longest ago leaves, and is told', async () => {
  const dropped: string[][] = []
  for (const [i, key] of ['b', 'c', 'tiny', 'd', 'e'].entries()) {
    const answer = await ask({ type: 'load', id: 20 + i, key, source, use: plainUse })
    dropped.push(answer.type === 'loaded' ? answer.dropped : [answer.type])
    if (key === 'tiny') await ask({ type: 'classify', id: 30, model: 'tiny', images })
  }
  expect(dropped).toEqual([[], [], [], [], ['b']])
})

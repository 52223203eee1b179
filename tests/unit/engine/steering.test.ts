import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { memory } from '@tensorflow/tfjs-core'
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest'
import { plainUse } from '#engine/classifier/load.ts'
import { createEngine, type Engine } from '#engine/engine.ts'
import { findMethod } from '#engine/methods/registry.ts'
import type { WorkerReply, WorkerRequest } from '#engine/protocol.ts'
import { loadModel } from '#services/models.ts'
import { resolveParameters, type ParameterValues } from '#shared/domain/parameters.ts'
import { storedIterations, type Explanation, type ParameterChange, type Progress } from '#shared/domain/run.ts'
import { tinyCard, writeTinyModel } from '../../fixtures/tiny-model.ts'

const folder = mkdtempSync(path.join(tmpdir(), 'maskscope-steering-'))
afterAll(() => rmSync(folder, { recursive: true, force: true }))

const images = { count: 2, height: 16, width: 16, channels: 3, data: Float32Array.from({ length: 2 * 768 }, (_, i) => ((i * 7919) % 997) / 997) }
let engine: Engine
let hear: (reply: WorkerReply) => void = () => undefined
let nextId = 10

beforeAll(async () => {
  const { source } = await loadModel(writeTinyModel(folder, { card: tinyCard }))
  engine = createEngine((reply) => hear(reply), (error) => {
    throw error
  })
  for (const request of [{ type: 'start', id: 1, backend: 'cpu' }, { type: 'load', id: 2, key: 'tiny', source, use: plainUse }] satisfies WorkerRequest[]) {
    await new Promise<void>((resolve) => {
      hear = () => resolve()
      engine.handle(request)
    })
  }
})

interface Course {
  progress: Progress[]
  /** Everything but progress and the targets. */
  news: WorkerReply[]
  explanations: Explanation[]
}

interface Hands {
  id: number
  send(type: 'pause' | 'resume' | 'cancel'): void
  change(parameters: ParameterValues): void
}

interface Order {
  set?: Record<string, unknown>
  changes?: ParameterChange[]
  live?: boolean
}

/** One run; `on` hears every reply and may act, as messages come: not in the step itself. */
function run({ set = {}, changes = [], live = false }: Order, on: (reply: WorkerReply, hands: Hands) => void = () => undefined): Promise<Course> {
  const id = nextId++
  const later = (request: WorkerRequest): void => void setImmediate(() => engine.handle(request))
  const hands: Hands = {
    id,
    send: (type) => later({ type, id }),
    change: (parameters) => later({ type: 'change', id, parameters }),
  }
  const course: Course = { progress: [], news: [], explanations: [] }
  return new Promise((resolve) => {
    hear = (reply) => {
      if (reply.type === 'progress') course.progress.push(reply.progress)
      else if (reply.type !== 'targets') course.news.push(reply)
      if (reply.type === 'explained') course.explanations = reply.explanations
      if (reply.type === 'explained' || reply.type === 'failed') resolve(course)
      else on(reply, hands)
    }
    const parameters = resolveParameters(findMethod('neuromask'), { iterations: 40, ...set })
    engine.handle({ type: 'explain', id, model: 'tiny', method: 'neuromask', parameters, images, targets: [0, 1], seeds: [1, 2], changes, live, threads: 1 })
  })
}

/** Pauses as soon as the iteration is through for both images. */
function pauseAt(iteration: number): (reply: WorkerReply, hands: Hands) => void {
  return (reply, hands) => {
    if (reply.type === 'progress' && reply.progress.image === 1 && reply.progress.iteration === iteration) hands.send('pause')
  }
}

const wanted: ParameterValues = { 'sparsity-weight': 150, 'learning-rate': 0.5, temperature: 0.5, smoothing: 2, shift: 2, noise: 0.05, flip: true }

/** Pauses after iteration 11 or 12 and changes; @returns the course and the change that was answered */
async function changedRun(order: Order = {}): Promise<{ course: Course; change: ParameterChange }> {
  const pause = pauseAt(11)
  let change: ParameterChange | undefined
  const course = await run(order, (reply, hands) => {
    pause(reply, hands)
    if (reply.type === 'paused') hands.change(wanted)
    if (reply.type !== 'changed') return
    change = reply.change
    hands.send('resume')
  })
  return { course, change: change! }
}

const bytes = ({ progress, explanations }: Course): unknown => ({ progress, explanations })

test('a pause holds between two iterations of the whole batch, and changes no byte', async () => {
  const plain = await run({})
  const pause = pauseAt(5)
  let standing = 0
  const paused = await run({}, (reply, hands) => {
    pause(reply, hands)
    if (standing > 0 && reply.type === 'progress') standing = -1
    if (reply.type !== 'paused') return
    standing = 1
    setTimeout(() => {
      expect(standing).toBe(1)
      standing = 0
      hands.send('resume')
    }, 60)
  })
  expect(bytes(paused)).toEqual(bytes(plain))
  const at = (paused.news[0] as { iteration: number }).iteration
  expect(paused.news.map((n) => n.type)).toEqual(['paused', 'resumed', 'explained'])
  expect(at).toBeGreaterThanOrEqual(5)
  expect(at).toBeLessThan(8)
})

describe('a change on the way', () => {
  test('holds from the iteration it is answered with, for all images, and replays to the same bytes', async () => {
    const plain = await run({})
    const { course, change } = await changedRun()
    expect(change.parameters).toEqual(wanted)
    const before = (c: Course): Progress[] => c.progress.filter((p) => p.iteration < change.iteration)
    expect(before(course)).toEqual(before(plain))
    for (const image of [0, 1]) {
      const losses = (c: Course): Record<string, number> => c.progress.find((p) => p.image === image && p.iteration === change.iteration)!.losses
      expect(losses(course)['sparsity']).not.toBe(losses(plain)['sparsity'])
    }
    const again = await run({ changes: [change] })
    expect(bytes(again)).toEqual(bytes(course))
    expect(again.news.map((n) => n.type)).toEqual(['explained'])
    // At another iteration it is another run.
    const moved = await run({ changes: [{ ...change, iteration: change.iteration + 1 }] })
    expect(moved.explanations[0]!.own).not.toEqual(course.explanations[0]!.own)
  })

  test('several at one pause become one, over those replayed there', async () => {
    const { change: first } = await changedRun()
    const answers: ParameterChange[] = []
    const course = await run({ changes: [{ iteration: first.iteration, parameters: { offset: 2 } }] }, (reply, hands) => {
      if (reply.type === 'progress' && reply.progress.iteration === 0 && reply.progress.image === 0) hands.send('pause')
      if (reply.type === 'paused' && reply.iteration + 1 < first.iteration) {
        // From pause to pause, one step at a time.
        hands.send('resume')
        hands.send('pause')
      } else if (reply.type === 'paused') {
        hands.change({ 'sparsity-weight': 1 })
        hands.change({ 'sparsity-weight': 2, noise: '0.1' as never })
      }
      if (reply.type === 'changed' && answers.push(reply.change) === 2) hands.send('resume')
    })
    expect(answers).toEqual([
      { iteration: first.iteration, parameters: { offset: 2, 'sparsity-weight': 1 } },
      { iteration: first.iteration, parameters: { offset: 2, 'sparsity-weight': 2, noise: 0.1 } },
    ])
    expect(bytes(await run({ changes: [answers[1]!] }))).toEqual(bytes(course))
    const split = [{ iteration: first.iteration, parameters: { offset: 2, 'sparsity-weight': 7 } }, { iteration: first.iteration, parameters: { 'sparsity-weight': 2, noise: 0.1 } }]
    expect(bytes(await run({ changes: split }))).toEqual(bytes(course))
  })

  test('is refused with words where it cannot be, and the run goes on as if it had not been asked', async () => {
    const refused: { code: string; subject?: string; message: string }[] = []
    const attempts: ParameterValues[] = [{ iterations: 5 }, { 'learning-rate': -1 }, { nonsense: 1 }, { preset: 'imagenet-demo' }, {}]
    let id = 0
    let once = false
    const course = await run({}, (reply, hands) => {
      id = hands.id
      // While it runs.
      if (!once && reply.type === 'progress') {
        once = true
        hands.change({ 'learning-rate': 0.1 })
        hands.send('pause')
      }
      if (reply.type === 'paused') for (const attempt of attempts) hands.change(attempt)
      if (reply.type === 'refused' && refused.push(reply.error as never) === attempts.length + 1) hands.send('resume')
    })
    expect(refused.map((e) => [e.code, e.subject])).toEqual([
      ['usage', undefined], ['usage', 'iterations'], ['usage', 'learning-rate'], ['usage', 'nonsense'], ['usage', 'preset'], ['usage', undefined],
    ])
    expect(refused[0]!.message).toMatch(/Pause the run first/)
    expect(refused[1]!.message).toBe('Parameter iterations can only be set at the start of a run.')
    expect(refused[2]!.message).toMatch(/must lie between/)
    expect(bytes(course)).toEqual(bytes(await run({})))
    const late = new Promise<WorkerReply>((resolve) => (hear = resolve))
    engine.handle({ type: 'change', id, parameters: { 'learning-rate': 1 } })
    expect(await late).toMatchObject({ type: 'refused', error: { code: 'usage', message: expect.stringContaining('has ended') as string } })
  })

  test.each([
    ['of a parameter of the start', { iteration: 3, parameters: { resolution: 8 } }, 'resolution'],
    ['at no iteration', { iteration: 1.5, parameters: { offset: 1 } }, 'changes'],
  ])('given with the run %s fails it before anything is computed', async (_, change, subject) => {
    const course = await run({ changes: [change] })
    expect(course.news).toMatchObject([{ type: 'failed', error: { code: 'usage', subject } }])
    expect(course.progress).toEqual([])
  })

  test('that the run never came to is noted', async () => {
    const course = await run({ changes: [{ iteration: 500, parameters: { offset: 1 } }] })
    expect(course.explanations[0]!.notes.join(' ')).toMatch(/before iteration 500/)
    expect(course.explanations[0]!.own).toEqual((await run({})).explanations[0]!.own)
  })
})

test('a paused run computes nothing, can be cancelled, leaves no tensor, and the next run works', async () => {
  await run({})
  const before = memory().numTensors
  const pause = pauseAt(4)
  const course = await run({ set: { iterations: 20000 } }, (reply, hands) => {
    pause(reply, hands)
    if (reply.type === 'paused') setTimeout(() => hands.send('cancel'), 30)
  })
  expect(course.news).toMatchObject([{ type: 'paused' }, { type: 'failed', error: { code: 'cancelled' } }])
  expect(memory().numTensors).toBe(before)
  expect(engine.openRequests()).toEqual([])
  expect((await run({})).explanations).toHaveLength(2)
})

test('pausing and resuming twice, or where nothing runs, is harmless', async () => {
  engine.handle({ type: 'pause', id: 9999 })
  engine.handle({ type: 'resume', id: 9999 })
  const course = await run({}, (reply, hands) => {
    if (reply.type === 'progress' && reply.progress.iteration === 0) hands.send('pause')
    if (reply.type === 'progress' && reply.progress.iteration === 30) hands.send('resume')
    if (reply.type === 'paused') for (let i = 0; i < 2; i++) hands.send('resume')
  })
  expect(course.news.map((n) => n.type)).toEqual(['paused', 'resumed', 'explained'])
})

test('with somebody watching frames come between the stored ones, and nothing else differs', async () => {
  const set = { iterations: 300, resolution: 8 }
  const plain = await run({ set })
  // Every step of every image takes 10 ms, as the engine sees it.
  vi.useFakeTimers({ toFake: ['performance'] })
  const live = await run({ set, live: true }, (reply) => {
    if (reply.type === 'progress') vi.advanceTimersByTime(10)
  })
  vi.useRealTimers()
  expect(live.explanations).toEqual(plain.explanations)
  const stored = new Set(storedIterations(300))
  const without = (p: Progress): Progress => {
    const copy = { ...p }
    if (!stored.has(p.iteration)) delete copy.frame
    return copy
  }
  expect(live.progress.map(without)).toEqual(plain.progress)
  const frames = (c: Course): number => c.progress.filter((p) => p.frame && !stored.has(p.iteration)).length
  expect(frames(plain)).toBe(0)
  // The stored ones past the fiftieth are 100 ms apart, and two displayed ones, 40 ms apart, fit between.
  expect(frames(live)).toBeGreaterThan(2 * 2 * 45)
  expect(frames(live)).toBeLessThanOrEqual(2 * (6000 / 33))
  expect(live.progress.every((p) => !('look' in p))).toBe(true)
  const last = live.progress.at(-1)!
  expect(last.evaluations).toEqual(live.explanations[1]!.evaluations)
})

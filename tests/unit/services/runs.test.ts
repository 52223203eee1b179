import { mkdtempSync, readFileSync, readdirSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import type { Explained, ExplainJob, Pool, Watcher } from '#pool/pool.ts'
import { fileItem, resolveScenes } from '#services/datasets.ts'
import { createRuns, type RunOrder, type Runs } from '#services/runs.ts'
import { openStudy } from '#services/studies.ts'
import { openStudyForWriting, type StudyWriter } from '#services/study-writer.ts'
import type { ModelInfo, ModelSource } from '#shared/domain/model.ts'
import type { ParameterValues } from '#shared/domain/parameters.ts'
import type { Explanation, ParameterChange, RunEvent } from '#shared/domain/run.ts'
import { createFiles, nodeOperations, type Files } from '#storage/files.ts'
import type { RunRecord } from '#storage/manifests.ts'

/** The queue and the study are real; the engine behind them does what each test lets it do. */

const preprocessing = { fit: 'squash', cropFraction: 1, resizeFilter: 'box', range: [0, 1], mean: [0], std: [1], channelOrder: 'rgb' } as const
const info: ModelInfo = {
  name: 'tiny', sha256: 'a'.repeat(64), format: 'TF.js layers model', input: { height: 64, width: 64, channels: 3 }, classes: 3, labels: ['a', 'b', 'c'],
  head: 'softmax', access: 'gradient', preprocessing, parameters: 1, multiplyAdds: 1, notes: [], executor: { id: 'tfjs', reason: 'For the test.', measured: {}, version: null },
}
const source: ModelSource = {
  name: 'tiny', sha256: info.sha256, format: 'tfjs-layers', topology: {}, weightSpecs: [], weightData: new Uint8Array(), preprocessing, labels: null, head: undefined,
}

/** One explanation that the test moves on by hand. */
class Job {
  standing = false
  private iteration = -1
  private settle!: { resolve(explained: Explained): void; reject(error: Error): void }
  readonly job: ExplainJob
  readonly watcher: Watcher
  readonly result: Promise<Explained>

  constructor(job: ExplainJob, watcher: Watcher) {
    this.job = job
    this.watcher = watcher
    this.result = new Promise((resolve, reject) => (this.settle = { resolve, reject }))
    watcher.signal?.addEventListener('abort', () => this.settle.reject(new Error('aborted')))
    watcher.onControl?.({
      pause: () => {
        this.standing = true
        watcher.onPaused?.(Math.max(0, this.iteration))
      },
      resume: () => {
        this.standing = false
        watcher.onResumed?.()
      },
      change: (parameters: ParameterValues) => {
        const change: ParameterChange = { iteration: this.iteration + 1, parameters }
        watcher.onChanged?.(change)
        return Promise.resolve(change)
      },
    })
    watcher.onStart?.(1, [2], [0.25])
  }

  step(frame = true): void {
    const iteration = ++this.iteration
    this.watcher.onProgress?.({
      image: 0, iteration, iterations: 20, losses: { total: 20 - iteration }, probability: 0.5, evaluations: { forward: iteration + 2, backward: iteration + 1 },
      ...(frame ? { frame: { height: 2, width: 2, data: new Float32Array(4).fill(iteration / 20) } } : {}),
    })
  }

  finish(): void {
    const map = { height: 2, width: 2, data: new Float32Array(4).fill(this.iteration / 20) }
    const explanation: Explanation = {
      saliency: { height: 64, width: 64, data: new Float32Array(64 * 64) }, own: map, range: [0, 1], signed: false, score: 'logit', target: 2,
      probability: { original: 1, masked: 1 }, iterations: this.iteration, evaluations: { forward: 1, backward: 1 }, notes: [],
    }
    const engine = { backend: { id: 'cpu', device: 'a processor' }, versions: { tfjs: '4' } } as unknown as Explained['engine']
    this.settle.resolve({ explanations: [explanation], info, engine, worker: 1, seconds: 1 })
  }
}

let folder: string
let study: StudyWriter
let runs: Runs
let jobs: Job[]
let events: RunEvent[]
let capacity = 1
let load: () => Promise<ModelInfo> = () => Promise.resolve(info)

async function open(files?: Files): Promise<void> {
  jobs = []
  events = []
  const pool = {
    capacity: () => Promise.resolve(capacity),
    info: () => load(),
    explain: (_: ModelSource, job: ExplainJob, watcher: Watcher = {}) => {
      const explaining = new Job(job, watcher)
      jobs.push(explaining)
      return explaining.result.catch((error: unknown) => {
        throw watcher.signal?.aborted ? cancelled : error
      })
    },
  } as unknown as Pool
  study = await openStudyForWriting(folder, files ? { files } : {})
  runs = createRuns({ pool, study, version: '0.0.0' })
  runs.subscribe((event) => events.push(event))
}

const { MaskscopeError } = await import('#shared/domain/errors.ts')
const cancelled = new MaskscopeError('cancelled', 'The run was cancelled.')

function order(changes: Partial<RunOrder> = {}): RunOrder {
  return { model: { source, place: '/models/tiny' }, item: resolveScenes('scene:2000000')[0]!, method: 'neuromask', parameters: { iterations: 20 }, seed: 0, target: 'auto', ...changes }
}

async function until(condition: () => boolean): Promise<void> {
  for (let i = 0; !condition(); i++) {
    if (i > 2000) throw new Error('it did not come to that')
    await new Promise((resolve) => setTimeout(resolve, 2))
  }
}

async function record(id: string): Promise<RunRecord> {
  return (await study.records()).find((found) => found.id === id)!
}

const types = (id: string): string[] => events.filter((event) => event.run === id).map((event) => event.type)

beforeEach(async () => {
  folder = path.join(mkdtempSync(path.join(tmpdir(), 'maskscope-queue-')), 'study')
  capacity = 1
  load = () => Promise.resolve(info)
  await open()
})
afterEach(async () => {
  await runs.cancelAll()
  await study.close()
  rmSync(path.dirname(folder), { recursive: true, force: true })
})

describe('a run that has not ended is found with its whole course', () => {
  test('queued, running, paused', async () => {
    const first = runs.submit(order({ live: true, changes: [{ iteration: 5, parameters: { noise: 0 } }] }))
    const second = runs.submit(order())
    expect(runs.find(first.id)).toMatchObject({ state: 'queued', iteration: 0, iterations: 20, seconds: null, manifest: null, target: null, original: null, frame: null, evaluations: null })
    await until(() => jobs.length === 1)
    expect(jobs[0]!.job).toMatchObject({ live: true, changes: [{ iteration: 5, parameters: { noise: 0 } }] })
    for (let i = 0; i <= 4; i++) jobs[0]!.step()
    const run = runs.find(first.id)!
    expect(run).toMatchObject({ state: 'running', iteration: 4, target: { index: 2, label: 'c' }, evaluations: { forward: 6, backward: 5 } })
    expect(run.manifest).toMatchObject({ method: 'neuromask', changes: [{ iteration: 5 }] })
    expect(run.course.rows().map((row) => row.iteration)).toEqual([0, 1, 2, 3, 4])
    // 3 and 4 were shown, but are not stored; the latest is there all the same.
    expect(run.course.frames().map((frame) => frame.iteration)).toEqual([0, 1, 2])
    expect(run.frame).toMatchObject({ iteration: 4 })
    runs.pause(first.id)
    expect(runs.live().map((live) => [live.id, live.state])).toEqual([[first.id, 'paused'], [second.id, 'queued']])
    const before = run.seconds!
    await new Promise((resolve) => setTimeout(resolve, 20))
    expect(run.seconds).toBe(before)
    runs.resume(first.id)
    expect(run.state).toBe('running')
    jobs[0]!.step()
    jobs[0]!.finish()
    expect((await first.outcome).state).toBe('finished')
    expect(runs.find(first.id)).toBeUndefined()
    expect(types(first.id).filter((type) => type !== 'progress')).toEqual(['queued', 'started', 'paused', 'resumed', 'finished'])
    // Ended early, between two stored iterations: the last frame is kept beside the stored ones.
    const { manifest } = await study.readRun(first.id)
    expect(manifest.arrays.frames!.iterations).toEqual([0, 1, 2, 5])
  })
})

describe('pausing', () => {
  test('a run that waits goes on waiting, and others overtake it', async () => {
    const [first, second, third] = [runs.submit(order()), runs.submit(order()), runs.submit(order())]
    await until(() => jobs.length === 1)
    runs.pause(second.id)
    runs.pause(second.id)
    expect(types(second.id)).toEqual(['queued', 'paused'])
    expect(runs.find(second.id)!.state).toBe('paused')
    jobs[0]!.step()
    jobs[0]!.finish()
    await first.outcome
    await until(() => jobs.length === 2)
    expect(types(third.id)).toContain('started')
    runs.resume(second.id)
    expect(runs.find(second.id)!.state).toBe('queued')
    jobs[1]!.step()
    jobs[1]!.finish()
    await until(() => jobs.length === 3)
    expect(types(second.id)).toEqual(['queued', 'paused', 'resumed', 'started'])
  })

  test('a paused run is not counted: the pool is given the next', async () => {
    const first = runs.submit(order())
    const second = runs.submit(order())
    await until(() => jobs.length === 1)
    runs.pause(first.id)
    await until(() => jobs.length === 2)
    expect(types(second.id)).toContain('started')
  })

  test('asked for while the model is loading, it holds as soon as a worker has the run', async () => {
    let loaded: ((value: ModelInfo) => void) | undefined
    load = () => new Promise((resolve) => (loaded = resolve))
    const { id } = runs.submit(order())
    await until(() => loaded !== undefined)
    runs.pause(id)
    loaded!(info)
    await until(() => jobs.length === 1)
    expect(jobs[0]!.standing).toBe(true)
  })
})

describe('changing', () => {
  test('of a paused run is recorded in its order, its record and its result', async () => {
    const { id, outcome } = runs.submit(order())
    await until(() => jobs.length === 1)
    jobs[0]!.step()
    await expect(runs.change(id, { noise: 0 })).rejects.toMatchObject({ code: 'usage', message: expect.stringContaining('Pause') as string })
    runs.pause(id)
    await expect(runs.change(id, { 'sparsity-weight': 3, 'learning-rate': 0.2 })).resolves.toMatchObject({ iteration: 1 })
    // In the order of the method's parameters, whatever the order in which they were given.
    expect(Object.keys(runs.find(id)!.changes[0]!.parameters)).toEqual(['learning-rate', 'sparsity-weight'])
    await until(() => readFileSync(path.join(folder, 'runs', id, 'record.json'), 'utf8').includes('"sparsity-weight": 3\n'))
    expect((await record(id)).order!.changes).toEqual([{ iteration: 1, parameters: { 'learning-rate': 0.2, 'sparsity-weight': 3 } }])
    runs.resume(id)
    jobs[0]!.step()
    jobs[0]!.finish()
    expect((await outcome).state).toBe('finished')
    expect((await study.readRun(id)).manifest.order.changes).toEqual([{ iteration: 1, parameters: { 'learning-rate': 0.2, 'sparsity-weight': 3 } }])
    await expect(runs.change(id, { noise: 0 })).rejects.toMatchObject({ code: 'usage' })
  })

  test('of a run that waits holds from its first step on', async () => {
    runs.submit(order())
    const { id } = runs.submit(order())
    await until(() => jobs.length === 1)
    runs.pause(id)
    await expect(runs.change(id, { iterations: 5 })).rejects.toMatchObject({ code: 'usage', subject: 'iterations' })
    await runs.change(id, { noise: 0 })
    await expect(runs.change(id, { flip: false })).resolves.toEqual({ iteration: 0, parameters: { flip: false, noise: 0 } })
    runs.resume(id)
    jobs[0]!.step()
    jobs[0]!.finish()
    await until(() => jobs.length === 2)
    expect(jobs[1]!.job.changes).toEqual([{ iteration: 0, parameters: { flip: false, noise: 0 } }])
  })

  test.each([
    [{ iteration: 21, parameters: { noise: 0 } }, 'changes'],
    [{ iteration: 1.5, parameters: { noise: 0 } }, 'changes'],
    [{ iteration: -1, parameters: { noise: 0 } }, 'changes'],
    [{ iteration: 3, parameters: { iterations: 5 } }, 'iterations'],
    [{ iteration: 3, parameters: { nose: 5 } }, 'nose'],
    [{ iteration: 3, parameters: { noise: 'much' } }, 'noise'],
  ])('%j in an order is refused and nothing is queued', (change, subject) => {
    expect(() => runs.submit(order({ changes: [change] }))).toThrow(expect.objectContaining({ code: 'usage', subject }) as Error)
    expect(runs.live()).toEqual([])
  })
})

describe('every run leaves a trace', () => {
  test('from the moment at which it is submitted', async () => {
    runs.submit(order())
    const { id } = runs.submit(order({ seed: 3, model: { source, place: '/models/tiny', stated: { range: [-1, 1] } } }))
    await until(() => jobs.length === 1)
    await until(() => readdirSync(path.join(folder, 'runs')).length === 2)
    expect(await record(id)).toMatchObject({
      state: 'queued', order: null, error: null, found: { image: 'scene:2000000', model: '/models/tiny', stated: { range: [-1, 1] } },
      request: { model: { name: 'tiny', sha256: source.sha256 }, image: { kind: 'scene', reference: 'scene:2000000' }, method: 'neuromask', seed: 3, target: 'auto', changes: [] },
    })
    expect((await (await openStudy(folder)).runs()).map((run) => run.state)).toEqual(['running', 'queued'])
    await expect((await openStudy(folder)).readRun(id)).rejects.toThrow('it is queued')
  })

  test('cancelled in the queue', async () => {
    runs.submit(order())
    const second = runs.submit(order())
    await until(() => jobs.length === 1)
    runs.cancel(second.id)
    runs.cancel(second.id)
    runs.cancel('0099-no-run')
    expect((await second.outcome).state).toBe('cancelled')
    expect(types(second.id)).toEqual(['queued', 'cancelled'])
    expect(await record(second.id)).toMatchObject({ state: 'cancelled', order: null, error: null, ended: expect.any(String) as string })
  })

  test('an image that is none, a target out of range, a model that throws', async () => {
    const missing = await runs.submit(order({ item: fileItem(path.join(folder, 'none.png')) })).outcome
    expect(missing).toMatchObject({ state: 'failed', error: { code: 'input' } })
    const target = await runs.submit(order({ target: 3 })).outcome
    expect(target).toMatchObject({ state: 'failed', error: { code: 'usage', subject: 'target' } })
    load = () => Promise.reject(new MaskscopeError('input', 'The model has a layer that is not known.'))
    const model = await runs.submit(order()).outcome
    expect((await study.records()).map(({ id, state, order: begun, error }) => [id, state, begun, error!.code])).toEqual([
      [missing.id, 'failed', null, 'input'], [target.id, 'failed', null, 'usage'], [model.id, 'failed', null, 'input'],
    ])
  })

  test('cancelling a run whose model waits for a worker does not wait with it', async () => {
    load = () => new Promise(() => undefined)
    const { id, outcome } = runs.submit(order())
    await new Promise((resolve) => setTimeout(resolve, 20))
    runs.cancel(id)
    expect((await outcome).state).toBe('cancelled')
  })
})

describe('a disk that is full', () => {
  test('ends the run as failed with a clear message, and the next one works', async () => {
    await study.close()
    let full = false
    const files = createFiles({
      ...nodeOperations,
      open: ((...args: Parameters<typeof nodeOperations.open>) =>
        full ? Promise.reject(Object.assign(new Error('ENOSPC'), { code: 'ENOSPC' })) : nodeOperations.open(...args)) as typeof nodeOperations.open,
    })
    await open(files)
    const running = runs.submit(order())
    await until(() => jobs.length === 1)
    jobs[0]!.step()
    full = true
    jobs[0]!.finish()
    expect(await running.outcome).toMatchObject({ state: 'failed', error: { code: 'storage', message: expect.stringContaining('the disk is full') as string } })
    expect(events.at(-1)).toMatchObject({ type: 'failed', run: running.id, error: { code: 'storage' } })
    // It cannot even be noted that this one was asked for.
    expect(await runs.submit(order()).outcome).toMatchObject({ state: 'failed', error: { code: 'storage' } })
    expect(runs.live()).toEqual([])
    full = false
    const next = runs.submit(order())
    await until(() => jobs.length === 2)
    jobs[1]!.step()
    jobs[1]!.finish()
    expect((await next.outcome).state).toBe('finished')
  })
})

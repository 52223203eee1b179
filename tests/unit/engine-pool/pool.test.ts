import { getEventListeners } from 'node:events'
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest'
import type { WorkerReply, WorkerRequest } from '#engine/protocol.ts'
import { workerEnvironment } from '#pool/environment.ts'
import { createPool, type ExplainControl, type ExplainJob, type Pool } from '#pool/pool.ts'
import type { Death, Wire } from '#pool/wire.ts'
import { deathError } from '#pool/worker-handle.ts'
import { MaskscopeError } from '#shared/domain/errors.ts'
import type { ModelSource } from '#shared/domain/model.ts'

/** A worker that does only what the test tells it. */
class FakeWorker implements Wire {
  readonly pid = undefined
  readonly requests: WorkerRequest[] = []
  killed = false
  private reply: (reply: WorkerReply) => void = () => undefined
  private die: (death: Death) => void = () => undefined
  readonly number: number
  private readonly onSend: (worker: FakeWorker, message: WorkerRequest) => unknown

  constructor(number: number, onSend: (worker: FakeWorker, message: WorkerRequest) => unknown) {
    this.number = number
    this.onSend = onSend
  }
  send(message: WorkerRequest): void {
    this.requests.push(message)
    queueMicrotask(() => this.onSend(this, message))
  }
  onReply(listener: (reply: WorkerReply) => void): void {
    this.reply = listener
  }
  onDeath(listener: (death: Death) => void): void {
    this.die = listener
  }
  kill(): void {
    this.killed = true
    this.end({ code: null, signal: 'SIGKILL', lastWords: '' })
  }
  end(death: Death): void {
    queueMicrotask(() => this.die(death))
  }
  answer(reply: WorkerReply): void {
    this.reply(reply)
  }
  asked(type: WorkerRequest['type']): WorkerRequest[] {
    return this.requests.filter((r) => r.type === type)
  }
}

const info = { name: 'm', executor: { id: 'tfjs', reason: '', measured: {}, version: null } } as never
const settle = (): Promise<void> => new Promise((resolve) => setImmediate(resolve))

/** Answers everything but `explain`, which waits for the test. */
function obliging(backend: 'cpu' | 'cuda' = 'cpu') {
  return (worker: FakeWorker, message: WorkerRequest): void => {
    const { id } = message
    if (message.type === 'start') worker.answer({ type: 'ready', id, backend: { id: backend, device: 'd', rejected: [] }, versions: { tfjs: '1', onnxruntime: null } })
    if (message.type === 'load') worker.answer({ type: 'loaded', id, info, dropped: [] })
    if (message.type === 'classify') worker.answer({ type: 'logits', id, logits: Float32Array.of(worker.number) })
  }
}

let workers: FakeWorker[]
let pool: Pool
beforeEach(() => void (workers = []))
afterEach(async () => {
  vi.useRealTimers()
  await pool.dispose()
})

function start(onSend: (worker: FakeWorker, message: WorkerRequest) => unknown, options: { jobs?: number } = {}): Pool {
  pool = createPool({
    ...options,
    launch: () => {
      const worker = new FakeWorker(workers.length + 1, onSend)
      workers.push(worker)
      return worker
    },
  })
  return pool
}

function model(sha256 = 'a'): ModelSource {
  return { name: 'm', sha256, format: 'tfjs-layers', topology: {}, weightSpecs: [], weightData: new Uint8Array(), preprocessing: {} as never, labels: null, head: undefined }
}
const job: ExplainJob = { method: 'x', parameters: {}, images: { count: 1, height: 1, width: 1, channels: 1, data: new Float32Array(1) }, targets: [0], seeds: [1] }

function finish(worker: FakeWorker): void {
  const last = worker.asked('explain').at(-1)!
  worker.answer({ type: 'explained', id: last.id, explanations: [] })
}

describe('feeding', () => {
  test('no worker is started before there is work, and no more than there are jobs', async () => {
    start(obliging(), { jobs: 4 })
    expect(workers).toHaveLength(0)
    await pool.backend()
    await pool.classify(model(), job.images)
    expect(workers).toHaveLength(1)
  })

  test('a GPU gets one worker, --jobs caps the others', async () => {
    start(obliging('cuda'), { jobs: 4 })
    const running = [1, 2, 3].map(() => pool.explain(model(), job))
    await settle()
    expect(workers).toHaveLength(1)
    // Known since the first worker was ready.
    expect(await pool.capacity()).toBe(1)
    expect((await pool.backend()).id).toBe('cuda')
    for (const run of running) {
      await settle()
      finish(workers[0]!)
      await run
    }
    expect(await pool.capacity()).toBe(1)
  })

  test('first come, first served; a model is sent to a worker once', async () => {
    start(obliging(), { jobs: 1 })
    const order: number[] = []
    const runs = [1, 2, 3].map((seed) => pool.explain(model(), { ...job, seeds: [seed] }).then(() => order.push(seed)))
    for (const run of runs) {
      await settle()
      finish(workers[0]!)
      await run
    }
    expect(order).toEqual([1, 2, 3])
    expect(workers[0]!.asked('load')).toHaveLength(1)
    expect(workers[0]!.asked('explain').map((r) => (r.type === 'explain' ? r.seeds[0] : 0))).toEqual([1, 2, 3])
  })

  test('a model that the worker dropped is sent again', async () => {
    start((worker, message) => {
      if (message.type !== 'load') return obliging()(worker, message)
      worker.answer({ type: 'loaded', id: message.id, info, dropped: worker.asked('load').slice(0, -1).map((r) => (r.type === 'load' ? r.key : '')) })
    }, { jobs: 1 })
    await pool.info(model('a'))
    await pool.info(model('b'))
    await pool.info(model('b'))
    await pool.info(model('a'))
    expect(workers[0]!.asked('load')).toHaveLength(3)
  })
})

describe('deaths', () => {
  test('a worker that dies fails its job and no other, and the next job gets a new one', async () => {
    start(obliging(), { jobs: 1 })
    const first = pool.explain(model(), job)
    const second = pool.explain(model(), job)
    await settle()
    workers[0]!.end({ code: 134, signal: 'SIGABRT', lastWords: 'terminate called' })
    await expect(first).rejects.toMatchObject({ code: 'worker' })
    await settle()
    expect(workers).toHaveLength(2)
    finish(workers[1]!)
    await second
  })

  test('a worker that says it is broken gets no more work', async () => {
    start(obliging(), { jobs: 1 })
    const first = pool.explain(model(), job)
    const second = pool.explain(model(), job)
    await settle()
    workers[0]!.answer({ type: 'failed', id: workers[0]!.asked('explain')[0]!.id, error: { code: 'worker', message: 'broken' } })
    await expect(first).rejects.toThrow('broken')
    expect(workers[0]!.killed).toBe(true)
    await settle()
    finish(workers[1]!)
    await second
  })

  test('deaths at the start are retried with growing pauses, three times, then every waiting job fails with the reason', async () => {
    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] })
    start((worker) => worker.end({ code: 1, signal: null, lastWords: 'Error: cannot find module x\n    at load (y)\n' }))
    const jobs = [pool.backend(), pool.info(model())].map((p) => p.catch((error: Error) => error))
    await settle()
    expect(workers).toHaveLength(1)
    await vi.advanceTimersByTimeAsync(199)
    expect(workers).toHaveLength(1)
    await vi.advanceTimersByTimeAsync(1)
    await settle()
    expect(workers).toHaveLength(2)
    await vi.advanceTimersByTimeAsync(399)
    expect(workers).toHaveLength(2)
    await vi.advanceTimersByTimeAsync(1)
    for (const outcome of await Promise.all(jobs)) {
      expect(outcome).toMatchObject({ code: 'worker', message: expect.stringMatching(/3 times in a row.*cannot find module x/) as string })
    }
    await vi.advanceTimersByTimeAsync(10_000)
    expect(workers).toHaveLength(3)
  })

  test('a worker that never gets ready is ended and tried anew', async () => {
    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] })
    start((worker, message) => worker.number > 1 && obliging()(worker, message))
    const answer = pool.backend()
    await vi.advanceTimersByTimeAsync(119_000)
    expect(workers[0]!.killed).toBe(false)
    await vi.advanceTimersByTimeAsync(1_200)
    expect(workers[0]!.killed).toBe(true)
    expect((await answer).id).toBe('cpu')
  })

  test('a backend that is not there is not tried again', async () => {
    start((worker, message) => worker.answer({ type: 'failed', id: message.id, error: { code: 'unavailable', message: 'no CUDA here' } }))
    await expect(pool.backend()).rejects.toMatchObject({ code: 'unavailable', message: 'no CUDA here' })
    expect(workers).toHaveLength(1)
    expect(workers[0]!.killed).toBe(true)
  })
})

describe('cancelling', () => {
  test('a waiting job leaves the queue', async () => {
    start(obliging(), { jobs: 1 })
    const first = pool.explain(model(), job)
    const controller = new AbortController()
    const second = pool.explain(model(), job, { signal: controller.signal })
    await settle()
    controller.abort()
    await expect(second).rejects.toMatchObject({ code: 'cancelled' })
    finish(workers[0]!)
    await first
    await settle()
    expect(workers[0]!.asked('explain')).toHaveLength(1)
  })

  test('a running job is told; a worker that does not listen is ended and replaced', async () => {
    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] })
    start(obliging(), { jobs: 1 })
    const controller = new AbortController()
    const run = pool.explain(model(), job, { signal: controller.signal }).catch((error: Error) => error)
    await settle()
    controller.abort()
    const explainId = workers[0]!.asked('explain')[0]!.id
    expect(workers[0]!.asked('cancel')).toEqual([{ type: 'cancel', id: explainId }])
    await vi.advanceTimersByTimeAsync(29_000)
    expect(workers[0]!.killed).toBe(false)
    await vi.advanceTimersByTimeAsync(1_000)
    expect(await run).toMatchObject({ code: 'cancelled' })
    expect(workers[0]!.killed).toBe(true)
  })

  test('a signal that outlives many jobs keeps nothing of them', async () => {
    start(obliging(), { jobs: 1 })
    const { signal } = new AbortController()
    const runs = [1, 2].map(() => pool.explain(model(), job, { signal }))
    await settle()
    // One waits, the other runs.
    expect(getEventListeners(signal, 'abort')).toHaveLength(2)
    for (const run of runs) {
      finish(workers[0]!)
      await run
      await settle()
    }
    const failing = pool.explain(model(), job, { signal }).catch((error: Error) => error)
    const waiting = pool.explain(model(), job, { signal }).catch((error: Error) => error)
    await settle()
    await pool.dispose()
    await Promise.all([failing, waiting])
    expect(getEventListeners(signal, 'abort')).toHaveLength(0)
  })

  test('disposing cancels what waits and what runs', async () => {
    start(obliging(), { jobs: 1 })
    const runs = [1, 2].map(() => pool.explain(model(), job).catch((error: Error) => error))
    await settle()
    await pool.dispose()
    for (const run of await Promise.all(runs)) expect(run).toMatchObject({ code: 'cancelled' })
    await expect(pool.info(model())).rejects.toMatchObject({ code: 'cancelled' })
  })
})

describe('questions while every worker explains', () => {
  test('another worker answers them, one for all, and explains nothing itself', async () => {
    start(obliging(), { jobs: 2 })
    const runs = [1, 2, 3].map(() => pool.explain(model(), job))
    while (workers.filter((w) => w.asked('explain').length === 1).length < 2) await settle()
    expect(workers).toHaveLength(2)
    expect(await pool.classify(model(), job.images)).toEqual(Float32Array.of(3))
    expect(await pool.info(model('b'))).toBe(info)
    expect(await pool.capacity()).toBe(2)
    expect(workers).toHaveLength(3)
    await settle()
    expect(workers[2]!.asked('explain')).toEqual([])
    // The third run takes the first worker that is free.
    finish(workers[1]!)
    await settle()
    expect(workers[1]!.asked('explain')).toHaveLength(2)
    finish(workers[0]!)
    finish(workers[1]!)
    await Promise.all(runs)
  })

  test('one that waits only for another question starts nothing', async () => {
    start((worker, message) => message.type !== 'classify' && obliging()(worker, message), { jobs: 1 })
    const first = pool.classify(model(), job.images)
    const second = pool.classify(model(), job.images)
    await settle()
    expect(workers).toHaveLength(1)
    for (const answer of [first, second]) {
      workers[0]!.answer({ type: 'logits', id: workers[0]!.asked('classify').at(-1)!.id, logits: new Float32Array() })
      await answer
      await settle()
    }
    expect(workers).toHaveLength(1)
  })

  test('beside a GPU the other one computes on the processor', async () => {
    start((worker, message) => obliging(worker.number === 1 ? 'cuda' : 'cpu')(worker, message))
    const run = pool.explain(model(), job)
    await settle()
    await pool.classify(model(), job.images)
    expect(workers[1]!.asked('start')).toEqual([{ type: 'start', id: 1, backend: 'wasm' }])
    expect((await pool.backend()).id).toBe('cuda')
    finish(workers[0]!)
    await run
  })

  test('where it cannot be started the question fails, and the runs go on', async () => {
    start((worker, message) => {
      if (worker.number === 1) obliging()(worker, message)
      else worker.answer({ type: 'failed', id: message.id, error: { code: 'unavailable', message: 'no memory' } })
    }, { jobs: 1 })
    const runs = [pool.explain(model(), job), pool.explain(model(), job)]
    await settle()
    await expect(pool.classify(model(), job.images)).rejects.toThrow('no memory')
    for (const run of runs) {
      finish(workers[0]!)
      await run
      await settle()
    }
    expect((await pool.classify(model(), job.images))[0]).toBe(1)
  })

  test('one that dies fails its question, and the next gets a new one', async () => {
    start((worker, message) => !(worker.number === 2 && message.type === 'classify') && obliging()(worker, message), { jobs: 1 })
    const run = pool.explain(model(), job)
    await settle()
    const doomed = pool.classify(model(), job.images).catch((error: Error) => error)
    while (!workers[1]?.asked('classify').length) await settle()
    workers[1].end({ code: null, signal: 'SIGKILL', lastWords: '' })
    expect(await doomed).toMatchObject({ code: 'worker' })
    expect(await pool.classify(model(), job.images)).toEqual(Float32Array.of(3))
    finish(workers[0]!)
    await run
  })
})

describe('while every worker is paused', () => {
  interface Run { done: Promise<unknown>; resume(): void; worker(): FakeWorker }

  /** Explains, and pauses as soon as a worker has it where asked. */
  function run(seed: number, pausing = false): Run {
    let control: ExplainControl | undefined
    const done = pool.explain(model(), { ...job, seeds: [seed] }, { onControl: (c) => (control = c) })
    done.catch(() => undefined)
    const worker = (): FakeWorker => workers.find((w) => w.asked('explain').some((r) => r.type === 'explain' && r.seeds[0] === seed))!
    const id = (): number => worker().asked('explain').at(-1)!.id
    if (pausing) void settle().then(settle).then(() => worker().answer({ type: 'paused', id: id(), iteration: 1 }))
    return { done, worker, resume: () => (control!.resume(), worker().answer({ type: 'resumed', id: id() })) }
  }
  const rounds = async (): Promise<void> => {
    for (let i = 0; i < 6; i++) await settle()
  }

  test('the next run gets a worker more, which goes when it is idle and the other computes again', async () => {
    start(obliging(), { jobs: 1 })
    const a = run(1, true)
    await rounds()
    const [b, c] = [run(2), run(3)]
    await rounds()
    expect(pool.workers()).toHaveLength(2)
    expect(b.worker()).toBe(workers[1])
    finish(workers[1]!)
    await b.done
    await rounds()
    // Kept for the next, which it takes.
    expect(c.worker()).toBe(workers[1])
    a.resume()
    await rounds()
    expect(pool.workers()).toHaveLength(2)
    finish(workers[1]!)
    await c.done
    await rounds()
    expect(pool.workers().map((w) => w.number)).toEqual([1])
    expect(workers[1]!.killed).toBe(true)
    const d = run(4)
    await rounds()
    expect(workers).toHaveLength(2)
    for (const { done } of [a, d]) {
      finish(workers[0]!)
      await done
      await rounds()
    }
  })

  test('there are at most four more', async () => {
    start(obliging(), { jobs: 1 })
    const paused = []
    for (const seed of [1, 2, 3, 4, 5]) {
      paused.push(run(seed, true))
      await rounds()
    }
    const last = run(6)
    await rounds()
    expect(pool.workers()).toHaveLength(5)
    expect(last.worker()).toBeUndefined()
    paused[0]!.resume()
    finish(workers[0]!)
    await rounds()
    expect(last.worker()).toBe(workers[0])
  })

  test('one of two that computes is enough', async () => {
    start(obliging(), { jobs: 2 })
    const [, b] = [run(1, true), run(2)]
    await rounds()
    const c = run(3)
    await rounds()
    expect(pool.workers()).toHaveLength(2)
    finish(b.worker())
    await rounds()
    expect(c.worker()).toBe(b.worker())
  })

  test('beside a GPU the other one computes on the processor, and dies with its run alone', async () => {
    start((worker, message) => obliging(worker.number === 1 ? 'cuda' : 'cpu')(worker, message))
    run(1, true)
    await rounds()
    const b = run(2)
    await rounds()
    expect(workers[1]!.asked('start')).toMatchObject([{ backend: 'wasm' }])
    workers[1]!.end({ code: null, signal: 'SIGKILL', lastWords: '' })
    await expect(b.done).rejects.toMatchObject({ code: 'worker' })
    const c = run(3)
    await rounds()
    expect(c.worker()).toBe(workers[2])
  })
})

describe('hands on a running job', () => {
  async function begun(controller = new AbortController()): Promise<{ run: Promise<unknown>; control: ExplainControl; seen: unknown[]; id: number; worker: FakeWorker }> {
    start(obliging(), { jobs: 1 })
    const seen: unknown[] = []
    let control: ExplainControl | undefined
    const run = pool.explain(model(), { ...job, changes: [{ iteration: 3, parameters: { a: 1 } }], live: true }, {
      signal: controller.signal,
      onControl: (c) => (control = c),
      onPaused: (iteration) => seen.push(['paused', iteration]),
      onResumed: () => seen.push(['resumed']),
      onChanged: (change) => seen.push(['changed', change]),
    })
    run.catch(() => undefined)
    await settle()
    const worker = workers[0]!
    return { run, control: control!, seen, id: worker.asked('explain')[0]!.id, worker }
  }

  test('changes and the wish for frames go to the worker, and pauses and changes come back', async () => {
    const { run, control, seen, id, worker } = await begun()
    expect(worker.asked('explain')).toMatchObject([{ changes: [{ iteration: 3, parameters: { a: 1 } }], live: true }])
    control.pause()
    worker.answer({ type: 'paused', id, iteration: 8 })
    const good = control.change({ b: 2 })
    const bad = control.change({ c: 3 })
    expect(worker.requests.slice(-3)).toEqual([
      { type: 'pause', id }, { type: 'change', id, parameters: { b: 2 } }, { type: 'change', id, parameters: { c: 3 } },
    ])
    const change = { iteration: 9, parameters: { b: 2 } }
    worker.answer({ type: 'changed', id, change })
    worker.answer({ type: 'refused', id, error: { code: 'usage', message: 'not c', subject: 'c' } })
    expect(await good).toEqual(change)
    await expect(bad).rejects.toMatchObject({ code: 'usage', subject: 'c' })
    control.resume()
    worker.answer({ type: 'resumed', id })
    expect(worker.asked('resume')).toEqual([{ type: 'resume', id }])
    expect(seen).toEqual([['paused', 8], ['changed', change], ['resumed']])
    const unanswered = control.change({ b: 3 })
    finish(worker)
    await run
    await expect(unanswered).rejects.toThrow(/has ended/)
    await expect(control.change({ b: 3 })).rejects.toMatchObject({ code: 'usage' })
    const sent = worker.requests.length
    control.pause()
    control.resume()
    expect(worker.requests).toHaveLength(sent)
  })

  test('a worker that dies while its job stands fails job and change', async () => {
    const { run, control, id, worker } = await begun()
    worker.answer({ type: 'paused', id, iteration: 8 })
    const change = control.change({ b: 2 })
    worker.end({ code: null, signal: 'SIGKILL', lastWords: '' })
    await expect(run).rejects.toMatchObject({ code: 'worker' })
    await expect(change).rejects.toBeInstanceOf(MaskscopeError)
  })

  test('a paused job is cancelled, by force where the worker does not listen', async () => {
    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] })
    const controller = new AbortController()
    const { run, id, worker } = await begun(controller)
    worker.answer({ type: 'paused', id, iteration: 8 })
    controller.abort()
    expect(worker.asked('cancel')).toEqual([{ type: 'cancel', id }])
    await vi.advanceTimersByTimeAsync(30_000)
    await expect(run).rejects.toMatchObject({ code: 'cancelled' })
    expect(worker.killed).toBe(true)
  })

  test('the time of a run does not count its pauses', async () => {
    vi.useFakeTimers({ toFake: ['performance'] })
    const { run, id, worker } = await begun()
    vi.advanceTimersByTime(2000)
    worker.answer({ type: 'paused', id, iteration: 8 })
    vi.advanceTimersByTime(60_000)
    worker.answer({ type: 'resumed', id })
    vi.advanceTimersByTime(1000)
    finish(worker)
    expect(await run).toMatchObject({ seconds: 3 })
  })
})

test('targets and progress reach the watcher in order', async () => {
  start(obliging(), { jobs: 1 })
  const seen: unknown[] = []
  const run = pool.explain(model(), job, { onStart: (worker, targets, originals) => seen.push([worker, ...targets, ...originals]), onProgress: (p) => seen.push(p.iteration) })
  await settle()
  const { id } = workers[0]!.asked('explain')[0]!
  workers[0]!.answer({ type: 'targets', id, targets: [3], originals: [0.5] })
  for (const iteration of [0, 1, 2]) workers[0]!.answer({ type: 'progress', id, progress: { image: 0, iteration, iterations: 2, losses: {}, probability: 1 } })
  finish(workers[0]!)
  await run
  expect(seen).toEqual([[1, 3, 0.5], 0, 1, 2])
})

describe('words for a death', () => {
  test.each([
    [{ code: null, signal: 'SIGABRT' as const, lastWords: 'FATAL ERROR: Reached heap limit Allocation failed - JavaScript heap out of memory' }, /SIGABRT.*ran out of memory.*--jobs 1/],
    [{ code: null, signal: 'SIGKILL' as const, lastWords: '' }, /SIGKILL.*memory.*--jobs 1/],
    [{ code: 1, signal: null, lastWords: 'Error: no such kernel\n    at f (g)\n\nNode.js v20.20.2\n' }, /code 1.*no such kernel/],
    [{ code: 1, signal: null, lastWords: "node:internal/x:1\n  throw err;\n\nError: Cannot find module 'w.js'\n    at y {\n  code: 'MODULE_NOT_FOUND',\n  requireStack: []\n}\n\nNode.js v20.20.2\n" }, /Cannot find module 'w.js'/],
    [{ code: null, signal: null, lastWords: 'spawn ENOENT' }, /could not be started.*ENOENT/],
  ])('%j', (death, words) => {
    const error = deathError(death)
    expect(error).toBeInstanceOf(MaskscopeError)
    expect(error).toMatchObject({ code: 'worker', message: expect.stringMatching(words) as string })
  })
})

test('a worker gets what libraries need of the environment and nothing else', () => {
  const own = { PATH: '/bin', HOME: '/h', NODE_OPTIONS: '--inspect', NODE_PATH: '/x', LD_PRELOAD: 'x.so', SECRET_TOKEN: 's', CUDA_VISIBLE_DEVICES: '0', TF_CPP_MIN_LOG_LEVEL: '2', LC_ALL: 'C', ELECTRON_RUN_AS_NODE: '1', npm_config_x: 'y' }
  expect(workerEnvironment(own)).toEqual({ PATH: '/bin', HOME: '/h', CUDA_VISIBLE_DEVICES: '0', TF_CPP_MIN_LOG_LEVEL: '2', LC_ALL: 'C' })
})

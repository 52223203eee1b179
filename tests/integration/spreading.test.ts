import { mkdtempSync, rmSync } from 'node:fs'
import { availableParallelism, tmpdir } from 'node:os'
import path from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { workerPath } from '#main/workbench.ts'
import { findMethod } from '#engine/methods/registry.ts'
import type { WorkerRequest } from '#engine/protocol.ts'
import { createPool, type ExplainControl, type ExplainJob, type Pool } from '#pool/pool.ts'
import { createTimings, type WaysMeasured } from '#pool/timings.ts'
import { forkLauncher, type Launch, type Wire } from '#pool/wire.ts'
import { loadModel } from '#services/models.ts'
import type { ExecutorWish } from '#shared/domain/executor.ts'
import type { ModelSource } from '#shared/domain/model.ts'
import { resolveParameters } from '#shared/domain/parameters.ts'
import { createRandom } from '#shared/random/random.ts'
import { tinyCard, writeTinyModel } from '../fixtures/tiny-model.ts'
import { onnxruntimeTest } from '../onnx.ts'

const folder = mkdtempSync(path.join(tmpdir(), 'maskscope-spreading-'))
let source: ModelSource
let alone: Pool
let two: Pool
/** What the workers of `two` are told, and by whom. */
let hear: (message: WorkerRequest, wire: Wire) => void = () => undefined
/** What the pool `two` told of what went wrong. */
let told: string[] = []

/** A pool that is told that many workers do most. */
function poolOf(jobs: number, launch: Launch): Pool {
  return createPool({
    launch, backend: 'cpu', jobs, log: (message) => told.push(message), timings: { ...createTimings(), findWays: () => Promise.resolve({ oneWorker: 2, manyWorkers: 1 }) },
  })
}

beforeAll(async () => {
  source = (await loadModel(writeTinyModel(path.join(folder, 'tiny'), { card: tinyCard }))).source
  const launch = forkLauncher(workerPath())
  alone = poolOf(1, launch)
  two = poolOf(2, () => {
    const wire = launch()
    return { ...wire, send: (message) => {
      hear(message, wire)
      wire.send(message)
    } }
  })
})

afterAll(async () => {
  await Promise.all([alone.dispose(), two.dispose()])
  rmSync(folder, { recursive: true, force: true })
})

const random = createRandom(4, 'spreading')
const images = { count: 1, height: 16, width: 16, channels: 3, data: Float32Array.from({ length: 768 }, () => random.uniform()) }

function job(masks: number, more: Partial<ExplainJob> = {}): ExplainJob {
  return { method: 'rise', parameters: resolveParameters(findMethod('rise'), { masks }), images, targets: [1], seeds: [3], executor: 'tfjs', ...more }
}

/** Runs until somebody helped: the first of a pool may be over before the second worker is there. */
async function helped(given: ExplainJob, on: (message: WorkerRequest, wire: Wire, shares: number) => void = () => undefined): Promise<Float32Array> {
  for (let attempt = 0; attempt < 10; attempt++) {
    let shares = 0
    hear = (message, wire) => {
      if (message.type === 'assist') shares++
      on(message, wire, shares)
    }
    const { explanations } = await two.explain(source, given).finally(() => (hear = () => undefined))
    if (shares > 0) return explanations[0]!.saliency.data
  }
  throw new Error('nobody helped')
}

async function mapOf(pool: Pool, given: ExplainJob): Promise<Float32Array> {
  return (await pool.explain(source, given)).explanations[0]!.saliency.data
}

async function sameBytes(executor: ExecutorWish): Promise<void> {
  const given = job(1500, { executor })
  expect(await helped(given)).toEqual(await mapOf(alone, given))
}

test('two workers give the bytes of one', () => sameBytes('tfjs'))

onnxruntimeTest('two workers give the bytes of one', () => sameBytes('onnxruntime'))

onnxruntimeTest('which way of using the cores does more is measured at the first run that only asks, and then known', async () => {
  const timings = createTimings()
  const pool = createPool({ launch: forkLauncher(workerPath()), backend: 'cpu', timings, jobs: 2 })
  const asked: (WaysMeasured | null)[] = []
  const findWays = timings.findWays.bind(timings)
  timings.findWays = async (subject) => {
    const found = await findWays(subject)
    asked.push(found)
    return found
  }
  try {
    const given = job(64, { executor: 'onnxruntime' })
    const map = await mapOf(pool, given)
    expect(await mapOf(pool, given)).toEqual(map)
    expect(asked[0]).toBeNull()
    expect(asked[1]!.oneWorker).toBeGreaterThan(0)
    expect(asked[1]!.manyWorkers).toBeGreaterThan(0)
  } finally {
    await pool.dispose()
  }
})

test.each(['de-cam', 'kernel-shap'])('%s by default: the bytes of one worker, and every share that is given is answered', async (method) => {
  const given = job(2, { method, parameters: resolveParameters(findMethod(method), {}) })
  let refused = 0
  told = []
  const map = await helped(given, (message) => {
    if (message.type === 'shared' && !message.logits) refused++
  })
  expect(refused).toBe(0)
  expect(told).toEqual([])
  expect(map).toEqual(await mapOf(alone, given))
})

test('a method whose questions nobody else can answer gets all cores for them', async () => {
  const seen: { method: string; threads: number; spread: boolean }[] = []
  hear = (message) => {
    if (message.type === 'explain') seen.push({ method: message.method, threads: message.threads, spread: message.spread ?? false })
  }
  try {
    for (const [method, given] of [['sensitivity-mask', { queries: 40, pairs: 2, starts: 1 }], ['edges', {}], ['rise', { masks: 4 }]] as const) {
      await two.explain(source, job(2, { method, parameters: resolveParameters(findMethod(method), given) }))
    }
  } finally {
    hear = () => undefined
  }
  const cores = availableParallelism()
  expect(seen).toEqual([
    { method: 'sensitivity-mask', threads: cores, spread: false }, { method: 'edges', threads: cores, spread: false }, { method: 'rise', threads: Math.max(1, Math.floor(cores / 2)), spread: true },
  ])
})

test('a helper that dies in the middle: its shares are computed again, and the run goes on with the next', async () => {
  const given = job(2500)
  let killed = 0
  const map = await helped(given, ({ type }, wire, shares) => {
    if (type !== 'assist' || shares !== 2) return
    killed++
    process.kill(wire.pid!, 'SIGKILL')
  })
  expect(killed).toBeGreaterThan(0)
  expect(map).toEqual(await mapOf(alone, given))
})

test('a helper that fails at a share is given up with a word, and the run finds the same', async () => {
  const given = job(2500)
  told = []
  // Where the run is over before the helper answers, nothing was given up.
  for (let attempt = 0; attempt < 10 && told.length === 0; attempt++) {
    const map = await helped(given, (message) => {
      if (message.type === 'assist') message.work = { ...message.work, pictures: [] }
    })
    expect(map).toEqual(await mapOf(alone, given))
  }
  expect(told[0]).toMatch(/does without it: .*picture/)
})

test('a cancelled run ends, its helper too, and both are free for the next', async () => {
  const abort = new AbortController()
  let shares = 0
  hear = (message) => {
    if (message.type === 'assist' && ++shares === 2) abort.abort()
  }
  await expect(two.explain(source, job(100_000), { signal: abort.signal })).rejects.toMatchObject({ code: 'cancelled' })
  const seen = shares
  expect(await helped(job(1000))).toEqual(await mapOf(alone, job(1000)))
  expect(seen).toBeLessThan(20)
})

test('work that arrives takes the helper, a paused run has none, and neither changes the bytes', async () => {
  const given = job(3000)
  let second: Promise<Float32Array> | undefined
  let worker: number | undefined
  let stood = 0
  let shares = 0
  let atPause = 0
  let control: ExplainControl | undefined
  hear = (message) => {
    if (message.type !== 'assist') return
    shares++
    if (shares === 2) {
      second = two.explain(source, job(200, { seeds: [9], company: 1 }), { onStart: (number) => (worker = number) }).then(({ explanations }) => explanations[0]!.saliency.data)
      control!.pause()
    }
  }
  const first = two.explain(source, given, {
    onControl: (given) => (control = given),
    onPaused() {
      stood++
      setTimeout(() => (atPause = shares), 50)
      setTimeout(() => control!.resume(), 150)
    },
  })
  const { explanations } = await first
  expect(explanations[0]!.saliency.data).toEqual(await mapOf(alone, given))
  expect(stood).toBe(1)
  expect(worker).toBeGreaterThan(0)
  expect(shares).toBeGreaterThan(atPause)
  expect(await second).toEqual(await mapOf(alone, job(200, { seeds: [9] })))
})

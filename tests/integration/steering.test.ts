import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { workerPath } from '#main/workbench.ts'
import { findMethod } from '#engine/methods/registry.ts'
import { createPool, type ExplainControl, type Explained, type ExplainJob, type Pool, type Watcher } from '#pool/pool.ts'
import { forkLauncher } from '#pool/wire.ts'
import { loadModel } from '#services/models.ts'
import type { ModelSource } from '#shared/domain/model.ts'
import { resolveParameters } from '#shared/domain/parameters.ts'
import type { ParameterChange, Progress } from '#shared/domain/run.ts'
import { tinyCard, writeTinyModel } from '../fixtures/tiny-model.ts'

/** The whole way from the pool into a real worker process and back. */

const folder = mkdtempSync(path.join(tmpdir(), 'maskscope-steering-'))
let source: ModelSource
let pool: Pool

beforeAll(async () => {
  source = (await loadModel(writeTinyModel(folder, { card: tinyCard }))).source
  pool = createPool({ launch: forkLauncher(workerPath()), backend: 'cpu', jobs: 1 })
})

afterAll(async () => {
  await pool.dispose()
  rmSync(folder, { recursive: true, force: true })
})

const images = { count: 1, height: 16, width: 16, channels: 3, data: Float32Array.from({ length: 768 }, (_, i) => ((i * 7919) % 997) / 997) }

function job(iterations: number, more: Partial<ExplainJob> = {}): ExplainJob {
  return { method: 'neuromask', parameters: resolveParameters(findMethod('neuromask'), { iterations }), images, targets: [0], seeds: [1], ...more }
}

interface Steered {
  /** Rejects as the run does. */
  run: Promise<Explained>
  control: ExplainControl
  /** Resolves with the iteration after which the run stands. */
  paused: Promise<number>
  progress: Progress[]
  changes: ParameterChange[]
}

/** Begins a run and pauses it as soon as it is known to the worker. */
async function begin(order: ExplainJob, watcher: Watcher = {}): Promise<Steered> {
  const progress: Progress[] = []
  const changes: ParameterChange[] = []
  let pausedAt: (iteration: number) => void
  const paused = new Promise<number>((resolve) => (pausedAt = resolve))
  let run: Promise<Explained> | undefined
  const control = await new Promise<ExplainControl>((resolve) => {
    run = pool.explain(source, order, {
      ...watcher,
      onControl: resolve,
      onProgress: (p) => progress.push(p),
      onPaused: (iteration) => pausedAt(iteration),
      onChanged: (change) => changes.push(change),
    })
    run.catch(() => undefined)
  })
  control.pause()
  return { run: run!, control, paused, progress, changes }
}

test('a run that was paused and changed is replayed from its changes to the same bytes', async () => {
  const { run, control, paused, progress, changes } = await begin(job(60, { live: true }))
  const at = await paused
  const change = await control.change({ 'sparsity-weight': 200 })
  expect(change.iteration === at + 1 || at === 0).toBe(true)
  await expect(control.change({ resolution: 4 })).rejects.toMatchObject({ code: 'usage', subject: 'resolution' })
  const seen = progress.length
  await new Promise((resolve) => setTimeout(resolve, 100))
  expect(progress).toHaveLength(seen)
  control.resume()
  const { explanations } = await run
  expect(changes).toEqual([change])
  const replay = await pool.explain(source, job(60, { changes }))
  expect(replay.explanations).toEqual(explanations)
  const plain = await pool.explain(source, job(60))
  expect(plain.explanations[0]!.own).not.toEqual(explanations[0]!.own)
})

describe('while a run stands', () => {
  test('questions about models are answered, and it can be cancelled', async () => {
    const controller = new AbortController()
    const { run, paused } = await begin(job(20000), { signal: controller.signal })
    await paused
    expect(await pool.classify(source, images)).toHaveLength(4)
    expect((await pool.info(source)).classes).toBe(4)
    expect((await pool.backend()).id).toBe('cpu')
    expect(await pool.capacity()).toBe(1)
    expect(pool.workers()).toHaveLength(2)
    controller.abort()
    await expect(run).rejects.toMatchObject({ code: 'cancelled' })
    expect((await pool.explain(source, job(3))).explanations[0]!.iterations).toBe(3)
  })

  test('the death of its worker fails it, and the next run works', async () => {
    let number = 0
    const { run, control, paused } = await begin(job(20000), { onStart: (worker) => (number = worker) })
    await paused
    process.kill(pool.workers().find((worker) => worker.number === number)!.pid!, 'SIGKILL')
    await expect(run).rejects.toMatchObject({ code: 'worker', message: expect.stringContaining('SIGKILL') as string })
    await expect(control.change({ offset: 1 })).rejects.toMatchObject({ code: 'usage' })
    expect((await pool.explain(source, job(3))).explanations[0]!.iterations).toBe(3)
  })

  test('the next run does not wait for it, and it ends as if it had never stood', async () => {
    const { run, control, paused } = await begin(job(40))
    await paused
    expect((await pool.explain(source, job(3, { seeds: [2] }))).explanations[0]!.iterations).toBe(3)
    control.resume()
    const { explanations } = await run
    expect((await pool.explain(source, job(40))).explanations).toEqual(explanations)
  })
})

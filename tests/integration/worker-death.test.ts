import { spawn } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { createWorkbench, workerPath, type Workbench } from '#main/workbench.ts'
import { findMethod } from '#engine/methods/registry.ts'
import { createPool } from '#pool/pool.ts'
import { forkLauncher } from '#pool/wire.ts'
import { resolveData } from '#services/datasets.ts'
import { loadModel, type LoadedModel } from '#services/models.ts'
import type { RunOrder } from '#services/runs.ts'
import { openStudy } from '#services/studies.ts'
import { resolveParameters } from '#shared/domain/parameters.ts'
import { tinyCard, writeTinyModel } from '../fixtures/tiny-model.ts'

const folder = mkdtempSync(path.join(tmpdir(), 'maskscope-death-'))
let workbench: Workbench
let model: LoadedModel

beforeAll(async () => {
  model = await loadModel(writeTinyModel(path.join(folder, 'tiny'), { card: tinyCard }))
  workbench = createWorkbench({ backend: 'cpu', jobs: 2 })
})

afterAll(async () => {
  await workbench.dispose()
  rmSync(folder, { recursive: true, force: true })
})

async function order(seed: number, iterations: number): Promise<RunOrder> {
  const item = (await resolveData(`scene:${seed}`))[0]!
  return { model: { source: model.source, place: model.file }, item, method: 'neuromask', parameters: { iterations }, seed, target: 'auto' }
}

const longJob = {
  method: 'neuromask',
  parameters: resolveParameters(findMethod('neuromask'), { iterations: 20000 }),
  images: { count: 1, height: 16, width: 16, channels: 3, data: new Float32Array(768).fill(0.5) },
  targets: [0],
  seeds: [1],
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0)
    return true
  } catch {
    return false
  }
}

test.each(['SIGKILL', 'SIGABRT'] as const)('%s in the middle of a run fails that run alone, and the worker is replaced', async (signal) => {
  const place = path.join(folder, signal)
  const { runs, study } = await workbench.openRuns(place)
  let killed: number | undefined
  const doomed = runs.submit(await order(2000000, 20000))
  const others = await Promise.all([1, 2, 3].map(async (i) => runs.submit(await order(2000000 + i, 50))))
  let worker = 0
  runs.subscribe((event) => {
    if (event.run !== doomed.id) return
    if (event.type === 'started') worker = event.worker
    if (event.type === 'progress' && event.progress.iteration === 20) {
      killed = workbench.pool.workers().find((w) => w.number === worker)!.pid!
      process.kill(killed, signal)
    }
  })
  const outcome = await doomed.outcome
  expect(outcome).toMatchObject({ state: 'failed', error: { code: 'worker', message: expect.stringContaining(signal) as string } })
  expect(isAlive(killed!)).toBe(false)
  for (const other of others) expect((await other.outcome).state).toBe('finished')
  expect((await runs.submit(await order(2000009, 5)).outcome).state).toBe('finished')
  await study.close()

  const entries = await (await openStudy(place)).runs()
  expect(entries.map((r) => r.state)).toEqual(['failed', 'finished', 'finished', 'finished', 'finished'])
  const record = JSON.parse(readFileSync(path.join(place, 'runs', doomed.id, 'record.json'), 'utf8')) as { error: { code: string } }
  expect(record.error.code).toBe('worker')
  await expect((await openStudy(place)).readRun(doomed.id)).rejects.toThrow(signal)
})

test('a worker that runs out of memory says so', async () => {
  const pool = createPool({ launch: forkLauncher(workerPath(), ['--max-old-space-size=40']), backend: 'cpu', jobs: 1 })
  try {
    expect((await pool.backend()).id).toBe('cpu')
    // Lists of texts live on the limited heap; weights and pixels do not.
    const labels = Array.from({ length: 2_000_000 }, (_, i) => `label ${i}`)
    await expect(pool.info({ ...model.source, labels })).rejects.toMatchObject({ code: 'worker', message: expect.stringContaining('ran out of memory') as string })
    expect((await pool.info(model.source)).classes).toBe(4)
  } finally {
    await pool.dispose()
  }
})

test('an error that escapes the engine fails the run with its words, and the worker is replaced', async () => {
  const boom = `data:text/javascript,${encodeURIComponent(`
    const { emit } = process
    process.emit = function (name, message, ...rest) {
      if (name === 'message' && message?.type === 'explain') setTimeout(() => { throw new Error('boom') }, 100)
      return emit.call(this, name, message, ...rest)
    }`)}`
  const pool = createPool({ launch: forkLauncher(workerPath(), ['--import', boom]), backend: 'cpu', jobs: 1 })
  try {
    await expect(pool.explain(model.source, longJob)).rejects.toMatchObject({ code: 'worker', message: expect.stringContaining('boom') as string })
    expect((await pool.info(model.source)).classes).toBe(4)
  } finally {
    await pool.dispose()
  }
})

test('disposing ends every worker', async () => {
  const pool = createPool({ launch: forkLauncher(workerPath()), backend: 'cpu', jobs: 1 })
  await pool.info(model.source)
  const pids = pool.workers().map((w) => w.pid!)
  const busy = pool.explain(model.source, longJob)
  await Promise.all([expect(busy).rejects.toMatchObject({ code: 'cancelled' }), pool.dispose()])
  expect(pids).toHaveLength(1)
  expect(pids.some(isAlive)).toBe(false)
})

test('workers end when their parent is killed', async () => {
  const script = path.join(folder, 'parent.mts')
  const at = (file: string): string => JSON.stringify(path.resolve(file))
  writeFileSync(script, `
import { createPool } from ${at('src-main/engine-pool/pool.ts')}
import { forkLauncher } from ${at('src-main/engine-pool/wire.ts')}
const pool = createPool({ launch: forkLauncher(${JSON.stringify(workerPath())}), backend: 'cpu', jobs: 1 })
await pool.backend()
console.log(JSON.stringify(pool.workers().map((w) => w.pid)))
setInterval(() => {}, 1000)
`)
  const parent = spawn(process.execPath, ['--import', 'tsx', script], { stdio: ['ignore', 'pipe', 'inherit'] })
  const pids = JSON.parse(await new Promise<string>((resolve) => parent.stdout.once('data', (chunk: Buffer) => resolve(chunk.toString())))) as number[]
  expect(pids).toHaveLength(1)
  expect(isAlive(pids[0]!)).toBe(true)
  parent.kill('SIGKILL')
  for (let i = 0; i < 100 && isAlive(pids[0]!); i++) await new Promise((resolve) => setTimeout(resolve, 50))
  expect(isAlive(pids[0]!)).toBe(false)
})

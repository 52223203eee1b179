import { existsSync } from 'node:fs'
import path from 'node:path'
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest'
import { workerPath } from '#main/workbench.ts'
import { forkLauncher } from '#pool/wire.ts'
import { openDesk, watchRuns, type DeskClient, type TestDesk, type Watched } from '../fixtures/desk.ts'

let at: TestDesk
let client: DeskClient
let watched: Watched
let model: string
let image: string
const processes: number[] = []

beforeAll(async () => {
  const fork = forkLauncher(workerPath())
  const launch = (): ReturnType<typeof fork> => {
    const wire = fork()
    processes.push(wire.pid!)
    return wire
  }
  at = await openDesk({ workbench: { backend: 'wasm', jobs: 1, launch } })
  client = at.connect()
  watched = watchRuns(client)
  const opened = await client.call('models.open', { from: { bundled: 'demo' }, stated: {} })
  if (opened.state !== 'open') throw new Error(opened.message)
  model = opened.model
  image = (await client.call('images.open', { from: { scene: 'scene:2000003' } }))[0]!.image
})
afterAll(async () => {
  await at.end()
})

async function submit(iterations: number, seed = 0): Promise<string> {
  const order = { model, image, method: 'neuromask', parameters: { iterations }, seed, target: 'auto' as const }
  return (await client.call('runs.submit', order)).run
}

/** Resolves when the run has come to an iteration. */
async function reaches(run: string, iteration: number): Promise<void> {
  await watched.until(() => watched.events.some((event) => event.type === 'progress' && event.run === run && event.iteration >= iteration))
}

function shownStudy(): string | undefined {
  return watched.events.flatMap((event) => (event.type === 'snapshot' ? [event.study.name] : [])).at(-1)
}

const isPaused = (run: string) => (): boolean => watched.rows.get(run)?.state === 'paused'

// A test that fails must not leave its runs to the next one.
afterEach(async () => {
  await client.call('runs.cancelAll', {})
})

describe('steering', () => {
  test('pause, change, resume: the change stands in the row, the record and the command', async () => {
    const run = await submit(400)
    await reaches(run, 5)
    await client.call('runs.pause', { run })
    await watched.until(isPaused(run))
    const { iteration } = watched.rows.get(run)!
    await expect(client.call('runs.change', { run, parameters: { 'sparsity-weight': -1 } })).rejects.toMatchObject({ code: 'usage', subject: 'sparsity-weight' })
    await expect(client.call('runs.change', { run, parameters: { iterations: 5 } })).rejects.toMatchObject({ code: 'usage', subject: 'iterations' })
    const change = await client.call('runs.change', { run, parameters: { 'sparsity-weight': 2 } })
    expect(change).toEqual({ iteration: iteration + 1, parameters: { 'sparsity-weight': 2 } })
    expect(watched.rows.get(run)).toMatchObject({ state: 'paused', changes: [change] })
    await client.call('runs.resume', { run })
    expect(await watched.ended(run)).toMatchObject({ state: 'finished', changes: [change], iteration: 400 })
    const { provenance } = await client.call('runs.read', { run })
    expect(provenance.filter((entry) => entry.group === 'Changes')).toHaveLength(1)
    const { command } = await client.call('runs.command', { run })
    expect(command).toMatch(/^maskscope /)
    expect(command).toContain(`--change ${change.iteration}:sparsity-weight=2`)
    const figure = { run, options: { widthMm: 181, font: 'arimo', colormap: 'viridis', normalisation: 'range', caption: true, dpi: 300 }, format: 'pdf' } as const
    expect((await client.call('figures.command', figure)).command).toMatch(/^maskscope figure .*--out \S+\.pdf --width 181/)
  })

  test('the command of an order that is not given yet', async () => {
    const { command } = await client.call('runs.commandFor', { model, image, method: 'neuromask', parameters: { iterations: 7 }, seed: 4, target: 2 })
    expect(command).toMatch(/^maskscope explain .*scene:2000003.*--model demo.*iterations=7/)
  })

  test('a window that is loaded anew in the middle finds the run as it stands, then hears how it goes on', async () => {
    const run = await submit(5000)
    const waiting = await submit(3)
    await reaches(run, 10)
    const again = watchRuns(at.connect())
    await again.until(() => again.events.some((event) => event.type === 'progress' && event.run === run))
    expect(again.events[0]).toMatchObject({ type: 'snapshot' })
    const snapshot = again.events[0]!.type === 'snapshot' ? again.events[0]!.rows : []
    const row = snapshot.find((candidate) => candidate.run === run)
    expect(row).toMatchObject({ state: 'running', iterations: 5000 })
    expect(row!.iteration).toBeGreaterThanOrEqual(10)
    expect(row!.thumbnail).not.toBeNull()
    expect(snapshot.find((candidate) => candidate.run === waiting)).toMatchObject({ state: 'queued' })
    const course = await client.call('runs.course', { run })
    expect(course.iterations.length).toBeGreaterThan(10)
    expect(course.frames.iterations).toContain(10)
    expect(await client.call('runs.read', { run })).toMatchObject({ row: { state: 'running' }, range: [0, 1], view: { size: { width: 64 } } })
    expect((await client.call('runs.inputs', { run })).seen.data).toHaveLength(64 * 64 * 3)
    expect(at.desk.busy()).toBe(2)
    await client.call('runs.cancel', { run })
    expect(await watched.ended(run)).toMatchObject({ state: 'cancelled', error: null })
    expect(await watched.ended(waiting)).toMatchObject({ state: 'finished' })
    // What a cancelled run came to can still be looked at.
    expect((await client.call('runs.course', { run })).iterations.length).toBeGreaterThan(10)
    expect(at.desk.busy()).toBe(0)
    again.end()
  })
})

describe('deleting', () => {
  test('moved aside and brought back; an unfinished one is cancelled first', async () => {
    const done = await submit(3)
    await watched.ended(done)
    const going = await submit(5000)
    await reaches(going, 3)
    const before = watched.rows.get(done)
    await client.call('runs.delete', { runs: [done, going] })
    expect(watched.rows.has(done) || watched.rows.has(going)).toBe(false)
    await expect(client.call('runs.read', { run: done })).rejects.toMatchObject({ code: 'usage' })
    const again = watchRuns(at.connect())
    await again.until(() => again.events.length > 0)
    expect(again.rows.has(done) || again.rows.has(going)).toBe(false)
    again.end()
    await client.call('runs.restore', { runs: [done, going] })
    expect(watched.rows.get(done)).toEqual(before)
    expect(watched.rows.get(going)).toMatchObject({ state: 'cancelled' })
    expect((await client.call('runs.course', { run: done })).iterations).toHaveLength(4)
  })
})

describe('a worker that dies', () => {
  test('fails its run with a clear message; the next one works', async () => {
    const run = await submit(5000)
    await reaches(run, 3)
    process.kill(processes[processes.length - 1]!, 'SIGKILL')
    expect(await watched.ended(run)).toMatchObject({ state: 'failed', error: { code: 'worker' } })
    const next = await submit(2)
    expect(await watched.ended(next)).toMatchObject({ state: 'finished' })
    expect(processes).toHaveLength(2)
  })
})

test('while the only worker computes, a model opens and an image is classified', async () => {
  const run = await submit(20_000)
  await reaches(run, 3)
  const judge = await client.call('models.open', { from: { bundled: 'demo-judge' }, stated: {} })
  if (judge.state !== 'open') throw new Error(judge.message)
  const { top } = await client.call('images.classify', { model: judge.model, image, top: 2 })
  expect(top.map((entry) => entry.probability! <= 1)).toEqual([true, true])
  expect(await client.call('system.backend', {})).toMatchObject({ id: 'wasm', workers: 1 })
  expect(watched.rows.get(run)).toMatchObject({ state: 'running' })
  await client.call('runs.cancel', { run })
  await watched.ended(run)
})

describe('studies', () => {
  test('another study while one runs: its run goes on and is there when it is opened again', async () => {
    const first = shownStudy()
    const run = await submit(60)
    await reaches(run, 2)
    expect(await client.call('studies.create', { name: 'Second' })).toEqual({ name: 'Second' })
    await watched.until(() => shownStudy() === 'Second')
    expect(watched.rows.size).toBe(0)
    expect(existsSync(path.join(at.folder, 'studies', 'Second'))).toBe(false)
    const own = await submit(2)
    expect(await watched.ended(own)).toMatchObject({ state: 'finished' })
    expect(own).toMatch(/^0001-/)
    const list = await client.call('studies.list', {})
    expect(list.map((study) => study.name).sort()).toEqual(['Second', first].sort())
    expect(await client.call('studies.open', { study: list.find((study) => study.name === first)!.study })).toEqual({ name: first })
    await watched.until(() => watched.rows.has(run))
    expect(await watched.ended(run)).toMatchObject({ state: 'finished' })
  })

  test('a study opened from outside is shown', async () => {
    await at.desk.openStudy(path.join(at.folder, 'studies', 'Second', 'Second.maskscope'))
    await watched.until(() => shownStudy() === 'Second')
    expect([...watched.rows.keys()]).toEqual(['0001-scene-2000003-neuromask'])
    expect(at.opened).toContain(path.join(at.folder, 'studies', 'Second'))
  })
})

test('nothing was said that breaks the contract', () => {
  expect(at.logged.filter((line) => !line.startsWith('Refused'))).toEqual([])
})

import { existsSync, mkdirSync, mkdtempSync, readFileSync, readdirSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { encodePng } from '#services/images.ts'
import type { BenchmarkEvent, BenchmarkRow, WindowBenchmark } from '#shared/contract/benchmark.ts'
import type { DataSet } from '#shared/contract/models.ts'
import { openDesk, type DeskClient, type TestDesk } from '../fixtures/desk.ts'
import { runCliHere } from '../fixtures/cli.ts'

let at: TestDesk
let client: DeskClient
let order: WindowBenchmark
const rows = new Map<string, BenchmarkRow>()
const states: string[] = []
let wake = (): void => undefined
const elsewhere = mkdtempSync(path.join(tmpdir(), 'maskscope-elsewhere-'))

function hear(event: BenchmarkEvent): void {
  if (event.type === 'snapshot') for (const row of event.rows) rows.set(row.benchmark, row)
  else if (event.type === 'removed') rows.delete(event.benchmark)
  else {
    rows.set(event.row.benchmark, event.row)
    if (states.at(-1) !== event.row.state) states.push(event.row.state)
  }
  wake()
}

async function until(holds: () => boolean): Promise<void> {
  while (!holds()) await new Promise<void>((resolve) => (wake = resolve))
}

beforeAll(async () => {
  at = await openDesk()
  client = at.connect()
  client.watch('benchmark.watch', {}, hear)
  const model = await client.call('models.open', { from: { bundled: 'demo' }, stated: {} })
  if (model.state !== 'open') throw new Error(model.message)
  order = {
    model: model.model, judge: null, data: { scenes: 'scenes:18@2000000' }, methods: ['gradient', 'grad-cam', 'edges'], metrics: ['average-precision', 'sparseness'], configurations: null, limit: null,
    seed: 0, draws: 3, keepMaps: true, name: 'small', place: null,
  }
}, 60_000)
afterAll(async () => {
  await at.end()
  rmSync(elsewhere, { recursive: true, force: true })
})

test('a plan says what fits, what it comes to and what is wrong, at its field', async () => {
  const plan = await client.call('benchmark.plan', order)
  expect(plan).toMatchObject({ total: 18, images: 18, data: 'scenes:18@2000000', explanations: 54, unknown: 3, seconds: null, problem: null, folder: { name: 'small', holds: 'nothing' } })
  expect(plan.methods['oracle']).toBeNull()
  expect(plan.metrics['grid-pointing-game']).toContain('mosaics')
  for (const [change, subject] of [
    [{ model: null }, 'model'], [{ data: { scenes: '/etc' } }, 'data'], [{ data: { scenes: 'scenes:0@1' } }, 'data'], [{ methods: [] }, 'methods'], [{ methods: ['none'] }, 'methods'], [{ metrics: ['grid-pointing-game'] }, 'metrics'],
    [{ judge: order.model }, 'judge'], [{ name: '../up' }, 'name'],
  ] as [Partial<WindowBenchmark>, string][]) {
    expect((await client.call('benchmark.plan', { ...order, ...change })).problem, JSON.stringify(change)).toMatchObject({ subject })
  }
  expect(await client.call('benchmark.try', order)).toEqual({ tried: 3 })
  const tried = await client.call('benchmark.plan', order)
  expect(tried.unknown).toBe(0)
  expect(tried.seconds).toBeGreaterThan(0)
})

let benchmark: string
const row = (): BenchmarkRow => rows.get(benchmark)!
const folder = (): string => path.join(at.folder, 'maskscope-benchmarks', 'small')

test('started, paused, gone on with, cancelled, and gone on with to its end; partial numbers on the way', async () => {
  ({ benchmark } = await client.call('benchmark.start', order))
  await until(() => row().done > 0)
  await client.call('benchmark.pause', { benchmark })
  await until(() => row().state === 'paused' || row().state === 'finished')
  expect(row()).toMatchObject({ state: 'paused', total: 9, facts: { model: 'demo', images: 18, metrics: order.metrics } })
  const paused = row().done
  const partial = await client.call('benchmark.results', { benchmark, against: null })
  expect(partial).toMatchObject({ whole: false, against: 'gradient', resamples: 1000 })
  expect(partial.methods.some(({ scores }) => scores['average-precision']!.n > 0)).toBe(true)
  expect(row().done).toBe(paused)
  await client.call('benchmark.resume', { benchmark, model: null, judge: null })
  await until(() => row().done > paused)
  await client.call('benchmark.cancel', { benchmark })
  // It may have come to its end meanwhile.
  await until(() => row().state === 'stopped' || row().state === 'finished')
  await client.call('benchmark.resume', { benchmark, model: null, judge: null })
  await until(() => row().state === 'finished')
  expect(states).toEqual(expect.arrayContaining(['preparing', 'pausing', 'paused', 'running', 'finished']))
  expect(row()).toMatchObject({ done: 9, failures: [], error: null })
})

test('its numbers are those of its files; the cells behind one, with pictures and maps; one of them opened again', async () => {
  const results = await client.call('benchmark.results', { benchmark, against: 'edges' })
  expect(results).toMatchObject({ whole: true, against: 'edges', resamples: 10_000 })
  const cells = await client.call('benchmark.cells', { benchmark, method: 'grad-cam', metric: 'average-precision' })
  expect(cells).toHaveLength(results.images)
  const mean = cells.reduce((sum, { value }) => sum + value!, 0) / cells.length
  expect(mean).toBeCloseTo(results.methods.find(({ name }) => name === 'grad-cam')!.scores['average-precision']!.mean!, 10)
  const [, camSpread] = await client.call('benchmark.spread', { benchmark, metric: 'average-precision' })
  expect([...camSpread!.values]).toEqual(cells.map(({ value }) => Math.fround(value!)))
  const [first, second] = await client.call('benchmark.pictures', { benchmark, method: 'grad-cam', subjects: [0, cells.length - 1] })
  expect(first).toMatchObject({ subject: 0, map: { height: 64, width: 64 } })
  expect([...second!.png!.subarray(1, 4)]).toEqual([...Buffer.from('PNG')])
  const reopened = await client.call('benchmark.reopen', { benchmark, method: 'grad-cam', subject: 0 })
  expect(reopened).toMatchObject({ method: 'grad-cam', message: null, image: { name: cells[0]!.image, label: cells[0]!.label }, model: { info: { name: 'demo' } } })
  const against = { benchmark, against: 'gradient', metric: 'average-precision' }
  for (const file of ['table.md', 'table.tex', 'results.csv', 'details.csv', 'excluded.csv', 'summary.json', 'quality.svg'] as const) {
    const { name, bytes } = await client.call('benchmark.file', { ...against, file })
    expect(new TextDecoder().decode(bytes), file).toBe(readFileSync(path.join(folder(), name), 'utf8'))
  }
})

test.skipIf(process.platform === 'win32')('its command goes on in the same folder, where nothing is left to do', async () => {
  const { command } = await client.call('benchmark.command', { benchmark })
  expect(command).toBe(`maskscope benchmark --model demo --data scenes:18@2000000 --limit 18 --methods gradient,grad-cam,edges --metrics average-precision,sparseness --seeds 1 --executor ${row().facts!.executor} --keep-maps --out ${folder()}`)
  const before = readdirSync(path.join(folder(), 'records')).map((name) => readFileSync(path.join(folder(), 'records', name), 'utf8'))
  const { code, stderr } = await runCliHere([...command.split(' ').slice(1), '--json', '--backend', 'wasm'], at.folder)
  expect(code, stderr).toBe(0)
  expect(readdirSync(path.join(folder(), 'records')).map((name) => readFileSync(path.join(folder(), 'records', name), 'utf8'))).toEqual(before)
})

test('another window finds it; out of the list it is still on the disk, and comes back by its folder', async () => {
  const found: BenchmarkRow[] = []
  await new Promise<void>((resolve) => void at.connect().watch('benchmark.watch', {}, (event) => {
    if (event.type === 'snapshot') found.push(...event.rows)
    resolve()
  }))
  expect(found).toMatchObject([{ benchmark, state: 'finished', done: 9, total: 9 }])
  await client.call('benchmark.forget', { benchmark })
  await until(() => !rows.has(benchmark))
  expect(existsSync(path.join(folder(), 'benchmark.json'))).toBe(true)
  const entry = await at.desk.handles.give(folder())
  expect(entry.kind).toBe('benchmark')
  expect(await client.call('benchmark.open', { folder: entry.handle })).toEqual({ benchmark })
  expect((await client.call('benchmark.plan', order)).folder.holds).toBe('all')
  expect((await client.call('benchmark.plan', { ...order, seed: 5 })).folder.holds).toBe('other')
})

async function placeOf(file: string, kind: DataSet['kind']): Promise<DataSet> {
  return { kind, place: (await at.desk.handles.give(file)).handle, part: 'test', mosaic: null }
}

test('of data sets only what lies below the roots is read: places, files that a list names, links, models of a folder from elsewhere', async () => {
  const png = await encodePng({ width: 8, height: 8, data: new Uint8Array(192).fill(90) })
  const inside = path.join(at.folder, 'inside')
  for (const name of ['cat', 'dog']) {
    mkdirSync(path.join(elsewhere, 'classes', name), { recursive: true })
    writeFileSync(path.join(elsewhere, 'classes', name, 'a.png'), png)
    mkdirSync(path.join(inside, 'classes', name), { recursive: true })
    writeFileSync(path.join(inside, 'classes', name, 'a.png'), png)
  }
  const page = async (data: DataSet): Promise<number> => (await client.call('data.page', { data, first: 0, count: 5 })).total
  expect(await page(await placeOf(path.join(inside, 'classes'), 'folder'))).toBe(2)
  const outside = /lies outside the folders that the program was started for/
  const refused = async (data: DataSet): Promise<void> => {
    await expect(page(data)).rejects.toThrow(outside)
    await expect(client.call('images.open', { from: { data, indices: [0] } })).rejects.toThrow(outside)
    expect((await client.call('benchmark.plan', { ...order, data: { set: data } })).problem).toMatchObject({ subject: 'data', message: expect.stringMatching(outside) as string })
  }
  // A handle from outside, as of what was opened when the program was started otherwise.
  await refused(await placeOf(path.join(elsewhere, 'classes'), 'folder'))
  await refused({ ...await placeOf(path.join(elsewhere, 'classes'), 'folder'), mosaic: 2 })
  for (const [name, file] of [['absolute', path.join(elsewhere, 'classes', 'cat', 'a.png')], ['up', '../../../../../../../etc/passwd'], ['own', 'classes/cat/a.png']] as const) {
    const list = path.join(inside, `${name}.csv`)
    writeFileSync(list, `file,class\n${file},cat\n`)
    if (name === 'own') expect(await page(await placeOf(list, 'list'))).toBe(1)
    else await refused(await placeOf(list, 'list'))
  }
  if (process.platform === 'win32') return
  for (const kind of ['folder', 'boxes', 'segmentation', 'idx', 'cifar10'] as const) {
    const set = path.join(inside, `linked-${kind}`)
    mkdirSync(path.join(set, 'JPEGImages'), { recursive: true })
    symlinkSync(path.join(elsewhere, 'classes', 'cat', 'a.png'), path.join(set, kind === 'idx' || kind === 'cifar10' ? 'test_batch.bin' : 'JPEGImages/a.png'))
    await refused(await placeOf(set, kind))
  }
  symlinkSync(path.join(elsewhere, 'classes'), path.join(inside, 'linked'))
  await refused(await placeOf(path.join(inside, 'linked'), 'folder'))
  // A plain folder of images, too.
  const plain = path.join(inside, 'plain')
  mkdirSync(plain)
  writeFileSync(path.join(plain, 'own.png'), png)
  const openPlain = async () => client.call('images.open', { from: { file: (await at.desk.handles.give(plain)).handle } })
  expect(await openPlain()).toHaveLength(1)
  symlinkSync(path.join(elsewhere, 'classes', 'cat', 'a.png'), path.join(plain, 'linked.png'))
  await expect(openPlain()).rejects.toThrow(outside)
  const { handle } = await at.desk.handles.give(path.join(elsewhere, 'classes'))
  await expect(client.call('benchmark.open', { folder: handle })).rejects.toThrow(outside)
  expect(at.logged).toEqual([])
})

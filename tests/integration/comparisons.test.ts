import { mkdtemp, readFile, readdir, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import path from 'node:path'
import sharp from 'sharp'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { cellKey, emptyBoard, truthKey, type CellOrder, type ComparisonBoard, type ComparisonImage, type DrawnTruth } from '#shared/contract/comparison.ts'
import { encodeNpy } from '#storage/npy.ts'
import { openDesk, watchRuns, type DeskClient, type TestDesk, type Watched } from '../fixtures/desk.ts'

let at: TestDesk
let client: DeskClient
let watched: Watched
let folder: string
let comparison: string
let model: string
let opened: string
let first: ComparisonImage
let second: ComparisonImage
const board: ComparisonBoard = emptyBoard('Two scenes, four ways')

beforeAll(async () => {
  folder = await mkdtemp(path.join(tmpdir(), 'maskscope-comparisons-'))
  at = await openDesk({ workbench: { backend: 'wasm', jobs: 1 } })
  client = at.connect()
  watched = watchRuns(client)
  const answer = await client.call('models.open', { from: { bundled: 'demo' }, stated: {} })
  if (answer.state !== 'open') throw new Error(answer.message)
  opened = answer.model
  // Nothing of the study is on the disk yet.
  expect(await client.call('comparisons.open', { comparison: null })).toMatchObject({ comparison: null, images: [], runs: {} })
  comparison = (await client.call('comparisons.create', { board })).comparison
  model = (await client.call('comparisons.addModel', { comparison, model: opened })).key
  const scenes = await client.call('images.open', { from: { scene: 'scenes:2@2000007' } })
  ;[first, second] = await client.call('comparisons.addImages', { comparison, images: scenes.map(({ image }) => image) }) as [ComparisonImage, ComparisonImage]
})
afterAll(async () => {
  await at.end()
  await rm(folder, { recursive: true, force: true })
})

function cell(image: ComparisonImage, method: string, lane: string, parameters: CellOrder['parameters'] = {}, seed = 1): CellOrder {
  const row = { image: image.key, model, target: 'auto' as const }
  return { ...row, key: cellKey(row, method, parameters, seed), method, parameters, seed, lane }
}

const file = async (name: string, bytes: Uint8Array): Promise<string> => {
  const place = path.join(folder, name)
  await writeFile(place, bytes)
  return (await at.desk.handles.give(place)).handle
}

test('cells become runs of the study, lanes take turns, and everything is found again', async () => {
  const slow = Array.from({ length: 3 }, (_, i) => cell(first, 'neuromask', 'c1', { iterations: 30 }, i + 1))
  const quick = [cell(first, 'gradient', 'c2'), cell(second, 'gradient', 'c2')]
  const runs = await client.call('comparisons.run', { comparison, cells: [...slow, ...quick] })
  for (const run of runs) expect((await watched.ended(run)).state).toBe('finished')
  const order = watched.events.flatMap((event) => (event.type === 'row' && event.row.state === 'finished' ? [event.row.run] : [])).filter((run, i, all) => all.indexOf(run) === i)
  // With one worker: of each lane one, whatever was asked for first.
  expect(order.map((run) => runs.indexOf(run))).toEqual([0, 3, 1, 4, 2])

  const kept: ComparisonBoard = {
    ...board, rows: [{ id: 'r1', image: first.key, model, target: 'auto' }], columns: [{ kind: 'method', id: 'c1', title: null, method: 'neuromask', parameters: { iterations: 30 }, seed: 1, seeds: 3 }],
    notes: { 'r1 c1': 'the arrow, clearly' }, stars: ['r1 c1'],
  }
  await client.call('comparisons.save', { comparison, board: kept })
  const again = await client.call('comparisons.open', { comparison: null })
  expect(again.board).toEqual(kept)
  expect(again.runs[slow[0]!.key]).toBe(runs[0])
  expect(again.images).toEqual([first, second])
  const studies = path.join(at.folder, 'studies')
  const text = await readFile(path.join(studies, (await readdir(studies))[0]!, 'comparisons', `${comparison}.json`), 'utf8')
  expect(JSON.parse(text)).toMatchObject({ format: 'maskscope-comparison', version: 1, board: kept })

  // The command measures by the same, but for what was held against a truth that it cannot know.
  const commandNow = async (): Promise<string> => (await client.call('comparisons.command', { comparison })).command
  expect(await commandNow()).not.toContain('--metrics')
  const truth: DrawnTruth = { shapes: [{ type: 'box', left: 0, top: 0, width: 9, height: 9 }], mask: null, source: null }
  await client.call('comparisons.measure', { comparison, run: runs[0]!, metrics: ['average-precision'], judge: null, truth })
  await client.call('comparisons.measure', { comparison, run: runs[0]!, metrics: ['iou', 'sparseness'], judge: null, truth: null })
  expect(await commandNow()).toContain(' --metrics iou,sparseness ')

  // Whoever judged besides is kept by name, beside what was asked of it.
  const judge = await client.call('models.open', { from: { bundled: 'demo-judge' }, stated: {} })
  if (judge.state !== 'open') throw new Error(judge.message)
  const judged = await client.call('comparisons.measure', { comparison, run: runs[0]!, metrics: ['keep-rate', 'energy-pointing-game'], judge: judge.model, truth: null })
  const found = Object.fromEntries(judged.map((one) => [one.metric, one]))
  expect(found['keep-rate']).toMatchObject({ judge: 'demo-judge', details: { 'judge-clean': 1 } })
  expect(found['energy-pointing-game']!.judge).toBeNull()

  const { map, signed, mask } = await client.call('comparisons.map', { run: runs[0]! })
  expect({ width: map.width, signed, mask }).toEqual({ width: 64, signed: false, mask: true })
  const { top } = await client.call('comparisons.classes', { comparison, image: first.key, model, top: 2 })
  expect(top[0]!.label).toBe(first.label)
  const { png } = await client.call('comparisons.picture', { comparison, image: first.key, side: 32 })
  expect(await sharp(png).metadata()).toMatchObject({ width: 32, height: 32 })
})

test('a comparison is removed and brought back, and is a command', async () => {
  const { comparison: other } = await client.call('comparisons.create', { board: { ...board, name: 'It\'s another' } })
  await expect(client.call('comparisons.command', { comparison: other })).rejects.toMatchObject({ code: 'usage' })
  const key = (await client.call('comparisons.addModel', { comparison: other, model: opened })).key
  const [image] = await client.call('comparisons.addImages', { comparison: other, images: (await client.call('images.open', { from: { scene: 'scene:2000009' } })).map((one) => one.image) })
  const column = { kind: 'method' as const, title: null, parameters: {}, seed: 0, seeds: 1 }
  const rows = [{ id: 'r1', image: image!.key, model: key, target: 'auto' as const }, { id: 'r2', image: image!.key, model: key, target: 3 }]
  const columns = [
    { ...column, id: 'c1', method: 'gradient' }, { ...column, id: 'c2', method: 'neuromask', parameters: { iterations: 30 } },
    { ...column, id: 'c3', method: 'neuromask', parameters: { iterations: 60 }, seeds: 2 }, { kind: 'maps' as const, id: 'c4', title: 'from elsewhere', runs: {} },
  ]
  await client.call('comparisons.save', { comparison: other, board: { ...board, name: 'It\'s another', rows, columns } })
  const { command } = await client.call('comparisons.command', { comparison: other })
  const lines = command.split('\n')
  // Of one method once per line, one seed and one class.
  expect(lines.map((line) => / --methods (\S+)/.exec(line)![1])).toEqual(['gradient,neuromask', 'neuromask', 'neuromask', 'gradient,neuromask', 'neuromask', 'neuromask'])
  expect(lines[0]).toMatch(/^maskscope compare scene:2000009 --model demo --methods gradient,neuromask --set neuromask\.iterations=30 --executor \S+ --out it-s-another$/)
  expect(lines[5]).toMatch(/ --target 3 --methods neuromask --set neuromask\.iterations=60 --seed 1 --executor \S+ --out it-s-another-6$/)

  await client.call('comparisons.remove', { comparison: other })
  expect((await client.call('comparisons.list', {})).map((one) => one.comparison)).toEqual([comparison])
  await expect(client.call('comparisons.save', { comparison: other, board })).rejects.toMatchObject({ code: 'usage' })
  await client.call('comparisons.restore', { comparison: other })
  expect((await client.call('comparisons.open', { comparison: other })).board.rows).toEqual(rows)
  await client.call('comparisons.remove', { comparison: other })
  await expect(client.call('comparisons.restore', { comparison: 'never-was' })).rejects.toMatchObject({ code: 'usage' })
})

test('what cannot be is refused before anything is queued', async () => {
  const before = watched.rows.size
  const refused = async (order: CellOrder): Promise<unknown> => client.call('comparisons.run', { comparison, cells: [cell(first, 'gradient', 'c2', {}, 9), order] })
  await expect(refused(cell(first, 'neuromask', 'c1', { iterations: -1 }))).rejects.toMatchObject({ code: 'usage', subject: 'iterations' })
  await expect(refused({ ...cell(first, 'gradient', 'c2'), target: 99 })).rejects.toMatchObject({ code: 'usage', subject: 'target' })
  await expect(refused({ ...cell(first, 'gradient', 'c2'), image: '0123456789abcdef' })).rejects.toMatchObject({ subject: 'image' })
  await expect(client.call('comparisons.open', { comparison: 'nothing-here' })).rejects.toMatchObject({ code: 'usage' })
  expect(watched.rows.size).toBe(before)
})

test('all runs are paused, go on and are cancelled together', async () => {
  const cells = [1, 2, 3].map((seed) => cell(second, 'neuromask', 'c1', { iterations: 5000 }, seed))
  const runs = await client.call('comparisons.run', { comparison, cells })
  await watched.until(() => watched.rows.get(runs[0]!)?.state === 'running')
  const states = (): string[] => runs.map((run) => watched.rows.get(run)!.state)
  await client.call('comparisons.steer', { runs, to: 'pause' })
  await watched.until(() => states().every((state) => state === 'paused'))
  await client.call('comparisons.steer', { runs, to: 'resume' })
  await watched.until(() => states().includes('running'))
  await client.call('comparisons.steer', { runs, to: 'cancel' })
  for (const run of runs) expect((await watched.ended(run)).state).toBe('cancelled')
})

test('an imported map is a run: drawn, measured, and held against the truth that was drawn', async () => {
  const { width, height } = first
  // 1 in the left upper quarter, where nothing of the object need be.
  const values = Float32Array.from({ length: width * height }, (_, i) => ((i % width) < width / 2 && i < (width * height) / 2 ? 1 : 0))
  const npy = Buffer.concat(encodeNpy({ shape: [height, width], data: values }))
  const asked = { comparison, image: first.key, model, target: 'auto' as const }
  const { run } = await client.call('comparisons.importMap', { ...asked, file: await file('corner.npy', npy) })
  expect((await watched.ended(run))).toMatchObject({ state: 'finished', method: 'imported-map' })
  const shown = await client.call('comparisons.map', { run })
  expect(shown.signed).toBe(false)
  expect(Array.from(shown.map.data)).toEqual(Array.from(values))

  const quarter: DrawnTruth = { shapes: [{ type: 'box', left: 0, top: 0, width: width / 2, height: height / 2 }], mask: null, source: null }
  const measure = (truth: DrawnTruth | null) => client.call('comparisons.measure', { comparison, run, metrics: ['average-precision', 'iou'], judge: null, truth })
  const drawn = (await measure(quarter)).find(({ metric }) => metric === 'average-precision')!
  expect(drawn.value).toBe(1)
  expect(drawn.parameters['truth']).toBe(truthKey(quarter))
  // The scene's own object is elsewhere.
  const own = (await measure(null)).find(({ metric }) => metric === 'average-precision')!
  expect(own.value).toBeLessThan(0.5)
  expect(own.parameters['truth']).toBeUndefined()
  const [known] = await client.call('comparisons.measured', { runs: [run, '9999-gone-run'] })
  expect(known).toMatchObject({ run, evaluations: { forward: 0, backward: 0 } })

  await expect(client.call('comparisons.importMap', { ...asked, file: await file('small.npy', Buffer.concat(encodeNpy({ shape: [3, 5], data: new Float32Array(15) }))) }))
    .rejects.toMatchObject({ code: 'input', message: expect.stringContaining('3 × 5') as string })
  await expect(client.call('comparisons.importMap', { ...asked, file: await file('none.npy', Buffer.from('no array')) })).rejects.toMatchObject({ code: 'input' })
  values[7] = Number.NaN
  await expect(client.call('comparisons.importMap', { ...asked, file: await file('nan.npy', Buffer.concat(encodeNpy({ shape: [height, width], data: values }))) })).rejects.toMatchObject({ code: 'input' })
})

test('boxes and segmentations are imported; outlines are filled where pixels have their centres', async () => {
  const { width, height, key } = first
  const boxes = await client.call('comparisons.importTruth', { comparison, image: key, file: await file('a.txt', Buffer.from('arrow 3 2 10 5\n')) })
  expect(boxes).toEqual({ shapes: [{ type: 'box', left: 2, top: 1, width: 8, height: 4 }], mask: null, source: 'a.txt' })
  const filled = async (truth: DrawnTruth | null): Promise<number> => (await client.call('comparisons.truth', { comparison, image: key, truth, side: 1024 }))?.data.reduce((sum, v) => sum + v, 0) ?? 0
  expect(await filled(boxes)).toBe(32)
  // A right triangle with legs of 10: 45 pixels have their centres strictly inside, 10 on the line, which belongs to one side.
  const triangle = await filled({ shapes: [{ type: 'outline', points: [[0, 0], [10, 0], [0, 10]] }], mask: null, source: null })
  expect(triangle).toBeGreaterThanOrEqual(45)
  expect(triangle).toBeLessThanOrEqual(55)

  const grey = Buffer.alloc(width * height)
  grey.fill(7, 0, width * 3)
  const png = await sharp(grey, { raw: { width, height, channels: 1 } }).toColourspace('b-w').png().toBuffer()
  const mask = await client.call('comparisons.importTruth', { comparison, image: key, file: await file('a_mask.png', png) })
  expect(await filled(mask)).toBe(width * 3)
  expect(await filled({ ...mask, shapes: [{ type: 'box', left: 0, top: 10, width: 2, height: 2 }] })).toBe(width * 3 + 4)
  // The scene brings its own.
  expect(await filled(null)).toBeGreaterThan(20)
  const wrong = await sharp(Buffer.alloc(12), { raw: { width: 4, height: 3, channels: 1 } }).toColourspace('b-w').png().toBuffer()
  await expect(client.call('comparisons.importTruth', { comparison, image: key, file: await file('b_mask.png', wrong) })).rejects.toMatchObject({ code: 'input', message: expect.stringContaining('4 × 3') as string })
})

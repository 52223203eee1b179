import { cpSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest'
import { findMethod } from '#engine/methods/registry.ts'
import { createWorkbench, type Workbench } from '#main/workbench.ts'
import { bestOf } from '#services/benchmark/best.ts'
import { readConfigs } from '#services/benchmark/configs.ts'
import { collectResults, type Results } from '#services/benchmark/collect.ts'
import { finishBenchmark } from '#services/benchmark/finish.ts'
import { mergeShards } from '#services/benchmark/merge.ts'
import { chooseEntries } from '#services/benchmark/entries.ts'
import { readManifest } from '#services/benchmark/manifest.ts'
import { makeBenchmark, type AskedBenchmark } from '#services/benchmark/order.ts'
import { performBenchmark, type Performed } from '#services/benchmark/perform.ts'
import { openRecords } from '#services/benchmark/records.ts'
import { summarise, type Summary } from '#services/benchmark/summary.ts'
import { classOf, prepareChunk } from '#services/benchmark/subjects.ts'
import { latex, latexTable, markdownTable, resultsCsv } from '#services/benchmark/tables.ts'
import { chooseBest, configurationsToTry, drawConfigurations, finalists } from '#services/benchmark/tune.ts'
import { seedOf } from '#services/benchmark/units.ts'
import { resolveData } from '#services/datasets.ts'
import { loadModel, type LoadedModel } from '#services/models.ts'
import { MaskscopeError } from '#shared/domain/errors.ts'
import type { ModelInfo } from '#shared/domain/model.ts'
import type { Pool } from '#pool/pool.ts'
import { layOutQualityChart } from '#shared/figure/quality-chart.ts'
import { dataPath, dataTest } from '../../data.ts'

vi.setConfig({ testTimeout: 120_000, hookTimeout: 120_000 })

const root = mkdtempSync(path.join(tmpdir(), 'maskscope-benchmark-'))
let workbench: Workbench
let demo: LoadedModel

beforeAll(async () => {
  workbench = createWorkbench({ jobs: 1, executor: () => 'tfjs' })
  demo = await loadModel('demo')
})
afterAll(async () => {
  await workbench.dispose()
  rmSync(root, { recursive: true, force: true })
})

/** Three controls and three metrics on scenes, two chunks of them. */
function asked(more: Partial<AskedBenchmark> = {}): AskedBenchmark {
  return {
    model: demo, judge: null, data: 'scenes:10@2000000', methods: ['oracle', 'random', 'center'], metrics: ['average-precision', 'iou', 'agreement'], configurations: {},
    limit: null, shard: null, seed: 3, keepMaps: false, ...more,
  }
}

async function perform(folder: string, more: Partial<AskedBenchmark> = {}, stopAfter = Infinity): Promise<Performed> {
  const controller = new AbortController()
  let units = 0
  return performBenchmark(workbench.pool, await makeBenchmark(workbench.pool, asked(more)), folder, {
    signal: controller.signal,
    onNews: () => {
      if (++units >= stopAfter) controller.abort()
    },
  })
}

async function finish(folder: string, options: Parameters<typeof finishBenchmark>[2] = {}): Promise<Record<string, string>> {
  await finishBenchmark((await readManifest(folder))!, folder, { resamples: 200, ...options })
  const names = readdirSync(folder, { recursive: true, withFileTypes: true }).filter((entry) => entry.isFile() && !/^seconds|lock/.test(entry.name))
  return Object.fromEntries(names.map((entry) => [path.relative(folder, path.join(entry.parentPath, entry.name)), readFileSync(path.join(entry.parentPath, entry.name)).toString('latin1')]))
}

describe('a benchmark of controls', () => {
  const whole = path.join(root, 'whole')
  let files: Record<string, string>
  let results: Results

  beforeAll(async () => {
    await perform(whole)
    files = await finish(whole)
    results = await collectResults((await readManifest(whole))!, await openRecords(whole))
  })

  test('every image, method and metric has its row; the oracle is right and the map without a seed has one', () => {
    const rows = files['results.csv']!.trim().split('\n').slice(1).map((line) => line.split(','))
    const right = results.subjects.length
    expect(right + results.excluded.length).toBe(10)
    expect(rows).toHaveLength(right * 9)
    expect(rows.filter(([, , , , , method, metric]) => method === 'oracle' && metric === 'iou').map((row) => row[7])).toEqual(new Array(right).fill('1'))
    expect(new Set(rows.filter((row) => row[5] === 'random').map((row) => row[9]))).toEqual(new Set(['3']))
    expect(new Set(rows.filter((row) => row[5] === 'center').map((row) => row[9]))).toEqual(new Set(['1']))
    expect(Object.keys(files)).toEqual(expect.arrayContaining(['summary.json', 'table.md', 'table.tex', 'details.csv', 'excluded.csv', 'quality-iou.svg', 'quality-iou.pdf', 'benchmark.json']))
    // Maps that only a comparison needs are given up.
    expect(Object.keys(files).filter((name) => name.endsWith('.npy'))).toEqual([])
  })

  test('the summary says what the rows say', () => {
    const summary = JSON.parse(files['summary.json']!) as ReturnType<typeof summarise>
    const column = results.columns.find(({ entry, metric }) => entry === 'random' && metric === 'average-precision')!
    const mean = column.values.reduce((a, b) => a + b, 0) / column.values.length
    expect(summary.methods['random']!['average-precision']!.mean).toBeCloseTo(mean, 12)
    expect(summary.methods['random']!['average-precision']!.seedSd).toBeGreaterThan(0)
    expect(summary.images).toBe(results.subjects.length)
    expect(summary.cost['oracle']).toEqual({ forward: 1, backward: 0 })
    expect(summary.against).toBe('oracle')
    expect(Object.keys(summary.comparisons['iou']!)).toEqual(['random', 'center'])
  })

  test('stopped at any moment, with a torn record and a piece lost, it ends with the same bytes', async () => {
    const folder = path.join(root, 'stopped')
    await expect(perform(folder, {}, 3)).rejects.toMatchObject({ code: 'cancelled' })
    await expect(finish(folder)).rejects.toThrow(/is not complete: \d+ pieces are missing/)
    const records = path.join(folder, 'records')
    const [first] = readdirSync(records).filter((name) => name.includes('.s0'))
    writeFileSync(path.join(records, first!), readFileSync(path.join(records, first!)).subarray(0, 20))
    writeFileSync(path.join(records, '.c000001.center.s0.json.abc.part'), '{')
    writeFileSync(path.join(folder, 'seconds.jsonl'), '{"unit":"c0', { flag: 'a' })
    await perform(folder)
    expect(await finish(folder)).toEqual(files)
    // A comparison whose record is lost after its maps were given up.
    rmSync(path.join(records, 'c000001.compared.json'))
    await perform(folder)
    expect(await finish(folder)).toEqual(files)
    // Records of images and comparisons that are torn.
    for (const name of ['c000000.images.json', 'c000000.compared.json']) writeFileSync(path.join(records, name), '{"subjects":[')
    await perform(folder)
    expect(await finish(folder)).toEqual(files)
  })

  test('shards, merged, are the whole', async () => {
    const shards = [1, 2].map((index) => path.join(root, `shard-${index}`))
    for (const [i, folder] of shards.entries()) await perform(folder, { shard: { index: i + 1, count: 2 } })
    const merged = path.join(root, 'merged')
    await mergeShards(shards, merged)
    expect(await finish(merged)).toEqual(files)
    await mergeShards([shards[0]!], path.join(root, 'half'))
    await expect(finish(path.join(root, 'half'))).rejects.toThrow(/is not complete/)
    cpSync(shards[1]!, path.join(root, 'other'), { recursive: true })
    const manifest = path.join(root, 'other', 'benchmark.json')
    writeFileSync(manifest, readFileSync(manifest, 'utf8').replace('"seed": 3', '"seed": 4'))
    await expect(mergeShards([shards[0]!, path.join(root, 'other')], path.join(root, 'none'))).rejects.toThrow(/differ in the seed/)
    await expect(mergeShards([root], path.join(root, 'none'))).rejects.toThrow(/holds no benchmark/)
  })

  test('what runs a method again runs it with the seed of its map: noise that is drawn again is the same', async () => {
    const folder = path.join(root, 'seeds')
    await perform(folder, { methods: ['random', 'rise'], metrics: ['max-sensitivity'], configurations: { rise: { masks: 40 } }, limit: 2 })
    const { results } = await finishBenchmark((await readManifest(folder))!, folder, { resamples: 1, plots: false })
    expect(resultsCsv(results).match(/,random,max-sensitivity,0,0,3,/g)).toHaveLength(2)
    // Another picture with the same masks; with other masks the change is .3 and more.
    const changes = [...resultsCsv(results).matchAll(/,rise,max-sensitivity,([^,]*),/g)].map(([, value]) => Number(value))
    expect(changes).toHaveLength(2)
    for (const change of changes) expect(change).toBeLessThan(0.15)
  })

  test('a folder that holds another benchmark is refused', async () => {
    await expect(perform(whole, { seed: 4 })).rejects.toThrow(/differs from this one in the seed/)
    await expect(perform(whole, { methods: ['oracle', 'random'] })).rejects.toThrow(/differs from this one in the methods and their parameters/)
    await expect(perform(whole, { draws: 2 })).rejects.toThrow(/differs from this one in the methods and their parameters/)
    await expect(perform(whole, { limit: 9 })).rejects.toThrow(/differs from this one in the number of images/)
    expect(await finish(whole)).toEqual(files)
  })

  test('a folder with fewer images and methods goes on to more, to the bytes of the whole', async () => {
    const folder = path.join(root, 'grown')
    await perform(folder, { limit: 5, methods: ['oracle', 'center'] })
    await finish(folder)
    // From the middle of a chunk, stopped on the way.
    await expect(perform(folder, { limit: 9, methods: ['oracle', 'center'] }, 3)).rejects.toMatchObject({ code: 'cancelled' })
    await perform(folder)
    expect(await finish(folder)).toEqual(files)
  })
})

describe('what is refused before any work', () => {
  test.each<[string, Partial<AskedBenchmark>, RegExp]>([
    ['an unknown method', { methods: ['oracl'] }, /no method "oracl"/],
    ['an unknown metric', { metrics: ['auc'] }, /no metric "auc"/],
    ['a method twice', { methods: ['oracle', 'oracle'] }, /method oracle is named twice/],
    ['a metric that needs a judge', { methods: ['random'], metrics: ['grid-pointing-game'] }, /needs mosaics/],
    ['a comparison of one', { methods: ['random'], metrics: ['agreement'] }, /there is only one/],
    ['a column that the configs lack', { methods: ['random@2'] }, /says nothing of random@2/],
    ['a shard that is none', { shard: { index: 3, count: 2 } }, /no shard 3 of 2/],
    ['wrong data', { data: 'scenes:0@1' }, /asks for 0 scenes/],
  ])('%s', async (_, more, message) => {
    await expect(makeBenchmark(workbench.pool, asked(more))).rejects.toThrow(message)
  })

  test('the truth where there is none, and the model as its own judge', async () => {
    const folder = path.join(root, 'pictures', 'arrow')
    mkdirSync(folder, { recursive: true })
    writeFileSync(path.join(folder, 'a.png'), (await (await resolveData('scene:2000000'))[0]!.load()).bytes)
    const pictures = { data: `folder:${path.dirname(folder)}` }
    await expect(makeBenchmark(workbench.pool, asked({ ...pictures, methods: ['random'], metrics: ['iou'] }))).rejects.toThrow(/needs the true object/)
    await expect(makeBenchmark(workbench.pool, asked({ ...pictures, methods: ['oracle'] }))).rejects.toThrow(/needs the true object/)
    await expect(makeBenchmark(workbench.pool, asked({ judge: demo }))).rejects.toThrow(/The judge is the model itself/)
    const left: string[] = []
    const { entries, metrics } = await makeBenchmark(workbench.pool, asked({ ...pictures, methods: 'all', metrics: 'all' }), (why) => left.push(why))
    expect(entries.map(({ name }) => name)).not.toContain('oracle')
    expect(left.join(' ')).toMatch(/needs the true object/)
    expect(metrics).not.toContain('iou')
  })

  test('configs files', async () => {
    const file = path.join(root, 'configs.json')
    writeFileSync(file, '{"methods":{"random":{"no-such":1}}}')
    await expect(readConfigs(file)).rejects.toThrow(/at random: Parameter no-such/)
    writeFileSync(file, '{"method":{}}')
    await expect(readConfigs(file)).rejects.toThrow(/not understood at methods/)
    writeFileSync(file, '{"methods":{"nothing@2":{}}}')
    await expect(readConfigs(file)).rejects.toThrow(/no method "nothing"/)
  })
})

test('the best only where every other is beaten: by intervals that lie apart, or by the paired test; never what uses the truth', () => {
  const of = (mean: number | null, half = 0.05): { mean: number | null; low: number | null; high: number | null; median: null; sd: null; n: number; seedSd: null } =>
    ({ mean, low: mean === null ? null : mean - half, high: mean === null ? null : mean + half, median: null, sd: null, n: 9, seedSd: null })
  const methods = (values: Record<string, ReturnType<typeof of>>): Record<string, Record<string, ReturnType<typeof of>>> => Object.fromEntries(Object.entries(values).map(([name, one]) => [name, { iou: one }]))
  const tested = (p: number): Parameters<typeof bestOf>[0]['comparisons'] => ({ iou: { rise: { difference: 0.1, p, holm: p }, edges: { difference: 0.1, p, holm: p } } })
  const apart = methods({ gradient: of(0.8), rise: of(0.6), edges: of(0.2) })
  expect(bestOf({ methods: apart, comparisons: {}, against: 'gradient' }, 'iou')).toBe('gradient')
  const overlapping = methods({ gradient: of(0.65), rise: of(0.6), edges: of(0.2) })
  expect(bestOf({ methods: overlapping, comparisons: tested(0.2), against: 'gradient' }, 'iou')).toBeNull()
  expect(bestOf({ methods: overlapping, comparisons: tested(0.01), against: 'gradient' }, 'iou')).toBe('gradient')
  // The test of rise against gradient says nothing where all are compared with edges.
  expect(bestOf({ methods: overlapping, comparisons: tested(0.01), against: 'edges' }, 'iou')).toBeNull()
  expect(bestOf({ methods: methods({ gradient: of(0.6, 0), rise: of(0.6, 0) }), comparisons: tested(0.01), against: 'gradient' }, 'iou')).toBeNull()
  expect(bestOf({ methods: methods({ oracle: of(1, 0), rise: of(0.6), gradient: of(0.4) }), comparisons: {}, against: 'gradient' }, 'iou')).toBe('rise')
  expect(bestOf({ methods: methods({ rise: of(0.6), gradient: of(null) }), comparisons: {}, against: 'gradient' }, 'iou')).toBeNull()
  // A mean over fewer images, perhaps the easier ones, is no rival.
  expect(bestOf({ methods: methods({ rise: of(0.6), gradient: of(0.4), edges: { ...of(0.9), n: 4 } }), comparisons: {}, against: 'gradient' }, 'iou')).toBe('rise')
})

test('`all` leaves a consensus out whose members the model does not suffice for; by name it is refused', () => {
  const info = { name: 'box', access: 'query', multiplyAdds: null } as unknown as ModelInfo
  const possible = { info, hasTruth: false, hasMosaic: false }
  const left: string[] = []
  const names = chooseEntries('all', {}, possible, { left: (why) => left.push(why) }).map(({ name }) => name)
  expect(names).toContain('rise')
  expect(names).not.toContain('consensus')
  expect(left.filter((why) => why.includes('of the consensus'))).toEqual(['Input × gradient needs gradients, which the model box does not give. Leave it out of the parameter methods of the consensus.'])
  const fitting = { consensus: { methods: 'occlusion,edges' } }
  expect(chooseEntries('all', fitting, possible).find(({ name }) => name === 'consensus')).toMatchObject({ draws: 1 })
  expect(chooseEntries(['consensus'], { consensus: { methods: 'rise,edges' } }, possible)).toMatchObject([{ draws: 3 }])
  expect(() => chooseEntries(['consensus'], {}, possible)).toThrow(/needs gradients.*Leave consensus out/s)
})

test('one image on which a method fails costs no other, and is counted with its reason', async () => {
  const folder = path.join(root, 'failing')
  const order = await makeBenchmark(workbench.pool, asked({ methods: ['center', 'random'], metrics: ['average-precision', 'agreement'], data: 'scenes:4@2000000' }))
  const broken: Pool = {
    ...workbench.pool,
    explain: (source, job, options) => (job.method === 'random' && job.seeds.some((seed) => seed === spoiled) ? Promise.reject(new MaskscopeError('run', 'It diverged.')) : workbench.pool.explain(source, job, options)),
  }
  // Of the third image, with the second seed.
  const spoiled = seedOf(3, { image: 2, object: 0 }, 1)
  await performBenchmark(broken, order, folder, { signal: new AbortController().signal })
  const results = await collectResults((await readManifest(folder))!, await openRecords(folder))
  const { values } = results.columns.find(({ entry, metric }) => entry === 'random' && metric === 'average-precision')!
  expect(values.every(Number.isFinite)).toBe(true)
  expect(results.errors).toEqual([{ entry: 'random', message: 'It diverged.', images: 1 }])
  const at = results.subjects.findIndex(({ image }) => image === 2)
  const whole = path.join(root, 'failing-not')
  await performBenchmark(workbench.pool, order, whole, { signal: new AbortController().signal })
  const sound = (await collectResults((await readManifest(whole))!, await openRecords(whole))).columns.find(({ entry, metric }) => entry === 'random' && metric === 'average-precision')!
  expect(values.map((value, i) => value === sound.values[i])).toEqual(values.map((_, i) => i !== at))
})

test('a folder that began with other images is refused: a file that comes first, and one that was replaced', async () => {
  const place = path.join(root, 'growing')
  mkdirSync(place)
  const scenes = await resolveData('scenes:3@2000000')
  const put = async (name: string, scene: number): Promise<void> => writeFileSync(path.join(place, name), (await scenes[scene]!.load()).bytes)
  await put('b.png', 0)
  await put('c.png', 1)
  const folder = path.join(root, 'growing-out')
  const more = { data: place, methods: ['center'], metrics: ['sparseness'] }
  await perform(folder, more)
  await put('d.png', 2)
  await perform(folder, more)
  expect((await readManifest(folder))!.images).toBe(3)
  await put('a.png', 2)
  await expect(perform(folder, more)).rejects.toThrow(/holds a benchmark of other images: its image 0 was .*b\.png, and now .*growing has .*a\.png there/)
  rmSync(path.join(place, 'a.png'))
  rmSync(path.join(place, 'd.png'))
  await put('e.png', 2)
  await expect(perform(folder, more)).rejects.toThrow(/its image 2 was .*d\.png/)
})

test('a picture that was replaced under its name is not taken for the one that was there', async () => {
  const place = path.join(root, 'replaced')
  mkdirSync(place)
  const scenes = await resolveData('scenes:2@2000000')
  const put = async (scene: number): Promise<void> => writeFileSync(path.join(place, 'a.png'), (await scenes[scene]!.load()).bytes)
  await put(0)
  const folder = path.join(root, 'replaced-out')
  await perform(folder, { data: place, methods: ['center'], metrics: ['sparseness'] })
  const before = await finish(folder)
  await put(1)
  const more = { data: place, methods: ['center', 'gradient'], metrics: ['sparseness'] }
  const { failures } = await perform(folder, more)
  expect(failures.map(({ error }) => (error as Error).message)).toEqual([expect.stringMatching(/a\.png is not what it was when the benchmark began: it shows another picture\. Bring it back/)])
  await put(0)
  expect((await perform(folder, more)).failures).toEqual([])
  const now = await finish(folder)
  // What was there is there as it was, beside the method that came.
  const kept = Object.keys(before).filter((name) => name.startsWith('records'))
  expect(kept.length).toBeGreaterThan(1)
  expect(kept.map((name) => now[name])).toEqual(kept.map((name) => before[name]))
  expect(Object.keys(now).filter((name) => name.startsWith('records')).length).toBeGreaterThan(kept.length)
})

test('an image that the classifier cannot answer, or without an object where the others have one, costs no other', async () => {
  const items = (await resolveData('scenes:3@2000000')).map((item, index) => ({ index, item }))
  const info = await workbench.pool.info(demo.source)
  const hole = await workbench.pool.classify(demo.source, (await items[1]!.item.load()).exact!)
  const classify: Pool['classify'] = async (source, images, options) => {
    const rows = await workbench.pool.classify(source, images, options)
    for (let i = 0; i < images.count; i++) {
      if (Math.abs(rows[i * info.classes]! - hole[0]!) < 1e-4) throw new MaskscopeError('run', 'The model answered NaN instead of a number.')
    }
    return rows
  }
  const bare = { index: 2, item: { ...items[2]!.item, load: async () => ({ ...(await items[2]!.item.load()), objects: [] }) } }
  const { subjects, excluded } = await prepareChunk({ classify }, demo.source, info, 'tfjs', [items[0]!, items[1]!, bare])
  expect(subjects.map(({ image }) => image)).toEqual([0])
  expect(excluded.map(({ image, reason }) => [image, reason])).toEqual([[1, 'unanswered'], [2, 'no-object']])
  await expect(prepareChunk({ classify: () => Promise.reject(new MaskscopeError('worker', 'gone')) }, demo.source, info, 'tfjs', items)).rejects.toThrow('gone')
})

test('variants of a metric stand in columns of their own, and are in neither `all` nor `cheap`', async () => {
  const folder = path.join(root, 'variants')
  await perform(folder, { data: 'scenes:2@2000000', methods: ['center'], metrics: ['pointing-game', 'pointing-game@published'] })
  const files = await finish(folder, { plots: false })
  expect(files['table.md']).toMatch(/\| pointing-game [^|]+ \| pointing-game@published /)
  const { methods } = JSON.parse(files['summary.json']!) as Summary
  expect(methods['center']!['pointing-game@published']!.mean).toBeGreaterThanOrEqual(methods['center']!['pointing-game']!.mean!)
  for (const metrics of ['all', 'cheap'] as const) expect((await makeBenchmark(workbench.pool, asked({ metrics }))).metrics.filter((id) => id.includes('@'))).toEqual([])
  await expect(makeBenchmark(workbench.pool, asked({ metrics: ['deletion@none'] }))).rejects.toThrow(/variants of deletion are deletion@rise/)
})

test('a set of boxes whose first image has none has truth all the same', async () => {
  const place = path.join(root, 'boxes')
  mkdirSync(place)
  for (const name of ['a', 'b']) writeFileSync(path.join(place, `${name}.png`), (await (await resolveData('scene:2000000'))[0]!.load()).bytes)
  writeFileSync(path.join(place, 'a.txt'), '')
  writeFileSync(path.join(place, 'b.txt'), 'arrow 10 10 40 40\n')
  const { metrics } = await makeBenchmark(workbench.pool, asked({ data: `boxes:${place}`, methods: ['center'], metrics: 'cheap' }))
  expect(metrics).toContain('average-precision')
})

test('a model with one output is right from one half on; one that gives no probability is never wrong', async () => {
  const items = (await resolveData('scenes:2@2000000')).map((item, index) => ({ index, item }))
  const labels = await Promise.all(items.map(async ({ item }) => (await item.load()).objects![0]!.label!))
  const info = { ...(await workbench.pool.info(demo.source)), classes: 1, head: 'sigmoid', labels: [labels[0]!.text!] } as ModelInfo
  const seen = async (logit: number, head = info.head): Promise<string[]> => {
    const { subjects, excluded } = await prepareChunk({ classify: async (_, { count }) => new Float32Array(count).fill(logit) }, demo.source, { ...info, head }, 'tfjs', items.slice(0, 1))
    return [...subjects.map(({ target }) => `target ${target}`), ...excluded.map(({ reason, text }) => `${reason}: ${text}`)]
  }
  expect(await seen(2)).toEqual(['target 0'])
  expect(await seen(-2)).toEqual([`wrong: The classifier sees no ${labels[0]!.text!} (0.119).`])
  expect(await seen(-2, 'none')).toEqual(['target 0'])
})

test('means, intervals and tests against numbers by hand', () => {
  const manifest = { ...({} as Results['manifest']), model: { name: 'm', sha256: '', key: '' }, judge: null, data: 'd', seed: 1, metrics: ['iou'], entries: ['a', 'b', 'c'].map((name) => ({ name, method: 'random', parameters: {}, draws: 1 })) }
  const values: Record<string, number[]> = { a: [0.1, 0.2, 0.3, 0.4], b: [0.2, 0.4, 0.6, 0.8], c: [0.1, 0.2, 0.3, NaN] }
  const subjects = [0, 1, 2, 3].map((image) => ({ image, object: 0, name: `i${image}`, label: 'x,y', target: 0, probability: 0.5, cluster: `i${image}`, truth: null }))
  const columns = Object.entries(values).map(([entry, own]) => ({ entry, metric: 'iou', values: own, spread: own.map(() => NaN), details: own.map(() => ({})), notes: own.map(() => null) }))
  const costs = Object.keys(values).map((entry) => ({ entry, forward: [1, 2, 3, 4], backward: [0, 0, 0, 0] }))
  const results: Results = { manifest, subjects, excluded: [], columns, costs, errors: [], seconds: new Map(), missing: 0 }
  const summary = summarise(results, { against: 'a' })
  expect(summary.methods['b']!['iou']).toMatchObject({ mean: 0.5, median: 0.5, n: 4 })
  expect(summary.methods['c']!['iou']!.n).toBe(3)
  expect(summary.methods['a']!['iou']!.sd).toBeCloseTo(Math.sqrt(0.05 / 3), 12)
  // All four differences are positive: of 16 sign patterns two are as far out. Holm doubles it, as c against a is tested too.
  expect(summary.comparisons['iou']!['b']).toEqual({ difference: 0.25, p: 0.125, holm: 0.25 })
  expect(summary.comparisons['iou']!['c']).toEqual({ difference: 0, p: 1, holm: 1 })
  expect(summary.cost['a']).toEqual({ forward: 2.5, backward: 0 })
  expect(resultsCsv(results).split('\n')[1]).toBe('i0,0,"x,y",0,0.5,a,iou,0.1,,1,')
  expect(markdownTable(summary, ['iou'])).toContain('| b | **0.500** | 2.500 | 0.000 |')
  expect(latexTable(summary, ['iou'])).toContain('b & \\textbf{0.500} & 2.500 & 0.000 \\\\')
  expect(latex('50%_{a}\\')).toBe('50\\%\\_\\{a\\}\\textbackslash{}')
})

test('classes of data among those of a model', () => {
  const model = { labels: ['tench, Tinca tinca', 'goldfish', 'Crane', 'crane'], classes: 4 }
  expect(classOf({ text: 'Tinca Tinca' }, model)).toBe(0)
  expect(classOf({ text: 'GOLDFISH', index: 3 }, model)).toBe(1)
  expect(classOf({ text: 'carp' }, model)).toBeNull()
  expect(classOf({ text: 'carp', index: 2 }, model)).toBe(2)
  expect(classOf({ index: 4 }, model)).toBeNull()
})

test('quality against cost: the better end first, every mark and letter inside the sheet', () => {
  const series = Array.from({ length: 14 }, (_, i) => ({ name: `method-${i}`, points: [{ x: 2 ** i, y: 1 - i / 14, low: 0.9 - i / 14, high: 1 }, ...(i === 3 ? [{ x: 900, y: 0.2, low: 0.1, high: 0.3 }] : [])] }))
  const list = layOutQualityChart({ title: 'Deletion, lower is better', xTitle: 'evaluations', better: 'lower', series, note: '14 images.' }, { width: 140 })
  expect(list.description).toMatch(/^Deletion, lower is better: method-13 [\d.]+, method-12/)
  for (const item of list.items) {
    const places = item.type === 'path' ? item.commands.flatMap((command) => (command[0] === 'Z' ? [] : [[command[1], command[2]]])) : [[item.x, item.y], ...(item.type === 'text' ? [[item.x + item.line.width, item.y]] : [])]
    for (const [x, y] of places as [number, number][]) {
      expect(x).toBeGreaterThanOrEqual(-0.01)
      expect(x).toBeLessThanOrEqual(list.width + 0.01)
      expect(y).toBeGreaterThanOrEqual(0)
      expect(y).toBeLessThanOrEqual(list.height)
    }
  }
})

dataTest('a pretrained network recognises as many of the photos as it is known to', async () => {
  const folder = dataPath('models', 'imagenet')
  const { source } = await loadModel(path.join(folder, 'mobilenet_v1_0.25_128', 'layers'), { fit: 'crop', range: [-1, 1], labels: path.join(folder, 'labels1001.txt') })
  const info = await workbench.pool.info(source)
  const items = await resolveData(`list:${dataPath('imagenet-samples', 'labels.csv')}`)
  const { subjects, excluded } = await prepareChunk(workbench.pool, source, info, 'tfjs', items.map((item, index) => ({ index, item })))
  expect(Math.abs(subjects.length - 48)).toBeLessThanOrEqual(2)
  expect(subjects.length + excluded.length).toBe(110)
  expect(new Set(excluded.map(({ reason }) => reason))).toEqual(new Set(['wrong']))
})

describe('tuning', () => {
  test('draws from the declared ranges, its own defaults first, the same for the same seed', () => {
    const method = findMethod('neuromask')
    const drawn = drawConfigurations(method, 6, 1)
    expect(drawn).toHaveLength(6)
    expect(drawConfigurations(method, 6, 1)).toEqual(drawn)
    expect(drawConfigurations(method, 6, 2)[1]).not.toEqual(drawn[1])
    for (const parameter of method.parameters) {
      const values = new Set(drawn.map((one) => one[parameter.name]))
      if (!parameter.tune) expect(values.size).toBe(1)
      else if ('values' in parameter.tune) for (const value of [...values].slice(1)) expect([...parameter.tune.values, drawn[0]![parameter.name]]).toContain(value)
    }
  })

  test('picks the better of two configurations', async () => {
    // The gradient's blur is what it lacks on scenes.
    const configurations = { 'gradient@0': { 'map-blur': 0 }, 'gradient@1': { 'map-blur': 4 } }
    const folder = path.join(root, 'tune')
    await perform(folder, { methods: Object.keys(configurations), configurations, metrics: ['average-precision'], data: 'scenes:8@1000000', draws: 1 })
    const { summary } = await finishBenchmark((await readManifest(folder))!, folder, { resamples: 1, plots: false })
    const tuned = chooseBest(['gradient'], configurations, [summary], { configurations: 2, seed: 0 })
    expect(tuned.methods['gradient']).toEqual({ 'map-blur': 4 })
    expect(tuned.scores['gradient']!.best!).toBeGreaterThan(tuned.scores['gradient']!.default!)
    expect(Object.keys(configurationsToTry(['center'], 5, 0))).toEqual(['center@0'])
  })

  test('in two rounds lets the best others and the default go on, and weighs each round by its images', () => {
    const configurations = Object.fromEntries([0, 1, 2, 3].map((i) => [`gradient@${i}`, { 'map-blur': i }]))
    const round = (data: string, images: number, means: Record<string, number | null>): Summary => ({
      model: 'demo', judge: null, data, images, excluded: {}, seed: 0, against: 'gradient@0', comparisons: {}, cost: {}, errors: [],
      methods: Object.fromEntries(Object.entries(means).map(([name, mean]) => [name, { 'average-precision': { mean, low: mean, high: mean, median: mean, sd: 0, n: images, seedSd: null } }])),
    })
    const first = round('scenes:10@1000000', 10, { 'gradient@0': 0.1, 'gradient@1': 0.6, 'gradient@2': null, 'gradient@3': 0.7 })
    // What failed on an image is not judged by the rest.
    const failing = round('scenes:10@1000000', 10, { 'gradient@0': 0.1, 'gradient@1': 0.9 })
    failing.methods['gradient@1']!['average-precision']!.n = 9
    expect(chooseBest(['gradient'], { 'gradient@0': {}, 'gradient@1': {} }, [failing], { configurations: 2, seed: 0 }).scores['gradient']).toEqual({ default: expect.closeTo(0.1, 12) as number, best: expect.closeTo(0.1, 12) as number, tried: 2 })
    expect(finalists('gradient', configurations, first, 3)).toEqual({ 'gradient@0': { 'map-blur': 0 }, 'gradient@3': { 'map-blur': 3 }, 'gradient@1': { 'map-blur': 1 } })
    const second = round('scenes:30@1000010', 30, { 'gradient@0': 0.5, 'gradient@3': 0.5, 'gradient@1': 0.6 })
    const tuned = chooseBest(['gradient'], configurations, [first, second], { configurations: 4, seed: 0 })
    expect(tuned.methods['gradient']).toEqual({ 'map-blur': 1 })
    expect(tuned.scores['gradient']).toEqual({ default: expect.closeTo(0.4, 12) as number, best: expect.closeTo(0.6, 12) as number, tried: 4 })
    expect(tuned.tuned).toMatchObject({ data: 'scenes:10@1000000, scenes:30@1000010', images: 40 })
  })
})

import { createHash } from 'node:crypto'
import { cpSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest'
import { createWorkbench, type Workbench } from '#main/workbench.ts'
import type { Pool } from '#pool/pool.ts'
import { resolveData, type DataItem } from '#services/datasets.ts'
import { loadModel, type LoadedModel } from '#services/models.ts'
import { halfOf } from '#services/reconstruction/halves.ts'
import { readSalientSet, type StoredSalientSet } from '#services/reconstruction/salient-chunks.ts'
import { bytesOf } from '#services/reconstruction/salient-images.ts'
import { defaultSalientMethod, salientMask, salientParameters } from '#services/reconstruction/salient-methods.ts'
import { computeSalientSet, imagesPerChunk, type SalientNews, type SalientOrder } from '#services/reconstruction/salient-sets.ts'
import { MaskscopeError } from '#shared/domain/errors.ts'
import type { Explanation } from '#shared/domain/run.ts'
import { createRandom } from '#shared/random/random.ts'
import { createFiles, nodeOperations } from '#storage/files.ts'

vi.setConfig({ testTimeout: 120_000, hookTimeout: 120_000 })

const root = mkdtempSync(path.join(tmpdir(), 'maskscope-salient-'))
let workbench: Workbench
let demo: LoadedModel
let items: DataItem[]

beforeAll(async () => {
  workbench = createWorkbench({ jobs: 1, executor: () => 'tfjs' })
  demo = await loadModel('demo')
  items = await resolveData('scenes:30@1500000')
})
afterAll(async () => {
  await workbench.dispose()
  rmSync(root, { recursive: true, force: true })
})

interface Wish extends Partial<SalientOrder> {
  pool?: Pool
  /** It is cancelled once so many chunks are stored, and none beyond them is explained before. */
  stopAfter?: number
  full?: () => boolean
}

async function compute(folder: string, { pool = workbench.pool, stopAfter = Infinity, full = () => false, ...order }: Wish = {}): Promise<{ stored: StoredSalientSet; news: SalientNews[] }> {
  const controller = new AbortController()
  const news: SalientNews[] = []
  const stopped = new Promise((resolve) => controller.signal.addEventListener('abort', resolve))
  let asked = 0
  const held: Pool = {
    ...pool,
    explain: (...args) => (++asked > stopAfter ? stopped.then(() => pool.explain(...args)) : pool.explain(...args)),
  }
  const files = createFiles({
    ...nodeOperations,
    open: ((...args: Parameters<typeof nodeOperations.open>) =>
      full() && args[1] === 'wx' ? Promise.reject(Object.assign(new Error('ENOSPC: injected'), { code: 'ENOSPC' })) : nodeOperations.open(...args)) as typeof nodeOperations.open,
  })
  const parameters = salientParameters(order.method ?? 'gradient')
  const stored = await computeSalientSet(held, { model: demo.source, data: 'scenes:30@1500000', items, method: 'gradient', parameters, seed: 5, ...order }, path.join(root, folder), {
    signal: controller.signal, files,
    onNews(one) {
      news.push(one)
      if (news.length > stopAfter) controller.abort()
    },
  })
  return { stored, news }
}

function bytes(folder: string): Record<string, string> {
  const names = readdirSync(path.join(root, folder))
  return Object.fromEntries(names.map((name) => [name, readFileSync(path.join(root, folder, name)).toString('latin1')]))
}

/** Comparing long arrays element by element takes seconds. */
const hash = (values: Uint8Array | Float32Array): string => createHash('sha256').update(new Uint8Array(values.buffer, values.byteOffset, values.byteLength)).digest('hex')
const short = ({ set: { images, masks, ...set }, ...rest }: StoredSalientSet): object => ({ ...rest, set, images: hash(images), masks: hash(masks) })

/** The pool, whose explaining goes wrong where `fault` says so. */
function faulty(fault: (images: number, targets: readonly (number | 'auto')[]) => MaskscopeError | null): Pool {
  return {
    ...workbench.pool,
    explain(source, job, watcher) {
      const error = fault(job.images.count, job.targets)
      return error ? Promise.reject(error) : workbench.pool.explain(source, job, watcher)
    },
  }
}

describe('a salient set', () => {
  let whole: StoredSalientSet
  let files: Record<string, string>
  let news: SalientNews[]

  beforeAll(async () => {
    ({ stored: whole, news } = await compute('whole'))
    files = bytes('whole')
  })

  test('holds what the classifier saw, its outcomes and the masks that explaining alone gives', async () => {
    const { set, indices, probabilities, failures, manifest } = whole
    expect([set.count, failures, manifest.chunk]).toEqual([30, [], imagesPerChunk({ height: 64, width: 64 })])
    expect(indices).toEqual(Array.from({ length: 30 }, (_, i) => i))
    const size = 64 * 64
    const data = Float32Array.from(set.images, (value) => value / 255)
    const logits = await workbench.pool.classify(demo.source, { count: 30, height: 64, width: 64, channels: 3, data }, { executor: 'tfjs' })
    for (let i = 0; i < 30; i++) {
      const row = logits.subarray(10 * i, 10 * i + 10)
      const top = row.indexOf(Math.max(...row))
      expect(set.outcomes[i]).toBe(top)
      const sum = row.reduce((all, z) => all + Math.exp(z - row[top]!), 0)
      expect(probabilities[i]).toBeCloseTo(1 / sum, 5)
      expect(set.labels![i]).toBe((await items[i]!.label!())!.index ?? demo.source.labels!.indexOf((await items[i]!.label!())!.text!))
    }
    const i = 27
    const { explanations: [alone] } = await workbench.pool.explain(demo.source, {
      method: 'gradient', parameters: salientParameters('gradient'), images: { count: 1, height: 64, width: 64, channels: 3, data: data.slice(i * size * 3, (i + 1) * size * 3) },
      targets: [set.outcomes[i]!], seeds: [createRandom(5, 'salient', i).uint32()], executor: 'tfjs', company: 1,
    })
    expect(hash(set.masks.slice(i * size, (i + 1) * size))).toBe(hash(salientMask(alone!)!))
    expect((set.masks as Float32Array).reduce((most, value) => Math.max(most, value), 0)).toBe(1)
  })

  test('tells how far it is, and is at hand the second time without any work', async () => {
    expect(news.map(({ done }) => done)).toEqual([...news.map(({ done }) => done)].sort((a, b) => a - b))
    expect(news.at(-1)).toMatchObject({ done: 30, all: 30, failed: 0, secondsLeft: 0 })
    expect(news[1]!.secondsLeft).toBeGreaterThan(0)
    const again = await compute('whole', { pool: faulty(() => new MaskscopeError('run', 'No work was to be done.')) })
    expect(short(again.stored)).toEqual(short(whole))
    expect(again.news).toEqual([{ done: 30, all: 30, failed: 0, secondsLeft: 0 }])
  })

  test('cancelled, torn and partly lost, it ends with the same bytes', async () => {
    await expect(compute('stopped', { stopAfter: 1 })).rejects.toMatchObject({ code: 'cancelled' })
    await expect(readSalientSet(path.join(root, 'stopped'))).rejects.toMatchObject({ code: 'storage' })
    await compute('stopped')
    expect(bytes('stopped')).toEqual(files)
    for (const [name, length] of [['000000.csv', 90], ['000001.masks.npy', 5000], ['000001.images.npy', 0]] as const) {
      const file = path.join(root, 'stopped', name)
      writeFileSync(file, readFileSync(file).subarray(0, length))
      writeFileSync(path.join(root, 'stopped', '.000001.csv.abc.part'), 'index')
      await expect(readSalientSet(path.join(root, 'stopped'))).rejects.toMatchObject({ code: 'storage' })
      await compute('stopped')
      expect(bytes('stopped')).toEqual(files)
    }
  })

  test('on a full disk it says so, keeps what is whole and goes on later to the same bytes', async () => {
    let writes = 0
    await expect(compute('full', { full: () => ++writes > 5 })).rejects.toMatchObject({ code: 'storage', message: expect.stringMatching(/the disk is full; free some space/) as string })
    const left = Object.keys(bytes('full'))
    expect(left.filter((name) => name.endsWith('.csv')).length).toBeLessThan(2)
    expect([left.includes('set.json'), left.some((name) => name.endsWith('.part'))]).toEqual([true, false])
    await compute('full')
    expect(bytes('full')).toEqual(files)
  })

  test('an engine process that dies once costs nothing', async () => {
    let died = false
    const pool = faulty(() => (died ? null : ((died = true), new MaskscopeError('worker', 'The engine process ended.'))))
    await compute('died', { pool })
    expect(bytes('died')).toEqual(files)
  })

  test('images that cannot be read or explained are left out by name, and change no other', async () => {
    const unlucky = whole.set.outcomes[4]!
    const broken: DataItem = { ...items[2]!, load: () => Promise.reject(new MaskscopeError('input', 'The file x.png is cut off.')) }
    const pool = faulty((_, targets) => (targets.includes(unlucky) ? new MaskscopeError('run', 'The loss is no longer a number.') : null))
    const { stored, news } = await compute('partly', { items: items.map((item, i) => (i === 2 ? broken : item)), pool })
    const lost = items.filter((_, i) => i === 2 || whole.set.outcomes[i] === unlucky)
    expect(stored.failures.map(({ reference }) => reference)).toEqual(lost.map(({ reference }) => reference))
    expect(new Set(stored.failures.map(({ reason }) => reason))).toEqual(new Set(['The file x.png is cut off.', 'The loss is no longer a number.']))
    expect(news.at(-1)).toMatchObject({ done: 30, failed: lost.length })
    expect(stored.set.count).toBe(30 - lost.length)
    stored.indices.forEach((index, i) => expect(hash(stored.set.masks.subarray(4096 * i, 4096 * i + 4096))).toBe(hash(whole.set.masks.subarray(4096 * index, 4096 * index + 4096))))
  })

  test('it is refused where nothing can come of it, and the folder of another set is left as it is', async () => {
    await expect(compute('none', { pool: faulty(() => new MaskscopeError('run', 'The loss is no longer a number.')) })).rejects.toMatchObject({
      code: 'run', message: expect.stringMatching(/^No image of scenes:30@1500000 got a mask by gradient. The first reason: The loss/) as string,
    })
    const labelled = (text: string | undefined, index?: number): DataItem[] =>
      items.map((item) => ({ ...item, label: () => Promise.resolve({ ...(text === undefined ? {} : { text }), ...(index === undefined ? {} : { index }) }) }))
    for (const [name, given, message] of [
      ['strangers', labelled('zebra'), /knows none of the classes/], ['beyond', items.map((item, i) => (i === 7 ? labelled(undefined, 31)[7]! : item)), /has images of class 31/],
      ['one', labelled('star'), /All images of .* are of one class \(star\)/], ['empty', [], /holds no image/],
    ] as const) {
      await expect(compute(name, { items: given })).rejects.toMatchObject({ code: 'input', subject: 'data', message: expect.stringMatching(message) as string })
    }
    expect(readdirSync(root)).not.toContain('one')
    cpSync(path.join(root, 'whole'), path.join(root, 'other'), { recursive: true })
    for (const [change, word] of [[{ seed: 6 }, 'seed'], [{ method: 'edges' }, 'method'], [{ items: items.slice(1) }, 'data']] as const) {
      await expect(compute('other', change)).rejects.toMatchObject({ code: 'usage', message: expect.stringContaining(`differs from this one in the ${word}.`) as string })
    }
    expect(bytes('other')).toEqual(files)
  })

  test('without labels it has none; a classifier that sees one class everywhere is refused', async () => {
    const unlabelled = items.slice(0, 4).map(({ label: _, ...item }) => item)
    expect((await compute('unlabelled', { items: unlabelled })).stored.set.labels).toBeNull()
    const same = items.filter((_, i) => whole.set.outcomes[i] === whole.set.outcomes[0]).map(({ label: _, ...item }) => item)
    await expect(compute('same', { items: [same[0]!, same[0]!] })).rejects.toMatchObject({ code: 'input', message: expect.stringMatching(/gives all images of .* one class/) as string })
  })
})

describe('masks of any explanation', () => {
  const of = (values: readonly number[], range: readonly [number, number], { signed = false, masked = NaN } = {}): Float32Array | null =>
    salientMask({ saliency: { height: 1, width: values.length, data: Float32Array.from(values) }, range, signed, probability: { original: 0.9, masked } } as unknown as Explanation)

  test('a mask stays as it is; of other maps the part that speaks for the class, from the least that it says', () => {
    expect([...of([0.25, 0.5], [0, 1], { masked: 0.8 })!]).toEqual([0.25, 0.5])
    expect([...of([-2, 1, 4], [-Infinity, Infinity], { signed: true })!]).toEqual([0, 0.25, 1])
    expect([...of([3, 6, 4.5], [0, Infinity])!]).toEqual([0, 1, 0.5])
    // RISE by probability: all of it lies within a tenth.
    expect([...of([0.375, 0.5, 0.4375], [0, 1])!]).toEqual([0, 1, 0.5])
    expect([of([0, 0], [0, Infinity]), of([-1, 0], [-Infinity, Infinity], { signed: true }), of([0, 0], [0, 1], { masked: 0.1 })]).toEqual([null, null, null])
  })

  test('defaults are quick; a preset or a value of the person counts', () => {
    expect(defaultSalientMethod({ access: 'gradient' })).toBe('neuromask')
    expect(defaultSalientMethod({ access: 'query' })).toBe('sensitivity-mask')
    const quick = salientParameters('neuromask')
    expect(quick['iterations'] as number).toBeLessThan(120)
    expect(salientParameters('neuromask', { iterations: '77' })).toEqual({ ...quick, iterations: 77 })
    expect(salientParameters('neuromask', { preset: 'cifar10-demo' })['iterations']).toBe(2000)
    expect(() => salientParameters('neuromask', { cells: 3 })).toThrow(/cells/)
    expect(salientParameters('rise')).toMatchObject({ preset: expect.any(String) as string })
  })

  test('halves share the images out; chunks are of a size that suits the images', async () => {
    expect([halfOf([0, 1, 2, 3, 4], 'a'), halfOf([0, 1, 2, 3, 4], 'b')]).toEqual([[0, 2, 4], [1, 3]])
    expect([28, 64, 224, 1000].map((side) => imagesPerChunk({ height: side, width: side }))).toEqual([100, 24, 4, 4])
    const info = await workbench.pool.info(demo.source)
    expect(await bytesOf(items[0]!, info)).toHaveLength(64 * 64 * 3)
  })
})

import { mkdir, rename, rm, writeFile } from 'node:fs/promises'
import path from 'node:path'
import type { CDPSession, Page } from 'playwright-core'
import { methods } from '#engine/methods/registry.ts'
import { cellKey, emptyBoard, type ComparisonBoard } from '#shared/contract/comparison.ts'
import { resolveParameters } from '#shared/domain/parameters.ts'
import { createRandom } from '#shared/random/random.ts'
import { createComparisonBook, imageKey, modelKey } from '#services/comparisons/book.ts'
import { resolveScenes } from '#services/datasets.ts'
import { loadModel } from '#services/models.ts'
import { openStudyForWriting } from '#services/study-writer.ts'
import type { StoredImage } from '#storage/comparisons.ts'
import type { Files } from '#storage/files.ts'
import type { RunOrderManifest } from '#storage/manifests.ts'
import { startShell } from '../tests/e2e/shell.ts'
import { closeBrowser, openWindow } from '../tests/e2e/window.ts'
import type { BenchOptions } from './run.ts'
import { rounded } from './timing.ts'
import { isTask, record, spread, type TraceEvent } from './trace.ts'

const side = 28
const scrollMs = 6000
const viewport = { width: 1280, height: 800 }

/**
 * The comparison with 200 images × 15 methods, all of them finished: scrolled for some seconds by the wheel, frames per second and the
 * page's work from Chromium's own trace, memory before and after.
 */
export async function run({ quick }: BenchOptions): Promise<object> {
  const [rows, columns] = quick ? [40, 8] : [200, 15]
  const shell = await startShell()
  try {
    await makeStudy(path.join(shell.studies, 'large'), rows, columns)
    const window = await openWindow(shell.url, viewport)
    const { page } = window
    await page.getByRole('button', { name: /^Study / }).click()
    const begun = performance.now()
    await page.getByRole('button', { name: /^large/ }).click()
    await page.getByRole('navigation', { name: 'Views' }).getByRole('button', { name: 'Compare' }).click()
    await page.getByRole('grid', { name: 'Comparison' }).getByRole('gridcell').first().waitFor({ timeout: 120_000 })
    const openedMs = Math.round(performance.now() - begun)
    await page.waitForTimeout(3000)
    const session = await window.context.newCDPSession(page)
    const before = await heapMegabytes(session)
    const trace = await record(session, () => scroll(page), ['disabled-by-default-devtools.timeline.frame', 'devtools.timeline.frame'])
    const after = await heapMegabytes(session)
    const cells = await page.getByRole('gridcell').count()
    await window.close()
    return { rows, columns, openedMs, cellsInThePage: cells, heapMegabytes: { before, after }, ...framesOf(trace) }
  } finally {
    await closeBrowser()
    await shell.stop()
  }
}

/** Down and up again, as a wheel does. */
async function scroll(page: Page): Promise<void> {
  await page.mouse.move(500, 500)
  const end = Date.now() + scrollMs
  for (let i = 0; Date.now() < end; i++) {
    await page.mouse.wheel(0, i % 120 < 90 ? 60 : -60)
    await page.waitForTimeout(8)
  }
}

async function heapMegabytes(session: CDPSession): Promise<number> {
  await session.send('HeapProfiler.collectGarbage')
  const { usedSize } = await session.send('Runtime.getHeapUsage')
  return Math.round(usedSize / (1 << 20))
}

/** Where a frame is made. */
const threadNames: readonly (readonly [RegExp, string])[] = [[/^CrRendererMain$/, 'page'], [/^Compositor$/, 'compositor'], [/^(CompositorTileWorker|ThreadPoolForegroundWorker)/, 'raster'], [/^VizCompositor/, 'display'], [/^CrGpuMain$/, 'gpu']]

/** Tasks within tasks are counted once. */
function outermost(tasks: readonly TraceEvent[]): TraceEvent[] {
  const ends = new Map<string, number>()
  return tasks.toSorted((a, b) => a.ts - b.ts || (b.dur ?? 0) - (a.dur ?? 0)).filter(({ pid, tid, ts, dur = 0 }) => {
    const thread = `${pid} ${tid}`
    if (ts < (ends.get(thread) ?? 0)) return false
    ends.set(thread, ts + dur)
    return true
  })
}

/** Frames that the compositor drew while it was scrolled, the gaps between them, and what the main thread did for one. */
function framesOf(trace: readonly TraceEvent[]): object {
  const drawn = trace.filter(({ name }) => name === 'DrawFrame').map(({ ts }) => ts).sort((a, b) => a - b)
  const gaps = drawn.slice(1).map((ts, i) => (ts - drawn[i]!) / 1000)
  const seconds = (drawn.at(-1)! - drawn[0]!) / 1e6
  const main = trace.filter((e) => e.name === 'thread_name' && e.args?.name === 'CrRendererMain').map(({ pid, tid }) => `${pid} ${tid}`)
  const tasks = outermost(trace.filter(isTask)).filter((e) => main.includes(`${e.pid} ${e.tid}`)).map((e) => (e.dur ?? 0) / 1000)
  const threads = new Map(trace.filter((e) => e.name === 'thread_name').map(({ pid, tid, args }) => [`${pid} ${tid}`, args?.name ?? '']))
  const processor: Record<string, number> = {}
  for (const e of outermost(trace.filter(isTask))) {
    const name = threadNames.find(([pattern]) => pattern.test(threads.get(`${e.pid} ${e.tid}`) ?? ''))?.[1]
    if (name !== undefined) processor[name] = (processor[name] ?? 0) + (e.tdur ?? 0) / 1000
  }
  const spent = (name: string): number => rounded(trace.filter((e) => e.ph === 'X' && e.name === name).reduce((sum, e) => sum + (e.dur ?? 0), 0) / 1000 / seconds / 10, 1)
  return {
    framesPerSecond: rounded((drawn.length - 1) / seconds, 1), gapMs: spread(gaps), gapsOver20Ms: gaps.filter((ms) => ms > 20).length, frames: drawn.length,
    processorMsPerFrame: Object.fromEntries(Object.entries(processor).map(([name, ms]) => [name, rounded(ms / drawn.length, 1)])),
    mainThread: { busyPercent: rounded(tasks.reduce((a, b) => a + b, 0) / seconds / 10, 1), longestTaskMs: rounded(Math.max(...tasks), 1) },
    percentOfTheTime: { script: spent('FunctionCall'), layout: spent('Layout'), style: spent('UpdateLayoutTree'), paint: spent('Paint'), raster: spent('RasterTask'), animationFrames: spent('FireAnimationFrame') },
  }
}

/** Without waiting for the disk: what a power cut leaves of it does not matter. */
const quickFiles: Files = {
  write: async (file, ...parts) => {
    await writeFile(file, parts.length === 1 ? parts[0]! : Buffer.concat(parts.map((part) => Buffer.from(part as Uint8Array))))
  },
  makeFolder: async (folder) => void (await mkdir(folder, { recursive: true })),
  move: rename,
  remove: (target) => rm(target, { recursive: true, force: true }),
}

/** A study whose cells have all been run; the maps are drawn by a seeded hand, for what they show does not matter here. */
async function makeStudy(folder: string, rowCount: number, columnCount: number): Promise<void> {
  const study = await openStudyForWriting(folder, { name: 'large', files: quickFiles })
  const { source } = await loadModel('demo')
  const model = { name: source.name, sha256: source.sha256, place: 'demo', stated: {} }
  const [modelId, chosen] = [modelKey(model), methods.slice(0, columnCount)]
  const board: ComparisonBoard = {
    ...emptyBoard('large'), rows: [],
    columns: chosen.map(({ id }, i) => ({ kind: 'method', id: `c${i + 1}`, title: null, method: id, parameters: {}, seed: 1, seeds: 1 })),
  }
  const images: Record<string, StoredImage> = {}
  const runs: Record<string, string> = {}
  for (const [i, item] of resolveScenes(`scenes:${rowCount}@2000000`).entries()) {
    const { bytes, format, picture } = await item.load()
    const stored = await study.storeInput(bytes, format)
    const image: StoredImage = { name: item.reference, shown: 'scene', kind: 'scene', reference: item.reference, member: null, ...stored, width: picture.width, height: picture.height, label: null, truth: true }
    images[imageKey(image)] = image
    const row = { id: `r${i + 1}`, image: imageKey(image), model: modelId, target: 'auto' as const }
    board.rows.push(row)
    for (const [k, method] of chosen.entries()) {
      const parameters = resolveParameters(method, {})
      const run = study.reserveRun(item.reference, method.id)
      const whole = { width: picture.width, height: picture.height }
      const { format: modelFormat, preprocessing } = source
      const order: RunOrderManifest = {
        model: { name: source.name, sha256: source.sha256, format: modelFormat, input: { ...whole, channels: 3 }, classes: 10, head: 'softmax', preprocessing: { ...preprocessing, range: [...preprocessing.range], mean: [...preprocessing.mean], std: [...preprocessing.std] } },
        image: { kind: 'scene', reference: item.reference, ...stored, seenSha256: stored.sha256 }, view: { picture: whole, crop: { left: 0, top: 0, ...whole }, size: whole },
        method: method.id, parameters, seed: 1, target: 'auto', changes: [], executor: 'tfjs',
      }
      await study.beginRun(run, order, { image: item.reference, model: 'demo' })
      const random = createRandom(i * 100 + k)
      const map = { height: side, width: side, data: Float32Array.from({ length: side * side }, () => random.uniform()) }
      await study.finishRun(run, {
        facts: {
          backend: 'wasm', executor: 'tfjs', versions: { maskscope: '0', tfjs: '0', onnxruntime: null }, target: { index: i % 10, label: 'ring' }, score: 'logit', probability: { original: 0.9, masked: 0.8 },
          iterations: 1, evaluations: { forward: 1, backward: 0 }, range: [0, 1], signed: false, scale: 1, notes: [],
        },
        saliency: map, own: map, ranking: null, frames: [], losses: { columns: ['iteration', 'probability'], rows: [] }, seconds: 1, device: 'none', executor: { id: 'tfjs', reason: 'none', measured: {}, version: null },
      })
      runs[cellKey(row, method.id, parameters, 1)] = run
    }
  }
  const book = createComparisonBook(folder, quickFiles)
  const comparison = await book.create(board)
  await book.change(comparison, () => ({ images, models: { [modelId]: model }, runs }))
  await study.close()
}

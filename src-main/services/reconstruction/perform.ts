import { existsSync } from 'node:fs'
import path from 'node:path'
import type { RealSet } from '#engine/reconstruction/report-work.ts'
import { reportDefaults } from '#engine/reconstruction/report-subjects.ts'
import type { Pool } from '#pool/pool.ts'
import { serialiseError } from '#shared/domain/errors.ts'
import type { ModelInfo } from '#shared/domain/model.ts'
import type { GeneratorFiles, ReconstructionReport, SalientSet, TrainingNews } from '#shared/domain/reconstruction.ts'
import { createFiles, type Files } from '#storage/files.ts'
import { readCheckpoint, readCurves, readGenerator, writeCheckpoint, writeCurves, writeGenerator, writeSamples } from '#storage/generator-files.ts'
import {
  readReconstructionRecord, readReport, reconstructionFiles, writeReconstruction, writeReconstructionRecord, writeReport, type ReconstructionPhase, type ReconstructionRecord,
} from '#storage/reconstructions.ts'
import { inBatches } from '../batches.ts'
import type { DataItem } from '../datasets.ts'
import { createGate, type Gate } from './gate.ts'
import type { ReconstructionOrder } from './order.ts'
import { bytesOf, labelsOf } from './salient-images.ts'
import { computeSalientSet, type SalientNews } from './salient-sets.ts'

export type ReconstructionEvent =
  | { type: 'phase'; phase: ReconstructionPhase }
  | { type: 'paused' }
  | { type: 'resumed' }
  /** Of the images to learn from and those of the test together. */
  | ({ type: 'salient' } & SalientNews)
  | { type: 'training'; news: TrainingNews; secondsLeft: number | null }
  | { type: 'report'; done: number; all: number; secondsLeft: number | null }

export interface ReconstructionHands {
  signal: AbortSignal
  onEvent?(event: ReconstructionEvent): void
  /** Called once, before anything is computed. */
  onControl?(control: Pick<Gate, 'pause' | 'resume'>): void
  files?: Files
}

/** Images to learn from that are kept back to measure the losses on, at most, and one of so many. */
const mostValidation = 500
const validationShare = 20

/**
 * Masks, training, report: each goes on from what lies in the folder, so that it can end at any moment and the same order ends with the
 * same bytes later.
 * @param folder of this reconstruction alone, see `reconstructionFiles`
 * @throws MaskscopeError 'cancelled', or whatever ended it; the record in the folder says it too
 */
export async function performReconstruction(pool: Pool, order: ReconstructionOrder, folder: string, { signal, onEvent, onControl, files = createFiles() }: ReconstructionHands): Promise<ReconstructionReport> {
  const place = (name: keyof typeof reconstructionFiles): string => path.join(folder, reconstructionFiles[name])
  if (!existsSync(place('manifest'))) await writeReconstruction(files, folder, order.manifest)
  const before = await readReconstructionRecord(folder).catch(() => null)
  let record: Omit<ReconstructionRecord, 'format' | 'version'> = {
    state: 'running', phase: null, created: before?.created ?? new Date().toISOString(), ended: null, seconds: before?.seconds ?? {}, error: null,
  }
  const save = async (changes: Partial<ReconstructionRecord>): Promise<void> => {
    record = { ...record, ...changes }
    await writeReconstructionRecord(files, folder, record)
  }
  const gate = createGate(signal, (paused) => onEvent?.({ type: paused ? 'paused' : 'resumed' }))
  onControl?.(gate)

  async function during<T>(phase: ReconstructionPhase, work: () => Promise<T>): Promise<T> {
    await save({ phase })
    onEvent?.({ type: 'phase', phase })
    const since = performance.now()
    try {
      return await work()
    } finally {
      await save({ seconds: { ...record.seconds, [phase]: (record.seconds[phase] ?? 0) + (performance.now() - since) / 1000 } })
    }
  }

  try {
    await save({})
    // What is damaged is made again, from what is whole.
    const known = await readReport(folder).catch(() => null)
    if (known === null || !existsSync(place('generator'))) {
      const sets = await during('salient', () => salientSets(pool, order, place('salient'), gate, files, onEvent))
      const generator = await during('training', () => train(pool, order, sets, { folder, gate, files, signal, onEvent }))
      const bare = await during('report', () => report(pool, order, sets, generator, gate, onEvent))
      await writeReport(files, folder, bare)
    }
    await save({ state: 'finished', ended: new Date().toISOString() })
    return (await readReport(folder))!
  } catch (error) {
    const state = signal.aborted ? 'cancelled' : 'failed'
    await save({ state, ended: new Date().toISOString(), error: state === 'failed' ? serialiseError(error) : null }).catch(() => undefined)
    throw error
  }
}

interface Sets {
  training: SalientSet
  validation: SalientSet | null
  test: SalientSet
  /** Of the test set among the items of the test. */
  tested: readonly number[]
}

async function salientSets(pool: Pool, { model, manifest, parts }: ReconstructionOrder, folder: string, gate: Gate, files: Files, onEvent: ReconstructionHands['onEvent']): Promise<Sets> {
  const common = { model: model.source, data: manifest.data, method: manifest.method, parameters: manifest.parameters, seed: manifest.seed }
  const [seenCount, testCount] = [parts.seen.length, parts.test.length]
  const all = seenCount + testCount
  // One story of both.
  const ahead = (news: SalientNews, rest: number): number | null => (news.secondsLeft === null ? null : news.secondsLeft * (1 + rest / Math.max(1, news.all - news.done)))
  let failed = 0
  const seen = await gate.through((signal) => computeSalientSet(pool, { ...common, items: parts.seen }, path.join(folder, 'seen'), {
    signal, files, onNews: (news) => {
      failed = news.failed
      onEvent?.({ type: 'salient', done: news.done, all, failed, secondsLeft: ahead(news, testCount) })
    },
  }))
  const test = await gate.through((signal) => computeSalientSet(pool, { ...common, items: parts.test }, path.join(folder, 'test'), {
    signal, files, onNews: (news) => onEvent?.({ type: 'salient', done: seenCount + news.done, all, failed: failed + news.failed, secondsLeft: news.secondsLeft }),
  }))
  const kept = Math.min(mostValidation, Math.floor(seen.set.count / validationShare))
  const learning = seen.set.count - kept
  return {
    training: cut(seen.set, 0, learning), validation: kept === 0 ? null : cut(seen.set, learning, seen.set.count), test: test.set, tested: test.indices,
  }
}

function cut(set: SalientSet, from: number, to: number): SalientSet {
  const pixels = set.height * set.width
  return {
    ...set, count: to - from, images: set.images.subarray(from * pixels * set.channels, to * pixels * set.channels), masks: set.masks.subarray(from * pixels, to * pixels),
    outcomes: set.outcomes.subarray(from, to), labels: set.labels?.subarray(from, to) ?? null,
  }
}

interface Training {
  folder: string
  gate: Gate
  files: Files
  signal: AbortSignal
  onEvent: ReconstructionHands['onEvent']
}

async function train(pool: Pool, { model, manifest }: ReconstructionOrder, { training, validation }: Sets, { folder, gate, files, signal, onEvent }: Training): Promise<GeneratorFiles> {
  const place = (name: keyof typeof reconstructionFiles): string => path.join(folder, reconstructionFiles[name])
  const stored = await readGenerator(place('generator')).catch(() => null)
  if (stored) return stored
  const checkpoint = await readCheckpoint(place('checkpoint')).catch(() => null)
  const curves = (await readCurves(place('curves'))).filter(({ epoch }) => epoch <= (checkpoint?.epoch ?? 0))
  /** Files are written one after the other, in the order of the news. */
  let writing: Promise<unknown> = Promise.resolve()
  const later = (work: () => Promise<void>): void => {
    writing = writing.then(work)
    // What fails is thrown where training ends.
    writing.catch(() => undefined)
  }
  const pace = createPace()
  const { files: generator } = await gate.through((inner) => pool.train(model.source, { settings: manifest.settings, set: training, validation, checkpoint }, {
    signal: AbortSignal.any([signal, inner]),
    onControl: (control) => gate.steer(control),
    onPaused: () => onEvent?.({ type: 'paused' }),
    onResumed: () => onEvent?.({ type: 'resumed' }),
    onNews(news) {
      const { epoch, epochs, step, steps, finished } = news
      onEvent?.({ type: 'training', news, secondsLeft: pace((epoch - 1) * steps + step, epochs * steps) })
      if (!finished) return
      curves.push({ epoch, training: finished.training, validation: finished.validation })
      later(async () => {
        await writeSamples(files, place('samples'), epoch, finished.samples)
        await writeCurves(files, place('curves'), curves.filter((row) => row.epoch <= epoch))
      })
    },
    onCheckpoint: (reached) => later(() => writeCheckpoint(files, place('checkpoint'), reached)),
  })).finally(() => gate.steer(undefined))
  await writing
  await writeGenerator(files, place('generator'), generator)
  return generator
}

async function report(pool: Pool, order: ReconstructionOrder, { training, test, tested }: Sets, generator: GeneratorFiles, gate: Gate, onEvent: ReconstructionHands['onEvent']): Promise<ReconstructionReport> {
  const { model, judge, judgeInfo, info, parts, manifest } = order
  const pace = createPace()
  const unseen = await realSet(parts.unseen.slice(0, training.count), info, manifest.data)
  const judged = judge && judgeInfo ? await judgedClasses(pool, judge.source, judgeInfo, tested.map((i) => parts.test[i]!)) : null
  const { result } = await gate.through((signal) => pool.generate(model.source, {
    kind: 'report', generator, ...(judge ? { judge: judge.source } : {}), test, judged,
    seen: { ...training, classes: training.labels ?? training.outcomes }, unseen, settings: { ...reportDefaults, seed: manifest.seed },
  }, { signal, onProgress: ({ done, all }) => onEvent?.({ type: 'report', done, all, secondsLeft: pace(done, all) }) }))
  const { report: bare } = result
  return { ...bare, perClass: bare.perClass.map((row) => ({ ...row, label: info.labels?.[row.class] ?? null })), generator: reconstructionFiles.generator }
}

async function realSet(items: readonly DataItem[], info: ModelInfo, data: string): Promise<RealSet> {
  const { height, width, channels } = info.input
  return { count: items.length, height, width, channels, images: await imagesOf(items, info), classes: Int32Array.from(await labelsOf(items, info, data), (label) => label ?? -1) }
}

/** As the classifier sees them, one after the other. */
async function imagesOf(items: readonly DataItem[], info: ModelInfo): Promise<Uint8Array> {
  const { height, width, channels } = info.input
  const images = new Uint8Array(items.length * height * width * channels)
  const found = await inBatches(items, (item) => bytesOf(item, info))
  found.forEach((bytes, i) => images.set(bytes, i * height * width * channels))
  return images
}

/** The judge sees each image as its own preprocessing has it. */
async function judgedClasses(pool: Pool, judge: NonNullable<ReconstructionOrder['judge']>['source'], info: ModelInfo, items: readonly DataItem[]): Promise<Int32Array> {
  const { height, width, channels } = info.input
  const images = await imagesOf(items, info)
  const size = height * width * channels
  const classes = new Int32Array(items.length)
  const atOnce = 128
  for (let from = 0; from < items.length; from += atOnce) {
    const count = Math.min(atOnce, items.length - from)
    const data = Float32Array.from(images.subarray(from * size, (from + count) * size), (byte) => byte / 255)
    const logits = await pool.classify(judge, { count, height, width, channels, data })
    for (let i = 0; i < count; i++) {
      const own = logits.subarray(i * info.classes, (i + 1) * info.classes)
      classes[from + i] = own.indexOf(Math.max(...own))
    }
  }
  return classes
}

/** How long the rest takes if it goes on as it went since the first call. */
function createPace(): (done: number, all: number) => number | null {
  let first: { done: number; at: number } | undefined
  return (done, all) => {
    first ??= { done, at: performance.now() }
    if (done <= first.done) return null
    return ((performance.now() - first.at) / 1000 / (done - first.done)) * (all - done)
  }
}

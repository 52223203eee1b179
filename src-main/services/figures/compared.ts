import { createHash } from 'node:crypto'
import { existsSync } from 'node:fs'
import path from 'node:path'
import type { Method } from '#engine/methods/method.ts'
import { findMethod } from '#engine/methods/registry.ts'
import type { Pool } from '#pool/pool.ts'
import { MaskscopeError } from '#shared/domain/errors.ts'
import { whyNot } from '#shared/domain/method.ts'
import { resolveParameters } from '#shared/domain/parameters.ts'
import { comparisonSpec } from '#shared/figure/comparison-spec.ts'
import { createFiles } from '#storage/files.ts'
import { measureRun } from '../measure-run.ts'
import type { RunOrder } from '../runs.ts'
import { openStudy, type Study, type StoredRun } from '../studies.ts'
import type { StudyWriter } from '../study-writer.ts'
import { createFigureBook } from './book.ts'
import { prepareFigure, sidecarOf, writeFigure, type SpecFormat } from './spec-figure.ts'

/** A run that a comparison wants, and its place. */
export interface WantedRun {
  row: number
  column: number
  order: RunOrder
}

export interface PlacedRun {
  run: StoredRun
  row: number
  column: number
}

/** Every parameter goes to all methods that have it, `METHOD.name` to one. @throws MaskscopeError 'usage' for one that no method has */
export function parametersFor(methods: readonly Method[], set: Readonly<Record<string, string>>): Map<string, Record<string, string>> {
  const all = new Map(methods.map(({ id }): [string, Record<string, string>] => [id, {}]))
  for (const [name, value] of Object.entries(set)) {
    const [, own, parameter = name] = /^([a-z0-9-]+)\.(.+)$/.exec(name) ?? []
    const takers = methods.filter(({ id, parameters }) => (own === undefined || id === own) && (parameter === 'preset' || parameters.some((one) => one.name === parameter)))
    if (takers.length === 0) throw new MaskscopeError('usage', `No method of this comparison has a parameter "${name}"; see "maskscope methods".`, { subject: '--set' })
    for (const { id } of takers) all.get(id)![parameter] = value
  }
  for (const [id, given] of all) resolveParameters(findMethod(id), given)
  return all
}

/** Methods of a comparison, and why others are left out. */
export interface FittingMethods {
  methods: Method[]
  leftOut: string[]
}

/**
 * @param asked null: all that fit
 * @param hasTruth the images come with where the object lies
 * @throws MaskscopeError 'unavailable' for one that was asked for and does not fit the model
 */
export function methodsThatFit(asked: readonly Method[] | null, all: readonly Method[], info: Parameters<typeof whyNot>[1], hasTruth: boolean): FittingMethods {
  const leftOut: string[] = []
  const methods = (asked ?? all).filter((method) => {
    const reason = whyNot(method, info, hasTruth)
    if (reason === null) return true
    if (asked) throw new MaskscopeError('unavailable', `${reason} Leave it out of --methods, or choose another model.`, { subject: '--methods' })
    leftOut.push(reason)
    return false
  })
  return { methods, leftOut }
}

/** Which of the wanted runs a study has finished already, by their ids. */
export async function knownRuns(folder: string, wanted: readonly WantedRun[]): Promise<Map<WantedRun, string>> {
  if (!existsSync(folder)) return new Map()
  const study = await openStudy(folder).catch((error: unknown) => {
    // A folder that is no study yet becomes one.
    if (error instanceof MaskscopeError && error.code === 'usage') return null
    throw error
  })
  return study ? matched(study, wanted) : new Map()
}

async function matched(study: Study, wanted: readonly WantedRun[]): Promise<Map<WantedRun, string>> {
  const finished = (await study.runs()).filter(({ state }) => state === 'finished')
  const byKey = new Map<string, string>()
  for (const { id } of finished) {
    const { order } = (await study.readRun(id)).manifest
    if (order.changes.length === 0) byKey.set(keyOf(order.image.sha256, order.model.sha256, order.method, order.parameters, order.seed, order.target), id)
  }
  const hashes = new Map<RunOrder['item'], string>()
  const found = new Map<WantedRun, string>()
  for (const one of wanted) {
    const { item, model, method, parameters, seed, target } = one.order
    const hash = hashes.get(item) ?? createHash('sha256').update((await item.load()).bytes).digest('hex')
    hashes.set(item, hash)
    const id = byKey.get(keyOf(hash, model.source.sha256, method, resolveParameters(findMethod(method), parameters), seed, target))
    if (id !== undefined) found.set(one, id)
  }
  return found
}

function keyOf(image: string, model: string, method: string, parameters: Record<string, unknown>, seed: number, target: number | 'auto'): string {
  return JSON.stringify([image, model, method, Object.entries(parameters).sort(([a], [b]) => (a < b ? -1 : 1)), seed, target])
}

/** The wanted runs that are finished, row by row. */
export async function placedRuns(study: Study, wanted: readonly WantedRun[]): Promise<PlacedRun[]> {
  const placed: PlacedRun[] = []
  for (const [{ row, column }, id] of await matched(study, wanted)) placed.push({ run: await study.readRun(id), row, column })
  return placed.sort((a, b) => a.row - b.row || a.column - b.column)
}

/** The pool queues what its workers are not free for. */
const atATime = 8

/** Measures what was not measured yet; each run's numbers are stored as they come. @returns 0, or 1 where a metric failed */
export async function measureMissing(
  study: StudyWriter, pool: Pool, runs: readonly PlacedRun[], metrics: readonly string[], { signal, told }: { signal: AbortSignal; told(text: string): void },
): Promise<number> {
  let failed = 0
  for (let i = 0; i < runs.length; i += atATime) await Promise.all(runs.slice(i, i + atATime).map(measure))
  return failed

  async function measure({ run }: PlacedRun): Promise<void> {
    const done = new Set((await run.metrics()).filter(({ error }) => error === null).map(({ metric }) => metric))
    const missing = metrics.filter((metric) => !done.has(metric))
    if (missing.length === 0 || signal.aborted) return
    try {
      const measured = await measureRun(run, pool, { metrics: missing, judge: null, others: runs.map((other) => other.run), signal })
      await study.storeMetrics(run.id, measured)
      for (const { metric, error } of measured) {
        if (!error) continue
        failed = 1
        told(`${run.id}: ${metric} could not be measured: ${error.message}`)
      }
    } catch (error) {
      if (signal.aborted) return
      failed = 1
      told(`${run.id} could not be measured: ${error instanceof Error ? error.message : String(error)}`)
    }
  }
}

const files: readonly { name: string; format: SpecFormat }[] = [
  { name: 'comparison.pdf', format: 'pdf' }, { name: 'comparison.svg', format: 'svg' }, { name: 'comparison.png', format: 'png' }, { name: 'comparison.tex', format: 'tex' }, { name: 'comparison.csv', format: 'csv' },
]

/** The comparison's figure, numbers and table beside the study, and its spec among the study's figures. @returns the files' names */
export async function writeComparison(study: Study, folder: string, runs: readonly PlacedRun[], shape: { rows: number; columns: number; title: string | null }): Promise<string[]> {
  const compared = await Promise.all(runs.map(async ({ run, row, column }) => ({
    id: run.id, row, column, metrics: (await run.metrics()).filter(({ value }) => value !== null).map(({ metric }) => metric),
  })))
  const spec = comparisonSpec(compared, shape)
  await createFigureBook().write(study.folder, 'comparison', spec)
  const figure = await prepareFigure(spec, study)
  const writer = createFiles()
  const root = path.resolve(folder)
  for (const { name, format } of files) await writer.write(path.join(root, name), await writeFigure(figure, format, { name: 'comparison' }))
  await writer.write(path.join(root, 'comparison.provenance.json'), sidecarOf(figure))
  await writer.write(path.join(root, 'metrics.csv'), await metricsCsv(runs))
  return [...files.map(({ name }) => name), 'metrics.csv', 'comparison.provenance.json']
}

/** One line per run and metric (RFC 4180 with \n); empty where it is not defined. */
async function metricsCsv(runs: readonly PlacedRun[]): Promise<string> {
  const lines = await Promise.all(runs.map(async ({ run: { id, manifest: { order, target, evaluations }, record, metrics } }) => (await metrics()).map(({ metric, value }) => [
    id, order.image.reference, order.method, String(order.seed), target.label ?? String(target.index), String(evaluations.forward + evaluations.backward), String(record.seconds ?? ''), metric, value === null ? '' : String(value),
  ])))
  return [['run', 'image', 'method', 'seed', 'class', 'evaluations', 'seconds', 'metric', 'value'], ...lines.flat()].map((line) => line.map(quoted).join(',')).join('\n') + '\n'
}

function quoted(text: string): string {
  return /[",\n\r]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text
}

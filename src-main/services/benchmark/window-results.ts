import type { BenchmarkCell, BenchmarkResults } from '#shared/contract/benchmark.ts'
import { MaskscopeError } from '#shared/domain/errors.ts'
import { renderFigure } from '../figures.ts'
import { bestOf } from './best.ts'
import { collectResults, type Column, type Results } from './collect.ts'
import { chosen } from './finish.ts'
import type { BenchmarkManifest } from './manifest.ts'
import { chunksOf, imagesName } from './perform.ts'
import { plottedMetrics, qualityPlot } from './plots.ts'
import { openRecords, type ChunkRecord, type Records, type Subject } from './records.ts'
import { summariseGently, type Summary } from './summary.ts'
import { detailsCsv, excludedCsv, latexTable, markdownTable, resultsCsv, secondsCsv } from './tables.ts'

/** Of what goes on changing; the whole has as many as its files. */
const partialResamples = 1000
const wholeResamples = 10_000
/** mm */
const plotWidth = 140

/** What a benchmark has found so far, read once while nothing new is there. */
export interface ResultsReader {
  results(against: string | null): Promise<BenchmarkResults>
  spread(metric: string): Promise<{ name: string; values: Float32Array<ArrayBuffer> }[]>
  cells(method: string, metric: string): Promise<BenchmarkCell[]>
  /** As the benchmark's folder has it when all is done. */
  file(file: string, against: string, metric: string): Promise<{ name: string; bytes: Uint8Array<ArrayBuffer> }>
  /** Where subjects stand: their chunk, their place in it. */
  subjects(): Promise<{ subject: Subject; chunk: number; place: number }[]>
}

/** @param done how many pieces there are by now: with another number everything is read anew */
export function createResultsReader(folder: string, manifest: BenchmarkManifest, done: () => number): ResultsReader {
  let read: { done: number; results: Promise<Results> } | null = null
  const summaries = new Map<string, Promise<Summary>>()

  async function collected(): Promise<Results> {
    const now = done()
    if (read?.done !== now) {
      summaries.clear()
      read = { done: now, results: openRecords(folder).then((records) => collectResults(manifest, records, { partial: true })) }
    }
    return read.results
  }

  async function summaryFor(results: Results, against: string, resamples: number): Promise<Summary> {
    const key = `${against}\n${resamples}`
    const known = summaries.get(key) ?? summariseGently(results, { against, resamples })
    summaries.set(key, known)
    return known
  }

  async function columnOf(method: string, metric: string): Promise<{ results: Results; column: Column }> {
    const results = await collected()
    const column = results.columns.find((one) => one.entry === method && one.metric === metric)
    if (!column) throw new MaskscopeError('usage', `This benchmark has no ${metric} of ${method}.`, { subject: 'metric' })
    return { results, column }
  }

  return {
    async results(wanted) {
      const results = await collected()
      const against = chosen(manifest, wanted ?? undefined)
      const resamples = results.missing === 0 ? wholeResamples : partialResamples
      return resultsOf(await summaryFor(results, against, resamples), results, resamples)
    },
    async spread(metric) {
      const results = await collected()
      return manifest.entries.map(({ name }) => ({ name, values: Float32Array.from(results.columns.find((one) => one.entry === name && one.metric === metric)?.values ?? []) }))
    },
    async cells(method, metric) {
      const { results, column } = await columnOf(method, metric)
      return results.subjects.map((subject, i): BenchmarkCell => ({
        subject: i, image: subject.name, object: subject.object, label: subject.label, target: subject.label ?? `class ${subject.target}`, probability: subject.probability,
        value: finite(column.values[i]!), seedSd: finite(column.spread[i]!), note: column.notes[i] ?? null,
      }))
    },
    async file(file, wanted, metric) {
      const results = await collected()
      const summary = await summaryFor(results, chosen(manifest, wanted), wholeResamples)
      const { name, bytes } = await contentOf(file, summary, results, metric)
      return { name, bytes: Uint8Array.from(bytes) }
    },
    async subjects() {
      return subjectsOf(manifest, await openRecords(folder))
    },
  }
}

async function subjectsOf(manifest: BenchmarkManifest, records: Records): Promise<{ subject: Subject; chunk: number; place: number }[]> {
  const found: { subject: Subject; chunk: number; place: number }[] = []
  for (const chunk of chunksOf(manifest)) {
    const images = await records.read<ChunkRecord>(imagesName(chunk))
    images?.subjects.forEach((subject, place) => found.push({ subject, chunk, place }))
  }
  return found
}

function resultsOf(summary: Summary, results: Results, resamples: number): BenchmarkResults {
  const best = new Map(results.manifest.metrics.map((metric) => [metric, bestOf(summary, metric)]))
  return {
    images: summary.images, excluded: summary.excluded, whole: results.missing === 0, against: summary.against, resamples,
    methods: Object.entries(summary.methods).map(([name, of]) => ({
      name,
      scores: Object.fromEntries(Object.entries(of).map(([metric, score]) => {
        const { difference, p, holm } = summary.comparisons[metric]?.[name] ?? { difference: null, p: null, holm: null }
        return [metric, { ...score, difference, p, holm, best: best.get(metric) === name }]
      })),
      forward: summary.cost[name]!.forward, backward: summary.cost[name]!.backward, seconds: finite(results.seconds.get(name) ?? NaN),
    })),
    errors: summary.errors.map(({ entry, message, images }) => ({ method: entry, message, images })),
  }
}

async function contentOf(file: string, summary: Summary, results: Results, metric: string): Promise<{ name: string; bytes: Uint8Array }> {
  const { metrics } = results.manifest
  const text = (content: string): { name: string; bytes: Uint8Array } => ({ name: file, bytes: new TextEncoder().encode(content) })
  switch (file) {
    case 'table.md': return text(markdownTable(summary, metrics))
    case 'table.tex': return text(latexTable(summary, metrics))
    case 'results.csv': return text(resultsCsv(results))
    case 'details.csv': return text(detailsCsv(results))
    case 'excluded.csv': return text(excludedCsv(results))
    case 'seconds.csv': return text(secondsCsv(results))
    case 'summary.json': return text(`${JSON.stringify(summary, undefined, 2)}\n`)
    case 'quality.pdf':
    case 'quality.svg': {
      if (!plottedMetrics(metrics).includes(metric)) throw new MaskscopeError('usage', 'Of this metric there is no plot of quality against cost; choose another.', { subject: 'metric' })
      const format = file === 'quality.pdf' ? 'pdf' : 'svg'
      return { name: `quality-${metric}.${format}`, bytes: await renderFigure(qualityPlot(summary, metric, plotWidth), format, 300) }
    }
    default: throw new MaskscopeError('usage', `A benchmark has no file ${file}.`, { subject: 'file' })
  }
}

function finite(value: number): number | null {
  return Number.isFinite(value) ? value : null
}

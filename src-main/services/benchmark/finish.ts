import path from 'node:path'
import { MaskscopeError } from '#shared/domain/errors.ts'
import { createFiles } from '#storage/files.ts'
import { renderFigure } from '../figures.ts'
import { collectResults, type Results } from './collect.ts'
import type { BenchmarkManifest } from './manifest.ts'
import { plottedMetrics, qualityPlot } from './plots.ts'
import { openRecords } from './records.ts'
import { summariseGently, type Summary, type SummaryOptions } from './summary.ts'
import { detailsCsv, excludedCsv, latexTable, markdownTable, resultsCsv, secondsCsv } from './tables.ts'

/** Two columns of a paper: the key needs room. */
const plotWidth = 140

/**
 * Writes what a benchmark found: tables, summary and plots, the same bytes for the same records. Seconds go into a file of their own.
 * @throws MaskscopeError 'input' where it is not complete, 'usage' for an unknown method to compare with
 */
export async function finishBenchmark(manifest: BenchmarkManifest, folder: string, { against, resamples, plots = true }: Partial<SummaryOptions> & { plots?: boolean } = {}): Promise<{ summary: Summary; results: Results }> {
  const files = createFiles()
  const results = await collectResults(manifest, await openRecords(folder, files))
  const summary = await summariseGently(results, { against: chosen(manifest, against), ...(resamples === undefined ? {} : { resamples }) })
  const write = (name: string, content: string | Uint8Array): Promise<void> => files.write(path.join(folder, name), content)
  await write('results.csv', resultsCsv(results))
  await write('details.csv', detailsCsv(results))
  await write('excluded.csv', excludedCsv(results))
  await write('seconds.csv', secondsCsv(results))
  await write('summary.json', `${JSON.stringify(summary, undefined, 2)}\n`)
  await write('table.md', markdownTable(summary, manifest.metrics))
  await write('table.tex', latexTable(summary, manifest.metrics))
  for (const metric of plots && summary.images > 0 ? plottedMetrics(manifest.metrics) : []) {
    if (Object.values(summary.methods).every((of) => of[metric]!.mean === null)) continue
    const list = qualityPlot(summary, metric, plotWidth)
    for (const format of ['svg', 'pdf'] as const) await write(`quality-${metric}.${format}`, await renderFigure(list, format, 300))
  }
  return { summary, results }
}

/** The first method where none is named. @throws MaskscopeError 'usage' */
export function chosen({ entries }: { entries: readonly { name: string }[] }, against: string | undefined): string {
  if (against === undefined) return entries[0]!.name
  if (entries.some(({ name }) => name === against)) return against
  throw new MaskscopeError('usage', `The method ${against} is not among those that are compared: ${entries.map(({ name }) => name).join(', ')}.`, { subject: '--against' })
}

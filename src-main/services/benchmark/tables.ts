import { findMetric } from '#engine/metrics/registry.ts'
import { rivalsOn } from './best.ts'
import type { Results } from './collect.ts'
import type { Summary } from './summary.ts'

/** One row per image, method and metric. */
export function resultsCsv({ subjects, columns, manifest }: Results): string {
  const draws = new Map(manifest.entries.map(({ name, draws: count }) => [name, count]))
  const rows = columns.flatMap(({ entry, metric, values, spread, notes }) => subjects.map((subject, i) => [
    subject.name, subject.object, subject.label ?? '', subject.target, number(subject.probability), entry, metric, number(values[i]!), number(spread[i]!), draws.get(entry)!, notes[i] ?? '',
  ]))
  return csv(['image', 'object', 'label', 'target', 'probability', 'method', 'metric', 'value', 'seed_sd', 'seeds', 'note'], rows)
}

/** What metrics say besides: one row per image, method, metric and number. */
export function detailsCsv({ subjects, columns }: Results): string {
  const rows = columns.flatMap(({ entry, metric, details }) => subjects.flatMap((subject, i) =>
    Object.entries(details[i]!).map(([name, value]) => [subject.name, subject.object, entry, metric, name, number(value)])))
  return csv(['image', 'object', 'method', 'metric', 'detail', 'value'], rows)
}

/** The images that are not evaluated, and why. */
export function excludedCsv({ excluded }: Results): string {
  return csv(['image', 'label', 'reason', 'text'], excluded.map(({ name, label, reason, text }) => [name, label ?? '', reason, text]))
}

/** Seconds per image of each method: of this machine and this time. */
export function secondsCsv({ seconds, manifest }: Results): string {
  return csv(['method', 'seconds_per_image'], manifest.entries.map(({ name }) => [name, number(seconds.get(name) ?? NaN)]))
}

export function csv(head: readonly string[], rows: readonly (readonly (string | number)[])[]): string {
  return [head, ...rows].map((cells) => `${cells.map(cell).join(',')}\n`).join('')
}

function cell(value: string | number): string {
  const text = String(value)
  return /[",\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text
}

function number(value: number | null): string {
  return value === null || !Number.isFinite(value) ? '' : String(value)
}

interface Cell {
  text: string
  /** The best of its column; what uses the true object is no rival. */
  best: boolean
  /** Differs from the chosen method after Holm. */
  differs: boolean
}

/** A mean as papers print it. */
function shown(value: number): string {
  if (Math.abs(value) >= 1000) return value.toFixed(0)
  return Math.abs(value) >= 10 ? value.toFixed(1) : value.toFixed(3)
}

/** Methods down, metrics across; the last columns are the cost. */
function cells(summary: Summary, metrics: readonly string[]): { name: string; values: Cell[]; cost: string[] }[] {
  const best = new Map(metrics.map((metric) => {
    const { better } = findMetric(metric)
    const rivals = rivalsOn(summary, metric)
    const means = rivals.map((name) => summary.methods[name]![metric]!.mean!)
    const top = better === 'higher' ? Math.max(...means) : Math.min(...means)
    return [metric, better === null ? [] : rivals.filter((_, i) => means[i] === top)]
  }))
  return Object.entries(summary.methods).map(([name, of]) => ({
    name,
    values: metrics.map((metric): Cell => {
      const { mean } = of[metric]!
      const p = summary.comparisons[metric]?.[name]?.holm
      return { text: mean === null ? '–' : shown(mean), best: best.get(metric)!.includes(name), differs: p !== null && p !== undefined && p < 0.05 }
    }),
    cost: [summary.cost[name]!.forward, summary.cost[name]!.backward].map((count) => (count === null ? '–' : shown(count))),
  }))
}

const arrow = (metric: string, up: string, down: string): string => {
  const { better } = findMetric(metric)
  return better === null ? '' : better === 'higher' ? ` ${up}` : ` ${down}`
}

export function markdownTable(summary: Summary, metrics: readonly string[]): string {
  const head = ['method', ...metrics.map((metric) => `${metric}${arrow(metric, '↑', '↓')}`), 'forward', 'backward']
  const rows = cells(summary, metrics).map(({ name, values, cost }) => [
    name, ...values.map(({ text, best, differs }) => `${best ? `**${text}**` : text}${differs ? ' †' : ''}`), ...cost,
  ])
  return [head, head.map(() => '---'), ...rows].map((row) => `| ${row.map((text) => text.replaceAll('|', '\\|')).join(' | ')} |`).join('\n') + '\n'
}

/** A table for a paper; it needs the package booktabs. */
export function latexTable(summary: Summary, metrics: readonly string[]): string {
  const rows = cells(summary, metrics).map(({ name, values, cost }) => [
    latex(name), ...values.map(({ text, best, differs }) => `${best ? `\\textbf{${latex(text)}}` : latex(text)}${differs ? '$^\\dagger$' : ''}`), ...cost.map(latex),
  ].join(' & '))
  const head = ['Method', ...metrics.map((metric) => `${latex(metric)}${arrow(metric, '$\\uparrow$', '$\\downarrow$')}`), 'forward', 'backward'].join(' & ')
  return [
    `% ${summary.images} images of ${oneLine(summary.data)}, classifier ${oneLine(summary.model)}, seed ${summary.seed}.`,
    `% Bold: best of the column, of the methods with a value for the most images. Dagger: differs from ${oneLine(summary.against)}, paired permutation test, Holm over the methods, p < .05.`,
    `\\begin{tabular}{l${'r'.repeat(metrics.length + 2)}}`, '\\toprule', `${head} \\\\`, '\\midrule', ...rows.map((row) => `${row} \\\\`), '\\bottomrule', '\\end{tabular}', '',
  ].join('\n')
}

function oneLine(text: string): string {
  return text.replace(/\s+/g, ' ')
}

const escapes: Readonly<Record<string, string>> = {
  '\\': '\\textbackslash{}', '{': '\\{', '}': '\\}', '&': '\\&', '%': '\\%', $: '\\$', '#': '\\#', _: '\\_', '~': '\\textasciitilde{}', '^': '\\textasciicircum{}', '–': '--', '−': '$-$',
}

/** Text that LaTeX prints as it is. */
export function latex(text: string): string {
  return text.replace(/[\\{}&%$#_~^–−]/g, (character) => escapes[character]!)
}

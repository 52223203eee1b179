import type { BenchmarkResults, BenchmarkRow, BenchmarkScore } from '#shared/contract/benchmark.ts'
import type { MetricInfo } from '#shared/contract/metrics.ts'
import { numberText } from '#shared/figure/numbers.ts'

export interface ScoreSorting {
  /** `method`, `forward`, `backward`, `seconds`, or a metric's id. */
  column: string
  descending: boolean
}

export type ScoreRow = BenchmarkResults['methods'][number]

/** What a click on a column's head makes of the order: the better end of a metric first, costs from the least. */
export function scoreSortingAfter(before: ScoreSorting | null, column: string, metrics: readonly Pick<MetricInfo, 'id' | 'better'>[]): ScoreSorting {
  if (before?.column === column) return { column, descending: !before.descending }
  const metric = metrics.find(({ id }) => id === column)
  return { column, descending: metric !== undefined && metric.better !== 'lower' }
}

/** @param sorting null: the order in which they were named */
export function sortScores(rows: readonly ScoreRow[], sorting: ScoreSorting | null, titleOf: (name: string) => string): ScoreRow[] {
  if (sorting === null) return [...rows]
  const { column, descending } = sorting
  const sign = descending ? -1 : 1
  if (column === 'method') return rows.toSorted((a, b) => sign * titleOf(a.name).localeCompare(titleOf(b.name)))
  const key = (row: ScoreRow): number | null => (column === 'forward' || column === 'backward' || column === 'seconds' ? row[column] : row.scores[column]?.mean ?? null)
  return rows.toSorted((a, b) => {
    const [x, y] = [key(a), key(b)]
    // What is not known stands last either way.
    if (x === null || y === null) return x === y ? 0 : x === null ? 1 : -1
    return sign * (x - y)
  })
}

/** A mean as papers print it; a dash where there is none. */
export function meanText(value: number | null): string {
  if (value === null) return '–'
  const size = Math.abs(value)
  const digits = size >= 1000 ? 0 : size >= 10 ? 1 : 3
  return value.toFixed(digits).replace('-', '−')
}

export function intervalText({ low, high }: Pick<BenchmarkScore, 'low' | 'high'>): string {
  return low === null || high === null ? '' : `${meanText(low)} to ${meanText(high)}`
}

export function differenceText({ difference }: Pick<BenchmarkScore, 'difference'>): string {
  return difference === null ? '–' : `${difference > 0 ? '+' : ''}${meanText(difference)}`
}

/** "p .003", "p < .001"; nothing where it was not tested. */
export function pText(p: number | null): string {
  if (p === null) return ''
  if (p < 0.001) return 'p < .001'
  return p >= 0.9995 ? 'p 1' : `p ${p.toFixed(3).slice(1)}`
}

/** Differs from the method that all are compared with, at 5% after Holm. */
export function differs({ holm }: Pick<BenchmarkScore, 'holm'>): boolean {
  return holm !== null && holm < 0.05
}

/** All of a number's company, a line each. */
export function scoreTip(score: BenchmarkScore, against: string): string {
  const { median, sd, seedSd, n, difference, p, holm } = score
  const lines = [
    `mean ${meanText(score.mean)}, 95% interval ${intervalText(score) || 'not known'}`,
    `median ${meanText(median)}, standard deviation ${meanText(sd)}, n ${n}`,
    ...(seedSd === null ? [] : [`standard deviation between seeds ${numberText(seedSd, 3)}`]),
    ...(difference === null ? [] : [`to ${against} ${differenceText(score)}, ${pText(p)}, after Holm ${pText(holm).replace(/^p /, '')}`]),
  ]
  return lines.join('\n')
}

/** A method of the comparison as a person calls it, with what tells it from its like. */
export function entryTitle(name: string, titles: ReadonlyMap<string, string>): string {
  const [id, what] = name.split('@') as [string, string?]
  const title = titles.get(id) ?? id
  return what === undefined ? title : `${title} @ ${what}`
}

const reasons: Record<string, string> = {
  wrong: 'where the classifier is wrong', 'unknown-class': 'of classes it does not have', 'no-object': 'without a visible object', unreadable: 'that cannot be read',
  unanswered: 'that the classifier cannot answer',
}

/** E.g. "37 images or objects; not evaluated: 3 where the classifier is wrong". */
export function subjectsText({ images, excluded }: Pick<BenchmarkResults, 'images' | 'excluded'>): string {
  const left = Object.entries(excluded).map(([reason, count]) => `${count} ${reasons[reason] ?? reason}`).join(', ')
  return `${images} images or objects${left === '' ? '' : `; not evaluated: ${left}`}`
}

/** E.g. "c000002.rise.s1" as "RISE, images 17 to 24, seed 2". */
export function pieceText(piece: string, titles: ReadonlyMap<string, string>, chunkSize: number): string {
  const [, chunk, rest] = /^c(\d+)\.(.+)$/.exec(piece) ?? []
  if (chunk === undefined || rest === undefined) return piece
  const first = Number(chunk) * chunkSize + 1
  const images = `images ${first} to ${first + chunkSize - 1}`
  if (rest === 'compared') return `comparing maps, ${images}`
  if (rest === 'images') return `reading, ${images}`
  const [, name, draw] = /^(.+)\.s(\d+)$/.exec(rest) ?? []
  return name === undefined ? piece : `${entryTitle(name, titles)}, ${images}, seed ${Number(draw) + 1}`
}

/** E.g. "3 min", "40 s", "2 h 10 min". */
export function durationText(seconds: number): string {
  if (seconds < 1) return 'under a second'
  if (seconds < 90) return `${Math.round(seconds)} s`
  const minutes = Math.round(seconds / 60)
  if (minutes < 90) return `${minutes} min`
  return `${Math.floor(minutes / 60)} h ${minutes % 60} min`
}

const states: Record<BenchmarkRow['state'], string> = {
  preparing: 'preparing', running: 'running', pausing: 'pausing', paused: 'paused', finishing: 'writing its tables', stopped: 'stopped', finished: 'finished', elsewhere: 'another Maskscope works on it',
}

export function stateText({ state, done, total }: Pick<BenchmarkRow, 'state' | 'done' | 'total'>): string {
  const part = total === 0 || state === 'finished' || state === 'preparing' ? '' : ` at ${Math.floor((100 * done) / total)}%`
  return `${states[state]}${part}`
}

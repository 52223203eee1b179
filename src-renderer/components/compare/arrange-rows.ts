import type { ComparisonColumn, ComparisonImage, ComparisonRow, ComparisonView, RowReading } from '#shared/contract/comparison.ts'

/** What rows are chosen and ordered by. */
export interface RowSource {
  image(row: ComparisonRow): ComparisonImage | undefined
  reading(row: ComparisonRow): RowReading | undefined
  /** The class explained, as it is told. */
  className(row: ComparisonRow): string
  /** Of the metric that is shown. */
  value(row: ComparisonRow, column: ComparisonColumn): number | null
  /** Spread of the metric between the methods, or of the maps; null: not known. */
  disagreement(row: ComparisonRow): number | null
  starred(row: ComparisonRow): boolean
  /** Cells that have no result. */
  missing(row: ComparisonRow): boolean
}

/** Whether the model names the image as its data set does; null where either is not known. */
export function isRight(row: ComparisonRow, { image, reading }: Pick<RowSource, 'image' | 'reading'>): boolean | null {
  const label = image(row)?.label
  const top = reading(row)?.top[0]
  if (label == null || !top) return null
  const plain = (text: string): string => text.toLowerCase().replace(/[\s_-]+/g, ' ').trim()
  return plain(label) === plain(top.label ?? `class ${top.index}`)
}

/** Rows that are shown, in order; `sorting.by`: '' as added, 'class', 'probability', 'disagreement', or a column's id: the metric there. */
export function arrangeRows(rows: readonly ComparisonRow[], { sorting, filter }: Pick<ComparisonView, 'sorting' | 'filter'>, columns: readonly ComparisonColumn[], source: RowSource): ComparisonRow[] {
  const wanted = filter.text.trim().toLowerCase()
  const kept = rows.filter((row) => {
    if (wanted !== '' && !`${source.image(row)?.name ?? ''} ${source.image(row)?.label ?? ''} ${source.className(row)}`.toLowerCase().includes(wanted)) return false
    switch (filter.verdict) {
      case 'all': return true
      case 'right': return isRight(row, source) === true
      case 'wrong': return isRight(row, source) === false
      case 'starred': return source.starred(row)
      case 'missing': return source.missing(row)
    }
  })
  if (sorting.by === '') return sorting.descending ? kept.reverse() : kept
  const sign = sorting.descending ? -1 : 1
  if (sorting.by === 'class') return kept.sort((a, b) => sign * source.className(a).localeCompare(source.className(b), 'en', { numeric: true }))
  const column = columns.find(({ id }) => id === sorting.by)
  const number = (row: ComparisonRow): number | null => {
    if (sorting.by === 'probability') return source.reading(row)?.top[0]?.probability ?? null
    if (sorting.by === 'disagreement') return source.disagreement(row)
    return column ? source.value(row, column) : null
  }
  const values = new Map(kept.map((row) => [row, number(row)]))
  // What is not known stands last, whatever the order.
  return kept.sort((a, b) => {
    const [x, y] = [values.get(a)!, values.get(b)!]
    return x === null || y === null ? Number(x === null) - Number(y === null) : sign * (x - y)
  })
}

/** Standard deviation between methods; null for fewer than two. */
export function spreadOfValues(values: readonly (number | null)[]): number | null {
  const known = values.filter((value) => value !== null)
  if (known.length < 2) return null
  const mean = known.reduce((sum, value) => sum + value, 0) / known.length
  return Math.sqrt(known.reduce((sum, value) => sum + (value - mean) ** 2, 0) / (known.length - 1))
}

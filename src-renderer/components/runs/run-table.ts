import type { MethodInfo } from '#shared/contract/models.ts'
import type { RunRow } from '#shared/contract/runs.ts'
import { differenceText, targetText } from './run-text.ts'

export const columnIds = ['created', 'method', 'target', 'probability', 'area', 'steps', 'time', 'state', 'seed'] as const
export type ColumnId = (typeof columnIds)[number]

export interface Sorting {
  column: ColumnId
  descending: boolean
}

/** The newest run first. */
export const firstSorting: Sorting = { column: 'created', descending: true }

/** Columns of numbers begin with the greatest. */
const beginsDescending: ReadonlySet<ColumnId> = new Set(['created', 'probability', 'area', 'steps', 'time'])

/** What a click on a column's head makes of the order. */
export function sortingAfter(before: Sorting, column: ColumnId): Sorting {
  if (before.column === column) return { column, descending: !before.descending }
  return { column, descending: beginsDescending.has(column) }
}

/** @param rows in the order of their numbers @param titleOf of a method */
export function sortRuns(rows: readonly RunRow[], sorting: Sorting, titleOf: (method: string) => string): RunRow[] {
  const key = keyOf(sorting.column, titleOf)
  const keyed = rows.map((row, number) => ({ row, number, key: key(row) }))
  const sign = sorting.descending ? -1 : 1
  keyed.sort((a, b) => {
    // What is not known stands last either way.
    if (a.key === null || b.key === null) return a.key === b.key ? b.number - a.number : a.key === null ? 1 : -1
    const order = typeof a.key === 'string' ? a.key.localeCompare(String(b.key)) : a.key - Number(b.key)
    return order === 0 ? sign * (a.number - b.number) : sign * order
  })
  return keyed.map(({ row }) => row)
}

function keyOf(column: ColumnId, titleOf: (method: string) => string): (row: RunRow) => string | number | null {
  switch (column) {
    // The order of their numbers, which breaks every tie.
    case 'created': return () => 0
    case 'method': return (row) => titleOf(row.method)
    case 'target': return (row) => (row.target === null ? null : targetText(row.target))
    case 'probability': return (row) => row.probability.masked
    case 'area': return (row) => row.area
    case 'steps': return (row) => row.iteration
    case 'time': return (row) => row.seconds
    case 'state': return (row) => row.state
    case 'seed': return (row) => row.seed
  }
}

/** Rows that hold every word of the filter somewhere in what they show. */
export function filterRuns(rows: readonly RunRow[], filter: string, methods: readonly MethodInfo[]): RunRow[] {
  const words = filter.toLowerCase().split(/\s+/).filter(Boolean)
  if (words.length === 0) return [...rows]
  return rows.filter((row) => {
    const method = methods.find((m) => m.id === row.method) ?? null
    const text = [
      row.run, row.state, row.image.name, row.model.name, row.method, method?.title ?? '', targetText(row.target), differenceText(method, row),
      `seed ${row.seed}`, row.error?.message ?? '',
    ].join('\n').toLowerCase()
    return words.every((word) => text.includes(word))
  })
}

/** The rows to draw of a long table: those in view and some around them. */
export function windowOf(total: number, scrollTop: number, height: number, rowHeight: number): { first: number; end: number } {
  if (total <= 200) return { first: 0, end: total }
  const around = 12
  const first = Math.max(0, Math.floor(scrollTop / rowHeight) - around)
  return { first: Math.min(first, total), end: Math.min(total, Math.ceil((scrollTop + height) / rowHeight) + around) }
}

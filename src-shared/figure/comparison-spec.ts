import { parseFigureSpec, specFormat, specVersion, type FigureSpec, type FigureSpecInput } from './spec.ts'

/** A run of a comparison, and where it stands in it. */
export interface ComparedRun {
  id: string
  row: number
  column: number
  /** Ids of what was measured of it. */
  metrics: readonly string[]
}

/** Images shown; more would not fit on a page, and all of them are in curves and table. */
const mostRows = 12
/** Methods side by side; more become further panels. */
const mostColumns = 8

type PanelInput = FigureSpecInput['panels'][number]

/**
 * The figure of a comparison: images by methods, deletion and insertion side by side, and the table of all metrics.
 * @param options.rows so many images, `columns` so many methods; places without a run stay empty
 */
export function comparisonSpec(runs: readonly ComparedRun[], options: { rows: number; columns: number; title: string | null; width?: FigureSpecInput['width'] }): FigureSpec {
  const { rows, columns } = options
  const at = new Map(runs.map((run) => [`${run.row} ${run.column}`, run.id]))
  const used = Array.from({ length: columns }, (_, column) => column).filter((column) => runs.some((run) => run.column === column))
  const parts = Math.ceil(used.length / mostColumns)
  const perPart = Math.ceil(used.length / parts)
  const shownRows = Array.from({ length: Math.min(rows, mostRows) }, (_, row) => row).filter((row) => runs.some((run) => run.row === row))
  const grids = Array.from({ length: parts }, (_, part): PanelInput => {
    const own = used.slice(part * perPart, (part + 1) * perPart)
    const lines = shownRows.map((row) => ({ cells: own.map((column) => at.get(`${row} ${column}`) ?? null) })).filter(({ cells }) => cells.some((cell) => cell !== null))
    return { kind: 'grid', columns: own.map(() => ({})), rows: lines }
  }).filter((panel) => panel.kind === 'grid' && panel.rows.length > 0)
  const measured = (metric: string): string[] => runs.filter(({ metrics }) => metrics.includes(metric)).map(({ id }) => id)
  const curves = ['deletion', 'insertion'].flatMap((metric): PanelInput[] => (measured(metric).length > 0 ? [{ kind: 'curves', runs: measured(metric), metric }] : []))
  const common = runs.filter(({ metrics }) => metrics.length > 0)
  const table: PanelInput[] = common.some(({ metrics }) => common.every((other) => other.metrics.some((metric) => metrics.includes(metric)))) && common.length > 0
    ? [{ kind: 'table', runs: common.map(({ id }) => id) }] : []
  const places = [
    ...grids.map((_, row) => ({ row, column: 0, columns: 2 })),
    ...curves.map((_, column) => (curves.length === 1 ? { row: grids.length, column: 0, columns: 2 } : { row: grids.length, column })),
    ...table.map(() => ({ row: grids.length + (curves.length > 0 ? 1 : 0), column: 0, columns: 2 })),
  ]
  return parseFigureSpec({
    format: specFormat, version: specVersion, title: options.title, ...(options.width === undefined ? {} : { width: options.width }),
    panels: [...grids, ...curves, ...table], grid: { columns: [1, 1], places },
  })
}

import type { ComparisonRow } from '#shared/contract/comparison.ts'
import type { FigureSpecInput } from '#shared/figure/spec.ts'
import type { ColormapId } from '#shared/imaging/colormap.ts'
import { useComparison } from '../../stores/comparison.ts'
import { useFigures } from '../../stores/figures.ts'

const shows = { map: 'map', overlay: 'overlay', masked: 'masked', contour: 'contour', top: 'overlay' } as const

/** So many rows and columns fit on a page, and in a spec. */
const most = { rows: 60, columns: 30 }

/** The grid as it is shown: rows, columns, display and titles as they stand; cells without a result stay empty. */
export function figureOf(rows: readonly ComparisonRow[]): FigureSpecInput {
  const comparison = useComparison()
  const { columns, view } = comparison.board
  const shownColumns = columns.filter((column) => rows.some((row) => comparison.finishedRuns(row, column).length > 0)).slice(0, most.columns)
  const shownRows = rows.filter((row) => shownColumns.some((column) => comparison.finishedRuns(row, column).length > 0)).slice(0, most.rows)
  return {
    format: 'maskscope-figure', version: 1, title: comparison.board.name,
    panels: [{
      kind: 'grid', show: shows[view.mode], colormap: view.colormap as ColormapId, normalisation: view.scale, scale: view.sharing === 'map' ? 'each' : view.sharing === 'row' ? 'row' : 'shared',
      columns: shownColumns.map((column) => ({ label: comparison.columnTitle(column) })),
      rows: shownRows.map((row) => ({ cells: shownColumns.map((column) => comparison.finishedRuns(row, column)[0] ?? null) })),
    }],
  }
}

/** Makes a figure of the grid and shows it where figures are composed. */
export function makeFigure(rows: readonly ComparisonRow[]): Promise<void> {
  return useFigures().compose(figureOf(rows), useComparison().board.name)
}

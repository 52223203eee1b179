import type { ComparisonColumn } from '#shared/contract/comparison.ts'

/** How a column's line and marker look, the same in all charts. */
export interface Look {
  /** A CSS colour. */
  colour: string
  /** For `stroke-dasharray`; '' for a whole line. */
  dash: string
  marker: 'circle' | 'square' | 'triangle' | 'diamond'
}

const colours = ['series-1', 'series-2', 'series-3', 'series-4', 'series-5', 'series-total'] as const
const dashes = ['', '5 3', '2 2', '7 2 2 2'] as const
const markers = ['circle', 'square', 'triangle', 'diamond'] as const

/** @param methods ids of all methods: each has its look through the whole study; columns of the same method differ by dash and marker */
export function lookOf(column: ComparisonColumn, columns: readonly ComparisonColumn[], methods: readonly string[]): Look {
  const same = columns.filter((other) => methodOf(other) === methodOf(column))
  const again = Math.max(0, same.findIndex((other) => other.id === column.id))
  const place = column.kind === 'maps' ? methods.length : Math.max(0, methods.indexOf(column.method))
  const style = (Math.floor(place / colours.length) + again) % dashes.length
  return { colour: `var(--${colours[(place + (again >= dashes.length ? 1 : 0)) % colours.length]!})`, dash: dashes[style]!, marker: markers[style]! }
}

function methodOf(column: ComparisonColumn): string {
  return column.kind === 'maps' ? '' : column.method
}

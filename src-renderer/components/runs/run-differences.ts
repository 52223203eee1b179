import type { MethodInfo } from '#shared/contract/models.ts'
import type { RunRow } from '#shared/contract/runs.ts'
import { countText, parameterName, secondsText, shareText, targetText, valueText } from './run-text.ts'

export interface Difference {
  name: string
  a: string
  b: string
}

/** What two runs differ in, then their numbers; what is the same in both stands only among the numbers. */
export function differencesOf(a: RunRow, b: RunRow, methods: readonly MethodInfo[]): Difference[] {
  const methodOf = (row: RunRow): MethodInfo | null => methods.find((m) => m.id === row.method) ?? null
  const pair = (name: string, of: (row: RunRow) => string): Difference => ({ name, a: of(a), b: of(b) })
  const settings = [
    pair('Image', (row) => row.image.name),
    pair('Model', (row) => row.model.name),
    pair('Method', (row) => methodOf(row)?.title ?? row.method),
    pair('Target', (row) => targetText(row.target)),
    pair('Seed', (row) => String(row.seed)),
    ...parameterNames(a, b).map((name) => ({
      name: parameterName(methodOf(a) ?? methodOf(b), name),
      a: valueText(methodOf(a), name, a.parameters[name]), b: valueText(methodOf(b), name, b.parameters[name]),
    })),
    pair('Changed on the way', (row) => (row.changes.length === 0 ? 'no' : row.changes.map((change) => `from ${change.iteration}`).join(', '))),
  ]
  const numbers = [
    pair('p masked', (row) => `${shareText(row.probability.masked)}${row.deletes ? ' without the mark' : ''}`),
    pair('Area', (row) => shareText(row.area)),
    pair('Steps', (row) => countText(row.iteration)),
    pair('Time', (row) => secondsText(row.seconds)),
  ]
  return [...settings.filter((entry) => entry.a !== entry.b), ...numbers]
}

function parameterNames(a: RunRow, b: RunRow): string[] {
  // Parameters of different methods cannot be held against each other.
  if (a.method !== b.method) return []
  return [...new Set([...Object.keys(a.parameters), ...Object.keys(b.parameters)])]
}

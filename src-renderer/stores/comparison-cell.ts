import type { RunRow } from '#shared/contract/runs.ts'

/** What stands in a cell; `empty`: nothing was asked for yet, `part`: of several seeds some are done. */
export type CellState = 'empty' | 'part' | RunRow['state']

/** The first of these that any of the cell's runs is in. */
const weightiest: readonly RunRow['state'][] = ['running', 'paused', 'queued', 'failed', 'interrupted', 'cancelled']

/** @param runs one per seed; null where none was asked for */
export function cellStateOf(runs: readonly (Pick<RunRow, 'state'> | null)[]): CellState {
  const found = weightiest.find((state) => runs.some((run) => run?.state === state))
  if (found) return found
  if (runs.every((run) => run?.state === 'finished')) return 'finished'
  return runs.some((run) => run !== null) ? 'part' : 'empty'
}

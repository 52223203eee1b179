import type { ComparisonBoard, ComparisonColumn, ComparisonRow } from '#shared/contract/comparison.ts'
import type { CellContent } from '../../stores/comparison.ts'
import { liveStates } from '../../stores/runs.ts'
import { progressShare } from '../runs/run-text.ts'

export interface Progress {
  /** Runs, not cells: a cell of several seeds has several. */
  all: number
  done: number
  live: number
  /** Neither finished nor under way. */
  open: number
  share: number
  /** Seconds; null while nothing is known to tell it from. */
  left: number | null
}

/** How far the runs of a grid are, and about how long the live ones still take: by what those of the same column took. */
export function progressOf({ rows, columns }: Pick<ComparisonBoard, 'rows' | 'columns'>, contentOf: (row: ComparisonRow, column: ComparisonColumn) => CellContent, atOnce: number): Progress {
  let [all, done, live, known, left] = [0, 0, 0, true, 0]
  let share = 0
  let running = 0
  for (const column of columns) {
    const runs = rows.flatMap((row) => contentOf(row, column).runs)
    const taken = runs.flatMap((run) => (run?.state === 'finished' && run.seconds !== null ? [run.seconds] : []))
    let usual = taken.length === 0 ? null : taken.reduce((sum, value) => sum + value, 0) / taken.length
    const going = runs.filter((run) => run !== null && liveStates.includes(run.state))
    for (const run of going) {
      const part = run && run.iteration > 0 ? progressShare(run) : null
      if (usual === null && part && run?.seconds) usual = run.seconds / part
      if (run?.state === 'running') running++
      share += part ?? 0
    }
    all += column.kind === 'maps' ? 0 : runs.length
    done += column.kind === 'maps' ? 0 : runs.filter((run) => run?.state === 'finished').length
    live += going.length
    if (going.length === 0) continue
    if (usual === null) known = false
    else for (const run of going) left += usual * (1 - (run && run.iteration > 0 ? progressShare(run) ?? 0 : 0))
  }
  const workers = Math.max(1, Math.min(running, atOnce))
  return { all, done, live, open: all - done - live, share: all === 0 ? 0 : (done + share) / all, left: live > 0 && known ? left / workers : null }
}

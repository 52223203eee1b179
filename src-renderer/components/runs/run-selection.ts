import { computed, ref, watch, type ComputedRef } from 'vue'
import type { RunRow } from '#shared/contract/runs.ts'
import { useRuns } from '../../stores/runs.ts'

export interface RunSelection {
  /** Every marked row, the selected one among them. */
  marked: ComputedRef<ReadonlySet<string>>
  /** The two that can be compared, the selected one first; null where not exactly two are marked. */
  pair: ComputedRef<readonly [string, string] | null>
  click(run: string, keys: { toggle: boolean; range: boolean }): void
  /** Moves the selection by rows; Infinity goes to the end. */
  move(by: number, keys: { range: boolean }): void
  all(): void
  /** Leaves only the selected row marked. */
  single(): void
  /** Marks another run beside the selected one. */
  beside(run: string): void
}

/** Which rows are marked, on top of the one run the window shows. @param shown rows in the order of the table */
export function useRunSelection(shown: ComputedRef<readonly RunRow[]>): RunSelection {
  const runs = useRuns()
  const extra = ref<readonly string[]>([])
  /** Where a range begins. */
  let anchor: string | null = null

  const marked = computed<ReadonlySet<string>>(() => {
    const set = new Set(extra.value.filter((run) => runs.rows.has(run)))
    if (runs.selected !== null) set.add(runs.selected)
    return set
  })
  const pair = computed(() => {
    const others = [...marked.value].filter((run) => run !== runs.selected)
    return runs.selected !== null && others.length === 1 ? [runs.selected, others[0]!] as const : null
  })
  watch(pair, (now) => (runs.other = now?.[1] ?? null))
  // A run that is selected elsewhere, e.g. a new one, stands alone.
  let byHand = false
  watch(() => runs.selected, () => {
    if (!byHand) extra.value = []
    byHand = false
  }, { flush: 'sync' })

  function select(run: string): void {
    byHand = run !== runs.selected
    runs.select(run)
  }

  function range(run: string): void {
    const from = shown.value.findIndex((row) => row.run === (anchor ?? runs.selected))
    const to = shown.value.findIndex((row) => row.run === run)
    if (to === -1) return
    const [a, b] = from === -1 ? [to, to] : [Math.min(from, to), Math.max(from, to)]
    select(run)
    extra.value = shown.value.slice(a, b + 1).map((row) => row.run)
  }

  function click(run: string, keys: { toggle: boolean; range: boolean }): void {
    if (keys.range) {
      anchor ??= runs.selected
      range(run)
    } else if (keys.toggle) {
      anchor = run
      if (marked.value.has(run) && marked.value.size > 1) {
        const rest = [...marked.value].filter((other) => other !== run)
        if (run === runs.selected) select(rest.at(-1)!)
        extra.value = rest
      } else {
        // The one that was shown stays the first of the two.
        extra.value = [...marked.value, run]
      }
    } else {
      anchor = run
      select(run)
      extra.value = []
    }
  }

  function move(by: number, keys: { range: boolean }): void {
    const at = shown.value.findIndex((row) => row.run === runs.selected)
    const to = Math.max(0, Math.min(shown.value.length - 1, at + by))
    const row = shown.value[to]
    if (row) click(row.run, { toggle: false, range: keys.range })
  }

  return {
    marked, pair, click, move,
    all: () => void (extra.value = shown.value.map((row) => row.run)),
    single: () => void (extra.value = []),
    beside: (run) => void (extra.value = [run]),
  }
}

import { computed, shallowReactive, watch, type ComputedRef } from 'vue'
import { sharedLimits, type Limits } from '#shared/imaging/normalisation.ts'
import { call } from '../../rpc.ts'
import { useComparison } from '../../stores/comparison.ts'
import { limitsOf, type Shared } from './cell-source.ts'

/** So many maps are read at a time. */
const atOnce = 4

/**
 * The limits that hold every map of the grid, while all share one scale. Each map is read once for them and not kept, since all
 * together need not fit into memory.
 */
export function useSharedByAll(): ComputedRef<Shared | null> {
  const comparison = useComparison()
  const known = shallowReactive(new Map<string, { signed: boolean; limits: Limits } | null>())
  const wanted = computed(() => (comparison.board.view.sharing === 'all' ? comparison.allCells.flatMap(({ row, column }) => comparison.finishedRuns(row, column)) : []))
  const name = (run: string): string => `${run} ${comparison.board.view.scale}`

  let busy = 0
  async function fill(): Promise<void> {
    while (busy < atOnce) {
      const run = wanted.value.find((one) => !known.has(name(one)))
      if (run === undefined) return
      const [key, scale] = [name(run), comparison.board.view.scale]
      known.set(key, null)
      busy++
      void call('comparisons.map', { run }).then(({ map, signed, range, mask }) => {
        known.set(key, { signed, limits: limitsOf({ map, kind: { signed, range, mask } }, scale) })
      }, () => undefined).finally(() => {
        busy--
        void fill()
      })
    }
  }
  watch([wanted, () => comparison.board.view.scale], () => void fill(), { immediate: true })

  return computed(() => {
    if (comparison.board.view.sharing !== 'all') return null
    const all = wanted.value.flatMap((run) => known.get(name(run)) ?? [])
    const of = (signed: boolean): Limits | null => {
      const own = all.filter((one) => one.signed === signed).map(({ limits }) => limits)
      return own.length === 0 ? null : sharedLimits(own)
    }
    return { signed: of(true), unsigned: of(false) }
  })
}

import { defineStore } from 'pinia'
import { computed, ref, shallowRef, watch as watchValue } from 'vue'
import type { RunRow } from '#shared/contract/runs.ts'
import type { MaskscopeError } from '#shared/domain/errors.ts'
import type { ParameterValue, ParameterValues } from '#shared/domain/parameters.ts'
import { call } from '../rpc.ts'
import { problemsOf, useOrder } from './order.ts'
import { useRuns } from './runs.ts'

/** Parameters of a paused run: what holds, and what is to hold from the next iteration on. */
export const useSteering = defineStore('steering', () => {
  const runs = useRuns()
  const order = useOrder()

  /** By run: what was set and is not applied yet. */
  const drafts = ref<Record<string, ParameterValues>>({})
  /** Why a text that was typed is no value, by the parameter's name. */
  const typed = ref<Record<string, string>>({})
  const refusal = shallowRef<MaskscopeError | null>(null)

  /** The selected run while it stands and its method is the one chosen. */
  const paused = computed<RunRow | null>(() => {
    const row = runs.current
    return row?.state === 'paused' && row.method === order.method?.id ? row : null
  })
  const inForce = computed<ParameterValues>(() => (paused.value ? parametersInForce(paused.value) : {}))
  const draft = computed<ParameterValues>(() => (paused.value ? drafts.value[paused.value.run] ?? {} : {}))
  const values = computed<ParameterValues>(() => ({ ...inForce.value, ...draft.value }))
  /** The first iteration that a change would hold for. */
  const from = computed(() => (paused.value?.iteration ?? 0) + 1)

  const problems = computed<Record<string, string>>(() => {
    const found = { ...(order.method ? problemsOf(order.method, draft.value) : {}), ...typed.value }
    const { subject, message } = refusal.value ?? {}
    if (subject !== undefined && message !== undefined && subject in values.value) found[subject] ??= message
    return found
  })
  const ready = computed(() => Object.keys(draft.value).length > 0 && Object.keys(problems.value).length === 0)

  function set(name: string, value: ParameterValue): void {
    const { [name]: _, ...rest } = draft.value
    replace(inForce.value[name] === value ? rest : { ...rest, [name]: value })
  }

  /** @param problem null: it is right again */
  function complain(name: string, problem: string | null): void {
    const { [name]: _, ...rest } = typed.value
    typed.value = problem === null ? rest : { ...rest, [name]: problem }
  }

  /** Back to what holds now. */
  function reset(name: string): void {
    const { [name]: _, ...rest } = draft.value
    replace(rest)
  }

  function replace(next: ParameterValues): void {
    refusal.value = null
    if (paused.value) drafts.value = { ...drafts.value, [paused.value.run]: next }
  }

  watchValue(() => paused.value?.run, () => (typed.value = {}))

  /** Never rejects: what went wrong stands in `refusal`. @returns whether it was applied */
  async function apply(): Promise<boolean> {
    const run = paused.value?.run
    if (run === undefined || !ready.value) return false
    refusal.value = null
    try {
      await call('runs.change', { run, parameters: { ...draft.value } })
    } catch (error) {
      refusal.value = error as MaskscopeError
      return false
    }
    const { [run]: _, ...rest } = drafts.value
    drafts.value = rest
    return true
  }

  return { paused, inForce, draft, values, from, problems, ready, refusal, set, complain, reset, apply }
})

/** With what was changed on the way. */
export function parametersInForce(row: Pick<RunRow, 'parameters' | 'changes'>): ParameterValues {
  return Object.assign({}, row.parameters, ...row.changes.map((change) => change.parameters)) as ParameterValues
}

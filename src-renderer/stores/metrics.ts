import { defineStore } from 'pinia'
import { ref, shallowReactive, shallowRef } from 'vue'
import type { MeasurementOfRun, MetricInfo } from '#shared/contract/metrics.ts'
import type { MaskscopeError } from '#shared/domain/errors.ts'
import { call } from '../rpc.ts'

/** What is measured of finished runs. */
export const useMetrics = defineStore('metrics', () => {
  const list = shallowRef<MetricInfo[]>([])
  const results = shallowReactive(new Map<string, MeasurementOfRun[]>())
  /** Being measured, by run: which metric now, how many are done, and of how many. */
  const measuring = shallowReactive(new Map<string, { now: string; done: number; all: number }>())
  const errors = shallowReactive(new Map<string, MaskscopeError>())
  /** A second classifier for the metrics that want one: a model's handle and its name. */
  const judge = shallowRef<{ model: string; name: string } | null>(null)
  const judgeError = ref<string | null>(null)
  const hands = new Map<string, AbortController>()

  async function begin(): Promise<void> {
    list.value = await call('metrics.list', {})
  }

  /** Of a finished run; never rejects. */
  async function read(run: string): Promise<void> {
    if (results.has(run)) return
    try {
      results.set(run, await call('metrics.ofRun', { run }))
    } catch (error) {
      errors.set(run, error as MaskscopeError)
    }
  }

  /** Each by itself, so that what is there is shown; those of the map alone take no time and go together. */
  function groupsOf(metrics: readonly string[]): string[][] {
    const ofMap = metrics.filter((id) => list.value.find((metric) => metric.id === id)?.cost === 'map')
    return [...(ofMap.length > 0 ? [ofMap] : []), ...metrics.filter((id) => !ofMap.includes(id)).map((id) => [id])]
  }

  /** Never rejects: what went wrong stands in `errors`, and what was measured until then stays. */
  async function measure(run: string, metrics: readonly string[]): Promise<void> {
    if (measuring.has(run) || metrics.length === 0) return
    const hand = new AbortController()
    hands.set(run, hand)
    errors.delete(run)
    let done = 0
    try {
      for (const group of groupsOf(metrics)) {
        measuring.set(run, { now: group[0]!, done, all: metrics.length })
        results.set(run, await call('metrics.measure', { run, metrics: group, judge: judge.value?.model ?? null }, { signal: hand.signal }))
        done += group.length
      }
    } catch (error) {
      if (!hand.signal.aborted) errors.set(run, error as MaskscopeError)
    } finally {
      measuring.delete(run)
      hands.delete(run)
    }
  }

  function cancel(run: string): void {
    hands.get(run)?.abort()
  }

  /** Opens a second classifier. */
  async function openJudge(from: { bundled: string } | { file: string }): Promise<void> {
    judgeError.value = null
    try {
      const opened = await call('models.open', { from, stated: {} })
      if (opened.state === 'open') judge.value = { model: opened.model, name: opened.info.name }
      else judgeError.value = opened.message
    } catch (error) {
      judgeError.value = (error as Error).message
    }
  }

  return { list, results, measuring, errors, judge, judgeError, begin, read, measure, cancel, openJudge }
})

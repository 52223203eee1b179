import { defineStore } from 'pinia'
import { computed, reactive, ref, shallowRef, watch as watchValue } from 'vue'
import type { BenchmarkPlan, WindowBenchmark } from '#shared/contract/benchmark.ts'
import type { DataSet } from '#shared/contract/models.ts'
import type { FileEntry } from '#shared/contract/system.ts'
import type { MaskscopeError } from '#shared/domain/errors.ts'
import { call } from '../rpc.ts'
import { useMetrics } from './metrics.ts'
import { useModels } from './models.ts'

/** A change is looked at so long after the last key, in ms. */
const planAfter = 250

/** What a small benchmark of the bundled model is made of: seconds of work, and every kind of number. */
export const demoBenchmark = {
  scenes: 'scenes:12@2000000', methods: ['gradient', 'integrated-gradients', 'grad-cam', 'edges'], metrics: ['average-precision', 'deletion', 'sparseness'],
} as const

/** Where a window keeps it, so that a reload finds it again. */
const kept = 'maskscope-benchmark-setup'

const usual = () => ({ scenes: 'scenes:40@2000000', methods: [] as string[], metrics: [] as string[], limit: 0, seed: 0, draws: 3, keepMaps: true, name: '' })

interface Kept {
  form: ReturnType<typeof usual>
  set: { data: DataSet; place: FileEntry } | null
  configurations: FileEntry | null
  place: FileEntry | null
}

function readKept(): Partial<Kept> {
  try {
    return JSON.parse(sessionStorage.getItem(kept) ?? '{}') as Partial<Kept>
  } catch {
    return {}
  }
}

/** The next benchmark, as it is being put together; what its fields mean the main side checks with every change. */
export const useBenchmarkSetup = defineStore('benchmark-setup', () => {
  const models = useModels()
  const metrics = useMetrics()

  const before = readKept()
  const form = reactive({ ...usual(), ...before.form })
  /** In place of scenes. */
  const set = shallowRef<Kept['set']>(before.set ?? null)
  const configurations = shallowRef<FileEntry | null>(before.configurations ?? null)
  /** In place of the usual one. */
  const place = shallowRef<FileEntry | null>(before.place ?? null)
  watchValue([form, set, configurations, place], () => sessionStorage.setItem(kept, JSON.stringify({ form, set: set.value, configurations: configurations.value, place: place.value } satisfies Kept)))
  const plan = shallowRef<BenchmarkPlan | null>(null)
  const planning = ref(false)
  const trying = ref(false)
  const starting = ref(false)
  const refusal = shallowRef<MaskscopeError | null>(null)
  /** Texts that are no values yet, by field. */
  const typed = ref<Record<string, string>>({})
  let hand: AbortController | null = null
  let latest = 0

  const order = computed<WindowBenchmark>(() => ({
    model: models.current?.model ?? null, judge: metrics.judge?.model ?? null,
    data: set.value ? { set: { ...set.value.data } } : { scenes: form.scenes },
    methods: [...form.methods], metrics: [...form.metrics], configurations: configurations.value?.handle ?? null, limit: form.limit === 0 ? null : form.limit,
    seed: form.seed, draws: form.draws, keepMaps: form.keepMaps, name: form.name, place: place.value?.handle ?? null,
  }))

  async function look(): Promise<void> {
    const turn = ++latest
    planning.value = true
    try {
      const found = await call('benchmark.plan', order.value)
      if (turn === latest) plan.value = found
    } catch (error) {
      if (turn === latest) refusal.value = error as MaskscopeError
    } finally {
      if (turn === latest) planning.value = false
    }
  }

  let wait: ReturnType<typeof setTimeout> | undefined
  /** Looks at every change from now on, until what it returns is called. */
  function follow(): () => void {
    const stop = watchValue(order, () => {
      refusal.value = null
      clearTimeout(wait)
      wait = setTimeout(() => void look(), planAfter)
    }, { deep: true })
    void look()
    return () => {
      stop()
      clearTimeout(wait)
    }
  }

  /** What is wrong with a field; null: nothing that is known. Fields that nobody has filled in yet are not wrong. */
  function problemOf(field: string): string | null {
    if (typed.value[field] !== undefined) return typed.value[field]
    const found = refusal.value ?? plan.value?.problem ?? null
    return found?.subject === field ? found.message : null
  }

  /** What belongs to no field. */
  const problem = computed(() => {
    const found = refusal.value ?? plan.value?.problem ?? null
    return found === null || fields.includes(found.subject ?? '') ? null : found.message
  })

  const ready = computed(() => !starting.value && !planning.value && plan.value?.problem === null && Object.keys(typed.value).length === 0)

  /** Never rejects: what goes wrong stands at its field. @returns the benchmark's handle, or null */
  async function start(): Promise<string | null> {
    starting.value = true
    refusal.value = null
    try {
      return (await call('benchmark.start', order.value)).benchmark
    } catch (error) {
      refusal.value = error as MaskscopeError
      return null
    } finally {
      starting.value = false
    }
  }

  /** Finds out what the methods take, by one image each. */
  async function tryOut(): Promise<void> {
    trying.value = true
    hand = new AbortController()
    try {
      await call('benchmark.try', order.value, { signal: hand.signal })
      await look()
    } catch (error) {
      if (!hand.signal.aborted) refusal.value = error as MaskscopeError
    } finally {
      trying.value = false
    }
  }

  /** @param problem null: it is right again */
  function complain(field: string, problem: string | null): void {
    const { [field]: _, ...rest } = typed.value
    typed.value = problem === null ? rest : { ...rest, [field]: problem }
  }

  /** The bundled model, its judge and a few scenes. */
  async function demo(): Promise<void> {
    Object.assign(form, { ...usual(), ...demoBenchmark, methods: [...demoBenchmark.methods], metrics: [...demoBenchmark.metrics] })
    set.value = null
    configurations.value = null
    place.value = null
    if (models.current?.info.name !== 'demo') await models.open({ bundled: 'demo' })
  }

  return {
    form, set, configurations, place, plan, planning, trying, starting, refusal, order, problem, ready,
    look, follow, problemOf, start, tryOut, complain, demo, stopTrying: (): void => hand?.abort(),
  }
})

const fields = ['model', 'judge', 'data', 'methods', 'metrics', 'configurations', 'limit', 'seed', 'draws', 'name']

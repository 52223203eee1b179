import { defineStore } from 'pinia'
import { computed, ref, shallowRef } from 'vue'
import type { LayersReport } from '#shared/contract/models.ts'
import { call } from '../rpc.ts'
import { useModels } from './models.ts'

/** The layers of the model that is open. */
export const useLayers = defineStore('layers', () => {
  const models = useModels()
  /** What was answered, and for which model. */
  const answer = shallowRef<{ model: string; report: LayersReport | null } | null>(null)
  const failure = shallowRef<{ model: string; message: string } | null>(null)
  const reading = ref<string | null>(null)

  const own = computed(() => (answer.value !== null && answer.value.model === models.current?.model ? answer.value : null))

  /** Asks once for each model; never rejects: what went wrong stands in `error`. */
  async function read(): Promise<void> {
    const model = models.current?.model
    if (model === undefined || own.value !== null || reading.value === model) return
    reading.value = model
    failure.value = null
    try {
      const { report } = await call('models.inspect', { model })
      // Another one may have been opened meanwhile.
      if (reading.value === model) answer.value = { model, report }
    } catch (error) {
      if (reading.value === model) failure.value = { model, message: (error as Error).message }
    } finally {
      if (reading.value === model) reading.value = null
    }
  }

  return {
    /** Null where it is not known yet, or where `opaque` says that there is none. */
    report: computed(() => own.value?.report ?? null),
    /** The model runs as its file is: it has no graph of ours. */
    opaque: computed(() => own.value !== null && own.value.report === null),
    error: computed(() => (failure.value !== null && failure.value.model === models.current?.model ? failure.value.message : null)),
    read,
  }
})

import { defineStore } from 'pinia'
import { computed, ref, shallowRef } from 'vue'
import type { IncompleteModel, OpenModel, Stated } from '#shared/contract/models.ts'
import { MaskscopeError } from '#shared/domain/errors.ts'
import { call } from '../rpc.ts'

export type ModelPlace = { bundled: string } | { file: string }

/** The classifier that is explained. */
export const useModels = defineStore('models', () => {
  const bundled = shallowRef<{ name: string; title: string; note: string }[]>([])
  const current = shallowRef<OpenModel | null>(null)
  /** Chosen, but some fact must be stated first; `current` stays usable meanwhile. */
  const incomplete = shallowRef<IncompleteModel | null>(null)
  const place = shallowRef<ModelPlace | null>(null)
  const stated = ref<Stated>({})
  const opening = ref(false)
  /** What runs it is being measured. */
  const choosing = ref(false)
  const error = shallowRef<MaskscopeError | null>(null)
  let latest = 0
  /** What is being opened. */
  let aim: { from: ModelPlace; facts: Stated } | null = null

  async function begin(): Promise<void> {
    bundled.value = await call('models.bundled', {})
  }

  /** Never rejects: what went wrong stands in `error`. */
  async function open(from: ModelPlace, facts: Stated = {}): Promise<void> {
    const turn = ++latest
    aim = { from, facts }
    opening.value = true
    error.value = null
    try {
      const answer = await call('models.open', { from, stated: facts })
      if (turn !== latest) return
      place.value = from
      stated.value = facts
      if (answer.state === 'open') {
        current.value = answer
        incomplete.value = null
      } else incomplete.value = answer
    } catch (caught) {
      if (turn === latest) error.value = caught as MaskscopeError
    } finally {
      if (turn === latest) {
        opening.value = false
        aim = null
      }
    }
  }

  /** States facts of the model at hand and reads it again with them. */
  async function state(facts: Stated): Promise<void> {
    const from = place.value
    // While another model is on its way, what is stated belongs to neither.
    if (!from || (aim && aim.from !== from)) return
    // Several facts in quick succession add up, also before the first is answered.
    await open(from, { ...(aim?.facts ?? stated.value), ...facts })
  }

  /** Takes over a model that the main side has opened with a run. */
  function adopt(model: OpenModel): void {
    dismiss()
    place.value = null
    stated.value = model.stated
    current.value = model
  }

  /** Asks what runs the model from now on. @throws MaskscopeError 'unavailable' where what is asked for cannot */
  async function chooseExecutor(): Promise<void> {
    const opened = current.value
    if (!opened) return
    choosing.value = true
    try {
      const executor = await call('models.choose', { model: opened.model })
      if (current.value?.model === opened.model) current.value = { ...current.value, info: { ...current.value.info, executor } }
    } finally {
      choosing.value = false
    }
  }

  /** Gives up a model that was never completed. */
  function dismiss(): void {
    latest++
    aim = null
    opening.value = false
    incomplete.value = null
    error.value = null
  }

  /** @returns where the card lies now, and what it holds */
  async function saveCard(): Promise<{ file: string; card: string }> {
    if (!current.value) throw new MaskscopeError('usage', 'There is no model to save a card for.')
    const saved = await call('models.saveCard', { model: current.value.model })
    current.value = { ...current.value, cardless: false }
    return saved
  }

  return { bundled, current, incomplete, place, stated, opening, choosing, error, info: computed(() => current.value?.info ?? null), begin, open, state, adopt, chooseExecutor, dismiss, saveCard }
})

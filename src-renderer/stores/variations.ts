import { defineStore } from 'pinia'
import { computed, ref, shallowReactive, shallowRef, watch } from 'vue'
import type { VariationOrder, WindowClassView, WindowVariations } from '#shared/contract/reconstruction.ts'
import { MaskscopeError } from '#shared/domain/errors.ts'
import { call } from '../rpc.ts'
import { useReconstructions } from './reconstruction.ts'

export type VariationMode = VariationOrder['kind']
export type VariationFilter = 'all' | 'accepted' | 'refused'

export interface TestImage {
  image: number
  label: string | null
  thumbnail: Uint8Array<ArrayBuffer>
}

/** Images that are shown to choose from at a time. */
export const pageSize = 24
/** A slider that is dragged asks once it rests. */
const restMs = 180

/** What is looked at of a trained generator: one image and its variations, or a class. */
export const useVariations = defineStore('variations', () => {
  const reconstructions = useReconstructions()

  const first = ref(0)
  const page = shallowRef<TestImage[]>([])
  const image = ref(0)
  const other = ref(1)
  const mode = ref<VariationMode>('posterior')
  const temperature = ref(1)
  const count = ref(24)
  const seed = ref(1)
  const margin = ref<number | null>(null)
  const pinned = ref(false)
  const dimension = ref<number | null>(null)
  const classChosen = ref(0)
  const filter = ref<VariationFilter>('all')

  const result = shallowRef<WindowVariations | null>(null)
  const busy = ref(false)
  const error = shallowRef<MaskscopeError | null>(null)

  /** The one that is looked at, once it can be sampled from. */
  const name = computed(() => (reconstructions.current?.generator ? reconstructions.current.reconstruction : null))
  const test = computed(() => (name.value === null ? 0 : reconstructions.details.get(name.value)?.test ?? 0))

  const asOrder = computed<VariationOrder | null>(() => (name.value === null || test.value === 0 ? null : {
    reconstruction: name.value, image: image.value, kind: mode.value, temperature: temperature.value, seed: seed.value, margin: margin.value, pinned: pinned.value,
    count: mode.value === 'interpolation' || mode.value === 'traversal' ? stripLength : count.value,
    ...(mode.value === 'interpolation' ? { other: other.value } : {}),
    ...(mode.value === 'traversal' && dimension.value !== null ? { dimension: dimension.value } : {}),
    ...(mode.value === 'prior' ? { class: classChosen.value } : {}),
  }))

  let hand: AbortController | undefined
  let timer: ReturnType<typeof setTimeout> | undefined

  /** Asks for what is chosen; an answer to an earlier question is dropped. */
  async function sample(order: VariationOrder): Promise<void> {
    hand?.abort()
    const mine = hand = new AbortController()
    busy.value = true
    error.value = null
    try {
      const answer = await call('reconstructions.vary', order, { signal: mine.signal })
      if (hand === mine) result.value = answer
    } catch (caught) {
      if (hand === mine) error.value = caught as MaskscopeError
    } finally {
      if (hand === mine) busy.value = false
    }
  }

  function stop(): void {
    hand?.abort()
    hand = undefined
    busy.value = false
    error.value = new MaskscopeError('cancelled', 'Stopped. Change anything, or draw anew, to go on.')
  }

  const shown = computed(() => reconstructions.tab === 'variations')
  watch([asOrder, shown], ([order, on]) => {
    clearTimeout(timer)
    if (order && on) timer = setTimeout(() => void sample(order), restMs)
  })
  watch([name, first, test], async ([chosen, from, all]) => {
    if (chosen === null || all === 0) return void (page.value = [])
    try {
      const found = await call('reconstructions.images', { reconstruction: chosen, first: from, count: pageSize })
      if (name.value === chosen && first.value === from) page.value = found
    } catch (caught) {
      error.value = caught as MaskscopeError
    }
  })
  watch(name, () => {
    [first.value, image.value, other.value] = [0, 0, 1]
    result.value = null
    if (mode.value === 'prior') mode.value = 'posterior'
    views.clear()
  })

  /** Classes that were looked at, by class. */
  const views = shallowReactive(new Map<number, WindowClassView>())
  const viewing = ref<number | null>(null)
  const viewError = shallowRef<MaskscopeError | null>(null)
  let viewHand: AbortController | undefined

  async function look(of: number): Promise<void> {
    classChosen.value = of
    viewError.value = null
    viewHand?.abort()
    viewing.value = null
    if (name.value === null || views.has(of)) return
    const mine = viewHand = new AbortController()
    viewing.value = of
    try {
      const answer = await call('reconstructions.classView', { reconstruction: name.value, class: of, temperature: 1, seed: seed.value }, { signal: mine.signal })
      views.set(of, answer)
    } catch (caught) {
      if (viewHand === mine) viewError.value = caught as MaskscopeError
    } finally {
      if (viewHand === mine) viewing.value = null
    }
  }

  function turn(by: number): void {
    first.value = Math.max(0, Math.min(Math.max(0, test.value - 1), first.value + by * pageSize))
  }

  /** The image before or after, and the page that it is on. */
  function step(by: number): void {
    image.value = Math.max(0, Math.min(test.value - 1, image.value + by))
    first.value = Math.floor(image.value / pageSize) * pageSize
  }

  function drawAnew(): void {
    seed.value = 1 + Math.floor(Math.random() * 99_999)
  }

  return {
    first, page, image, other, mode, temperature, count, seed, margin, pinned, dimension, classChosen, filter, result, busy, error, name, test, asOrder,
    views, viewing, viewError, stop, look, turn, step, drawAnew,
  }
})

/** Pictures of a strip. */
const stripLength = 11

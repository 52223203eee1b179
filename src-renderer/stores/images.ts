import { defineStore } from 'pinia'
import { computed, ref, shallowRef, watch as watchValue } from 'vue'
import type { ClassScore, DataSet, OpenImage } from '#shared/contract/models.ts'
import type { MaskscopeError } from '#shared/domain/errors.ts'
import type { View } from '#shared/domain/image.ts'
import { call } from '../rpc.ts'
import { useModels } from './models.ts'

export type ImagePlace = { file: string } | { scene: string } | { data: DataSet; indices: number[] } | { name: string; bytes: Uint8Array<ArrayBuffer> }

/** What the model says of the current image. */
export interface Reading {
  view: View
  top: ClassScore[]
}

/** The images at hand, the latest first, and the one that is looked at. */
export const useImages = defineStore('images', () => {
  const list = shallowRef<OpenImage[]>([])
  const chosen = ref<string | null>(null)
  const current = computed(() => list.value.find((image) => image.image === chosen.value) ?? null)
  const opening = ref(false)
  const error = shallowRef<MaskscopeError | null>(null)

  const reading = shallowRef<Reading | null>(null)
  const readingError = shallowRef<MaskscopeError | null>(null)
  let asked = 0

  /** Never rejects: what went wrong stands in `error`; the image before stays. */
  async function open(from: ImagePlace): Promise<void> {
    opening.value = true
    error.value = null
    try {
      adopt(await call('images.open', { from }))
    } catch (caught) {
      error.value = caught as MaskscopeError
    } finally {
      opening.value = false
    }
  }

  /** Puts what the main side has opened before the others and looks at the first. */
  function adopt(opened: readonly OpenImage[]): void {
    const known = new Set(opened.map((image) => image.image))
    list.value = [...opened, ...list.value.filter((image) => !known.has(image.image))]
    chosen.value = opened[0]?.image ?? chosen.value
  }

  function choose(image: string): void {
    chosen.value = image
  }

  /** Removes it from the list, not from any study or disk. @returns what brings it back */
  function remove(image: string): () => void {
    const at = list.value.findIndex((entry) => entry.image === image)
    const entry = list.value[at]
    if (!entry) return () => undefined
    list.value = list.value.filter((other) => other !== entry)
    const wasChosen = chosen.value === image
    if (wasChosen) chosen.value = list.value[Math.min(at, list.value.length - 1)]?.image ?? null
    return () => {
      list.value = list.value.toSpliced(Math.min(at, list.value.length), 0, entry)
      if (wasChosen) chosen.value = image
    }
  }

  const models = useModels()

  /** Asks the model anew; the answer to an earlier question is dropped. */
  async function read(): Promise<void> {
    const turn = ++asked
    readingError.value = null
    const model = models.current
    const image = current.value
    if (!model || !image) {
      reading.value = null
      return
    }
    try {
      const answer = await call('images.classify', { model: model.model, image: image.image, top: 5 })
      if (turn === asked) reading.value = answer
    } catch (caught) {
      if (turn !== asked) return
      reading.value = null
      readingError.value = caught as MaskscopeError
    }
  }
  watchValue([() => models.current, current], () => void read())

  return { list, chosen, current, opening, error, reading, readingError, open, adopt, choose, remove, read }
})

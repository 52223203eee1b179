import { computed, shallowRef, watch as watchValue, type ComputedRef, type ShallowRef } from 'vue'
import type { MaskscopeError } from '#shared/domain/errors.ts'
import type { View } from '#shared/domain/image.ts'
import type { Pixels } from '#shared/imaging/layers.ts'
import { call } from '../../rpc.ts'
import { useImages } from '../../stores/images.ts'
import { useRuns } from '../../stores/runs.ts'
import { useStage } from '../../stores/stage.ts'
import { decodePicture, seenFrom, type StagePicture } from './picture.ts'

/** What stands where a run's mask hides the picture. */
export interface RunInputs {
  seen: Pixels
  fill: Pixels | null
  fillName: string
}

export interface StageSubject {
  /** What a person calls the picture; null: nothing is open. */
  name: ComputedRef<string | null>
  view: ComputedRef<View | null>
  picture: ShallowRef<StagePicture | null>
  inputs: ShallowRef<RunInputs | null>
  error: ShallowRef<MaskscopeError | null>
}

/** Decoded pictures are kept so that blinking and going back are instant. */
const kept = 6

/** The picture on the stage: of the run that is shown, or the image that the next one would explain. */
export function useSubject(): StageSubject {
  const runs = useRuns()
  const images = useImages()
  const stage = useStage()
  const picture = shallowRef<StagePicture | null>(null)
  const inputs = shallowRef<RunInputs | null>(null)
  const error = shallowRef<MaskscopeError | null>(null)
  const pictures = new Map<string, Promise<StagePicture>>()
  const inputsOf = new Map<string, Promise<RunInputs>>()

  const run = computed(() => (stage.shownRun === null ? null : runs.rows.get(stage.shownRun) ?? null))
  const image = computed(() => (stage.shownRun === null ? images.current : null))
  const name = computed(() => run.value?.image.name ?? image.value?.name ?? null)
  const view = computed<View | null>(() => {
    if (stage.shownRun !== null) return runs.details.get(stage.shownRun)?.view ?? null
    const reading = images.reading?.view
    const shown = image.value
    // While another image is being read, the answer still belongs to the one before.
    return reading && shown && reading.picture.width === shown.width && reading.picture.height === shown.height ? reading : null
  })
  const key = computed(() => (run.value ? `run ${run.value.run}` : image.value ? `image ${image.value.image}` : null))

  watchValue(key, async (now) => {
    error.value = null
    // Never another's picture below this one's mask; what is kept is back before the next frame is drawn.
    picture.value = null
    if (now === null) return
    const id = now.slice(now.indexOf(' ') + 1)
    try {
      const found = await remembered(pictures, now, async () =>
        decodePicture((await (now.startsWith('run ') ? call('runs.picture', { run: id }) : call('images.picture', { image: id }))).png))
      if (key.value === now) picture.value = found
    } catch (caught) {
      if (key.value === now) error.value = caught as MaskscopeError
    }
  }, { immediate: true })

  /** Known once a worker has taken the run. */
  const ready = computed(() => (run.value && run.value.state !== 'queued' && view.value && picture.value ? run.value.run : null))
  watchValue([ready, picture], async ([id]) => {
    const seen = view.value
    inputs.value = null
    if (id === null || !seen || !picture.value) return
    try {
      const found = await remembered(inputsOf, id, () => call('runs.inputs', { run: id }))
      if (ready.value === id) inputs.value = found
    } catch {
      // E.g. the model is gone: the picture itself shows nearly the same, and no baseline.
      if (ready.value === id && picture.value) inputs.value = { seen: seenFrom(picture.value, seen), fill: null, fillName: '' }
    }
  }, { immediate: true })

  return { name, view, picture, inputs, error }
}

/** What failed is asked for again next time. */
function remembered<T>(store: Map<string, Promise<T>>, key: string, make: () => Promise<T>): Promise<T> {
  const known = store.get(key)
  if (known) return known
  if (store.size >= kept) store.delete(store.keys().next().value!)
  const made = make()
  store.set(key, made)
  made.catch(() => store.delete(key))
  return made
}

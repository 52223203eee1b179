import { defineStore } from 'pinia'
import { computed, reactive, ref, shallowRef } from 'vue'
import type { ChoosePurpose, FileEntry } from '#shared/contract/system.ts'
import { MaskscopeError } from '#shared/domain/errors.ts'
import { call, useHost } from '../rpc.ts'
import { useBenchmarks } from './benchmark.ts'
import { useDialogs } from './dialogs.ts'
import { useImages } from './images.ts'
import { useModels } from './models.ts'
import { useNotices } from './notices.ts'
import { useSession } from './session.ts'
import { useStudies } from './studies.ts'
import { viewShown } from './views.ts'

export type Purpose = ChoosePurpose

/** What a picture from the clipboard may weigh; larger ones are sent as files. */
const mostPasted = 64 << 20

/** How files get in: by dialog, by drop, by paste. */
export const useFiles = defineStore('files', () => {
  const session = useSession()
  const dialogs = useDialogs()
  const notices = useNotices()
  const models = useModels()
  const images = useImages()
  const studies = useStudies()

  /** What the page's own chooser is asked for. */
  const asked = shallowRef<{ purpose: Purpose; answer(files: FileEntry[]): void } | null>(null)
  /** Files on their way to the main side; the latest last. */
  const ways = ref<{ what: string; share: number; stop(): void }[]>([])
  const sending = computed(() => ways.value.at(-1) ?? null)

  /** By native dialog or the page's own chooser. @returns empty where it was closed */
  async function choose(purpose: Purpose): Promise<FileEntry[]> {
    if (session.hello?.nativeDialogs) return call('files.choose', { purpose })
    asked.value?.answer([])
    return new Promise((resolve) => {
      asked.value = { purpose, answer: resolve }
      dialogs.show('chooser')
    })
  }

  /** The chooser's answer; empty: it was closed. */
  function answer(files: FileEntry[]): void {
    const waiting = asked.value
    asked.value = null
    if (dialogs.open === 'chooser') dialogs.close()
    waiting?.answer(files)
  }

  /** Asks for files and opens them. */
  async function chooseAndOpen(purpose: Purpose): Promise<void> {
    await open(await choose(purpose))
  }

  /**
   * Makes files known to the main side, shows how far that is.
   * @returns what they are there; empty where it failed or was stopped, which has been told then
   */
  async function give(given: DataTransfer | readonly File[]): Promise<FileEntry[]> {
    const files = Array.isArray(given) ? (given as readonly File[]) : [...(given as DataTransfer).files]
    const stop = new AbortController()
    const what = files.length === 1 ? files[0]!.name : `${files.length} files`
    const way = reactive({ what, share: 0, stop: () => stop.abort() })
    // At once: also the first piece can be long on its way, and be stopped.
    ways.value = [...ways.value, way]
    // What is dropped may be read only until this turn ends, so nothing is awaited before.
    const answer = useHost().give(given, {
      signal: stop.signal,
      onProgress: (share) => void (way.share = share),
    })
    try {
      return await answer
    } catch (error) {
      notices.fail(error)
      return []
    } finally {
      ways.value = ways.value.filter((other) => other !== way)
    }
  }

  /** Opens what was dropped or pasted. */
  async function take(given: DataTransfer | readonly File[]): Promise<void> {
    await open(await give(given))
  }

  /** A view that takes some files for itself, and gives back what is left. */
  let claiming: ((files: readonly FileEntry[]) => Promise<FileEntry[]>) | null = null
  /** @returns what ends it */
  function claim(taker: (files: readonly FileEntry[]) => Promise<FileEntry[]>): () => void {
    claiming = taker
    return () => {
      if (claiming === taker) claiming = null
    }
  }

  /** Each goes where its kind belongs; never rejects. */
  async function open(given: readonly FileEntry[]): Promise<void> {
    const files = claiming ? await claiming(given) : given
    const of = (...kinds: FileEntry['kind'][]): FileEntry[] => files.filter((file) => kinds.includes(file.kind))
    const [model, ...moreModels] = of('model')
    const [study] = of('study')
    const [labels] = of('labels')
    const [bench] = of('benchmark')
    if (study) await studies.open(study.handle)
    if (bench) await openBenchmark(bench.handle)
    if (model) await models.open({ file: model.handle })
    if (labels) await openLabels(labels)
    await openImages(of('image', 'folder'))
    if (moreModels.length > 0) notices.say(`One model is open at a time: ${model!.name} was taken, the other ${moreModels.length === 1 ? 'one' : moreModels.length} not.`)
    // Weights and cards are read with their model.
    const left = of('other', 'card').filter((file) => !(model && (file.kind === 'card' || isWeights(file.name))))
    if (left.length > 0) notices.fail(new MaskscopeError('input', unknownText(left)))
  }

  async function openBenchmark(folder: string): Promise<void> {
    viewShown.value = 'benchmark'
    await useBenchmarks().open(folder)
  }

  async function openLabels(labels: FileEntry): Promise<void> {
    if (!models.place) return notices.fail(new MaskscopeError('input', `${labels.name} looks like a list of class labels, and no model is open. Open the model first, then drop the labels.`))
    await models.state({ labels: labels.handle })
    if (models.error) notices.fail(models.error)
  }

  /** The first of them ends up in front, and is the one looked at. */
  async function openImages(files: readonly FileEntry[]): Promise<void> {
    for (const file of files.toReversed()) {
      await images.open({ file: file.handle })
      // The place of the error holds only the latest.
      if (files.length > 1 && images.error) notices.fail(images.error)
    }
  }

  /** A picture from the clipboard, or files that were copied in a file manager. */
  async function paste(files: readonly File[]): Promise<void> {
    const pictures = files.filter((file) => file.type.startsWith('image/') && file.size <= mostPasted)
    const others = files.filter((file) => !pictures.includes(file))
    for (const picture of pictures) {
      await images.open({ name: picture.name === 'image.png' ? 'Pasted image' : picture.name, bytes: new Uint8Array(await picture.arrayBuffer()) })
    }
    if (others.length > 0) await take(others)
  }

  return { asked, sending, claim, choose, answer, chooseAndOpen, give, take, open, paste, stop: (): void => sending.value?.stop() }
})

/** Also by the names that ONNX gives what lies beside the model. */
function isWeights(name: string): boolean {
  return /\.bin$|\.data$|\.weights?$|\.onnx[._-]?data$/i.test(name)
}

function unknownText(files: readonly FileEntry[]): string {
  const names = files.slice(0, 3).map((file) => file.name).join(', ')
  const rest = files.length > 3 ? ` and ${files.length - 3} more` : ''
  const card = files.every((file) => file.kind === 'card')
  if (card) return `${names} is a model card. It is read together with its model: open the folder that holds both.`
  if (files.every((file) => isWeights(file.name))) return `${names}${rest} holds weights. They are read together with the model.json or .onnx file that names them: drop both, or the folder they lie in.`
  return `${names}${rest}: this is no image, model, study or list of labels. Maskscope opens PNG, JPEG, WebP, TIFF and similar images, ONNX models, TensorFlow.js models with their weights, its own studies, and labels as .txt or .csv.`
}

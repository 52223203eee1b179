import path from 'node:path'
import { findMethod } from '#engine/methods/registry.ts'
import type { Pool } from '#pool/pool.ts'
import {
  emptyBoard, type CellMap, type CellOrder, type ComparisonBoard, type ComparisonImage, type ComparisonModel, type OpenedComparison, type RowReading,
} from '#shared/contract/comparison.ts'
import { MaskscopeError } from '#shared/domain/errors.ts'
import { resolveParameters } from '#shared/domain/parameters.ts'
import { isMask } from '#shared/figure/map-kind.ts'
import type { ComparisonFile, StoredImage, StoredModel } from '#storage/comparisons.ts'
import { classifyItem } from '../classify.ts'
import type { OpenImages } from '../open-images.ts'
import { labelText } from '../open-data.ts'
import type { OpenModels } from '../open-models.ts'
import { noSuchRun } from '../run-board.ts'
import type { RunOrder } from '../runs.ts'
import type { OpenedStudy, StudyKeeper } from '../study-keeper.ts'
import { createComparisonBook, imageKey, modelKey, type ComparisonBook } from './book.ts'
import { createComparisonSources, type ComparisonSources } from './sources.ts'

/** The comparisons of the study that is shown. */
export interface Comparisons {
  list(): Promise<{ comparison: string; name: string }[]>
  open(id: string | null): Promise<OpenedComparison>
  create(board: ComparisonBoard): Promise<string>
  save(id: string, board: ComparisonBoard): Promise<void>
  /** It can be brought back until the study is closed. */
  remove(id: string): Promise<void>
  restore(id: string): Promise<void>
  addImages(id: string, images: readonly string[]): Promise<ComparisonImage[]>
  addModel(id: string, model: string): Promise<ComparisonModel>
  picture(id: string, image: string, side: number): Promise<Uint8Array<ArrayBuffer>>
  classes(id: string, image: string, model: string, top: number): Promise<RowReading>
  run(id: string, cells: readonly CellOrder[]): Promise<string[]>
  steer(runs: readonly string[], to: 'pause' | 'resume' | 'cancel'): Promise<void>
  map(run: string): Promise<CellMap>
  /** What the other parts of the service work with. */
  at(id: string): Promise<ComparisonPlace>
}

/** A comparison with the study it lies in. */
export interface ComparisonPlace {
  opened: OpenedStudy
  book: ComparisonBook
  sources: ComparisonSources
  file: ComparisonFile
}

export interface ComparisonsOptions {
  keeper: StudyKeeper
  models: OpenModels
  images: OpenImages
  pool: Pick<Pool, 'classify'>
}

export function createComparisons({ keeper, models, images, pool }: ComparisonsOptions): Comparisons {
  const rooms = new WeakMap<OpenedStudy, { book: ComparisonBook; sources: ComparisonSources }>()

  function roomOf(opened: OpenedStudy): { book: ComparisonBook; sources: ComparisonSources } {
    const { folder } = opened.study
    const room = rooms.get(opened) ?? { book: createComparisonBook(folder), sources: createComparisonSources(folder, models) }
    rooms.set(opened, room)
    return room
  }

  async function at(id: string): Promise<ComparisonPlace> {
    const { opened } = await keeper.current()
    if (!opened) throw new MaskscopeError('usage', 'This comparison is not in the study that is open; open it again.', { subject: 'comparison' })
    const room = roomOf(opened)
    return { opened, ...room, file: await room.book.read(id) }
  }

  /** The run as it is asked for; all that can be known to be wrong is refused before anything is queued. */
  async function orderOf({ sources, file }: ComparisonPlace, cell: CellOrder): Promise<RunOrder> {
    const method = findMethod(cell.method)
    resolveParameters(method, cell.parameters)
    const [{ source, info, place, options }, item] = await Promise.all([sources.model(file, cell.model), sources.item(file, cell.image)])
    if (method.access === 'gradient' && info.access !== 'gradient') {
      throw new MaskscopeError('unavailable', `${method.title} needs gradients, which the model ${info.name} does not give; take the column out, or choose another model for the row.`, { subject: 'method' })
    }
    if (cell.target !== 'auto' && cell.target >= info.classes) {
      throw new MaskscopeError('usage', `Class ${cell.target} is out of range: ${info.name} has the classes 0 to ${info.classes - 1}.`, { subject: 'target' })
    }
    return {
      model: { source, place, stated: options }, item, method: method.id, parameters: cell.parameters, seed: cell.seed, target: cell.target,
      executor: info.executor, live: true, lane: cell.lane,
    }
  }

  return {
    at,
    async list() {
      const { opened } = await keeper.current()
      return opened ? (await roomOf(opened).book.list()).map(({ comparison, name }) => ({ comparison, name })) : []
    },
    async open(id) {
      const { opened } = await keeper.current()
      const latest = opened && id === null ? (await roomOf(opened).book.list()).sort((a, b) => (a.changed < b.changed ? 1 : -1))[0]?.comparison : id
      if (!opened || latest === undefined || latest === null) return { comparison: null, board: emptyBoard('Comparison'), images: [], models: [], runs: {} }
      const { board, images: stored, models: known, runs } = await roomOf(opened).book.read(latest)
      return {
        comparison: latest, board, runs,
        images: Object.entries(stored).map(([key, image]) => shownImage(key, image)),
        models: Object.entries(known).map(([key, { name, sha256 }]) => ({ key, name, sha256 })),
      }
    },
    create: async (board) => roomOf(await keeper.forWriting()).book.create(board),
    save: async (id, board) => (await at(id)).book.change(id, () => ({ board })),
    remove: async (id) => (await at(id)).book.remove(id),
    async restore(id) {
      const { opened } = await keeper.current()
      if (!opened) throw new MaskscopeError('usage', 'This comparison is not in the study that is open; open it again.', { subject: 'comparison' })
      await roomOf(opened).book.restore(id)
    },
    async addImages(id, handles) {
      const { opened, book } = await at(id)
      const added: Record<string, StoredImage> = {}
      for (const handle of handles) {
        const { item, kind, name } = images.get(handle)
        const { bytes, format, picture, label, truth } = await images.load(handle)
        const stored = await opened.study.storeInput(bytes, format)
        const image: StoredImage = {
          name, shown: kind, kind: item.kind, reference: item.reference, member: item.member ?? null, ...stored, width: picture.width, height: picture.height,
          label: labelText(label), truth: truth !== undefined,
        }
        added[imageKey(image)] = image
      }
      await book.change(id, (file) => ({ images: { ...file.images, ...added } }))
      return Object.entries(added).map(([key, image]) => shownImage(key, image))
    },
    async addModel(id, handle) {
      const { book } = await at(id)
      const { source, info, place, options } = await models.get(handle)
      const { card, fit, range, mean, std, labels, inputScale } = options
      const model: StoredModel = {
        name: info.name, sha256: source.sha256, place,
        stated: { card, fit, range: range && [...range], mean: mean && [...mean], std: std && [...std], labels, inputScale },
      }
      const key = modelKey(model)
      await book.change(id, (file) => ({ models: { ...file.models, [key]: model } }))
      return { key, name: model.name, sha256: model.sha256 }
    },
    async picture(id, image, side) {
      const { sources, file } = await at(id)
      return sources.picture(file, image, side)
    },
    async classes(id, image, model, top) {
      const { sources, file } = await at(id)
      const [classifier, item] = await Promise.all([sources.model(file, model), sources.item(file, image)])
      const answer = await classifyItem(pool, classifier, await item.load(), top)
      return { view: answer.view, top: answer.top.map(({ index, label, probability }) => ({ index, label, probability })) }
    },
    async run(id, cells) {
      const place = await at(id)
      const orders: RunOrder[] = []
      for (const cell of cells) orders.push(await orderOf(place, cell))
      const ids = orders.map((order) => place.opened.runs.submit(order).id)
      await place.book.change(id, (file) => ({ runs: { ...file.runs, ...Object.fromEntries(cells.map(({ key }, i) => [key, ids[i]!])) } }))
      return ids
    },
    async steer(ids, to) {
      const { opened } = await keeper.current()
      // The last first: whoever pauses or cancels all does not want the next one to begin meanwhile.
      for (const run of to === 'resume' ? ids : [...ids].reverse()) opened?.runs[to](run)
    },
    async map(run) {
      const { opened } = await keeper.current()
      if (!opened) throw noSuchRun(run)
      const stored = await opened.study.readRun(run)
      const { order, signed, range } = stored.manifest
      const { height, width, data } = await stored.own()
      return { map: { height, width, data: Float32Array.from(data) }, view: order.view, signed, range: [...range], mask: isMask(stored.manifest) }
    },
  }
}

function shownImage(key: string, { name, shown, width, height, label, truth }: StoredImage): ComparisonImage {
  return { key, name: path.basename(name), kind: shown, width, height, label, truth }
}

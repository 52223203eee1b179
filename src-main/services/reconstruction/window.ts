import { readdir } from 'node:fs/promises'
import path from 'node:path'
import { findMethod, methods } from '#engine/methods/registry.ts'
import type { Pool } from '#pool/pool.ts'
import type { Output } from '#shared/contract/define.ts'
import type { ReconstructionData, reconstructions as contract, VariationOrder, WindowReconstructionOrder } from '#shared/contract/reconstruction.ts'
import { MaskscopeError } from '#shared/domain/errors.ts'
import { resolveParameters, type ParameterValues } from '#shared/domain/parameters.ts'
import { generatorSchema, nearestSize } from '#shared/domain/reconstruction.ts'
import { reconstructionFiles } from '#storage/reconstructions.ts'
import type { DataItem } from '../datasets.ts'
import { resolveWithin, type Reach } from '../datasets/reach.ts'
import type { Handles } from '../handles.ts'
import { loadModel, type ModelOptions } from '../models.ts'
import { itemName, labelText } from '../open-data.ts'
import type { ModelAtHand, OpenModels } from '../open-models.ts'
import type { OpenedStudy, StudyKeeper } from '../study-keeper.ts'
import { pngWithin } from '../thumbnails.ts'
import type { AskedReconstruction, StatedModel } from './order.ts'
import { partsOf } from './parts.ts'
import { readSalientSet } from './salient-chunks.ts'
import { groundOf } from './salient-images.ts'
import { defaultSalientMethod, salientParameters, type Ground } from './salient-methods.ts'
import { createReconstructions } from './reconstructions.ts'
import { reconstructCommand, varyCommand } from './reconstruct-command.ts'
import { createReconstructionBoard, type ReconstructionBoard } from './window-board.ts'
import { createLooks, requestOf, type Subject } from './window-looks.ts'
import { readDetail, samplesOfEpoch, zippedGenerator } from './window-read.ts'

type Calls = typeof contract.calls

export interface WindowReconstructionsOptions {
  pool: Pool
  handles: Handles
  models: OpenModels
  keeper: StudyKeeper
  /** null: every file may be read. */
  reach: Reach | null
}

/** What the window asks of reconstructions. */
export type WindowReconstructions = ReturnType<typeof createWindowReconstructions>

/** For pictures that nobody has chosen a model for yet. */
const usualSize = { height: 28, width: 28, channels: 1 }
/** Shown of a data set that was chosen. */
const mostFirst = 8

export function createWindowReconstructions({ pool, handles, models, keeper, reach }: WindowReconstructionsOptions) {
  const boards = new Map<OpenedStudy, ReconstructionBoard>()
  const looks = createLooks({ pool, testItems, seenSet: ({ folder }) => readSalientSet(path.join(folder, reconstructionFiles.salient, 'seen')).then(({ set }) => set) })
  let latest: { folder: string; items: Promise<DataItem[]> } | null = null

  function boardOf(opened: OpenedStudy): ReconstructionBoard {
    const board = boards.get(opened) ?? createReconstructionBoard(createReconstructions({ pool, study: opened.study.folder }))
    boards.set(opened, board)
    return board
  }

  /** The images that one was tested on; of the latest they stay at hand, since a packed set is read whole. */
  function testItems({ stored: { manifest: { data, images } }, folder }: Subject): Promise<DataItem[]> {
    if (latest?.folder !== folder) {
      const mine = latest = { folder, items: partsOf(data, { images: images.seen, test: images.test }).then(({ test }) => test) }
      mine.items.catch(() => (latest === mine ? (latest = null) : undefined))
    }
    return latest.items
  }

  async function board(reconstruction: string): Promise<ReconstructionBoard> {
    const { opened } = await keeper.current()
    if (!opened) throw new MaskscopeError('usage', `There is no reconstruction ${reconstruction} in this study.`, { subject: 'reconstruction' })
    return boardOf(opened)
  }

  async function subject(reconstruction: string): Promise<Subject> {
    const { service } = await board(reconstruction)
    return { stored: await service.find(reconstruction), folder: service.folder(reconstruction) }
  }

  function specOf(data: ReconstructionData, images: number | null): string {
    return data.kind === 'scenes' ? `scenes:${images ?? 2000}@0` : `${data.kind}:${handles.path(data.place)}`
  }

  async function stated({ place, options }: ModelAtHand): Promise<StatedModel> {
    return { model: await loadModel(place, options), stated: options }
  }

  async function asked({ data, images, test, model, judge, method, parameters, settings, seed }: WindowReconstructionOrder): Promise<AskedReconstruction> {
    const spec = specOf(data, images)
    if (reach) await resolveWithin(spec, reach)
    return {
      model: await stated(await models.get(model)), judge: judge === null ? null : await stated(await models.get(judge)), data: spec, images, test, method, parameters, settings, seed,
    }
  }

  return {
    boardOf,
    async settings(model: string | null): Promise<Output<Calls['reconstructions.settings']>> {
      const info = model === null ? null : (await models.get(model)).info
      const size = info ? nearestSize(info.input) : usualSize
      const schema = generatorSchema(size)
      return {
        size, parameters: schema.parameters as Output<Calls['reconstructions.settings']>['parameters'], method: defaultSalientMethod(info ?? { access: 'gradient' }),
        quick: { any: quickOn('any'), black: quickOn('black') },
      }
    },
    async describe(data: ReconstructionData, model: string | null): Promise<Output<Calls['reconstructions.data']>> {
      if (data.kind === 'scenes') return { name: 'scenes', ground: 'any', train: null, test: null, first: [] }
      const spec = specOf(data, null)
      if (reach) await resolveWithin(spec, reach)
      const { seen, test } = await partsOf(spec, { images: null, test: Number.MAX_SAFE_INTEGER })
      const first = await Promise.all(seen.slice(0, mostFirst).map(async (item) => {
        const { picture, label } = await item.load()
        return { png: await pngWithin(picture, 64), label: labelText(label) }
      }))
      const ground = model === null ? 'any' : await groundOf(seen, (await models.get(model)).info)
      return { name: seen[0] ? itemName(seen[0]) : spec, ground, train: seen.length, test: test.length, first }
    },
    async kindOf(place: string): Promise<Output<Calls['reconstructions.kindOf']>> {
      const names = await readdir(handles.path(place)).catch((): string[] => [])
      if (names.some((name) => /idx[13]-ubyte(\.gz)?$/.test(name))) return { kind: 'idx' }
      return { kind: names.some((name) => /^(test|data)_batch.*\.bin$/.test(name)) ? 'cifar10' : 'folder' }
    },
    async start(order: WindowReconstructionOrder): Promise<string> {
      const complete = await asked(order)
      return boardOf(await keeper.forWriting()).service.start(complete)
    },
    board,
    async read(reconstruction: string) {
      const { stored, folder } = await subject(reconstruction)
      return readDetail(stored, folder, (await board(reconstruction)).points(reconstruction))
    },
    samples: async (reconstruction: string, epoch: number) => samplesOfEpoch((await board(reconstruction)).service.folder(reconstruction), epoch),
    images: async (reconstruction: string, first: number, count: number) => looks.images(await subject(reconstruction), first, count),
    vary: async (order: VariationOrder, signal: AbortSignal) => looks.vary(await subject(order.reconstruction), order, signal),
    classView: async (order: { reconstruction: string; class: number; temperature: number; seed: number }, signal: AbortSignal) => looks.classView(await subject(order.reconstruction), order, signal),
    keep: async (order: VariationOrder, signal: AbortSignal) => ({ name: await looks.keep(await subject(order.reconstruction), order, signal) }),
    remove: async (ids: readonly string[]) => (await board(ids[0] ?? '')).remove(ids),
    restore: async (ids: readonly string[]) => (await board(ids[0] ?? '')).restore(ids),
    async command(reconstruction: string): Promise<string> {
      const { model, judge, data, images, method, parameters, settings, seed } = (await subject(reconstruction)).stored.manifest
      const placed = ({ place, stated }: typeof model): { place: string; stated: ModelOptions } => ({ place, stated: stated as ModelOptions })
      return reconstructCommand({ model: placed(model), judge: judge && placed(judge), data, images, method, parameters, settings, seed })
    },
    async commandFor({ data, images, test, model, judge, method, parameters, settings, seed }: WindowReconstructionOrder): Promise<string> {
      const [explained, second] = [await models.get(model), judge === null ? null : await models.get(judge)]
      return reconstructCommand({
        model: { place: explained.place, stated: explained.options }, judge: second && { place: second.place, stated: second.options },
        data: specOf(data, images), images: { seen: images, test }, method, parameters, settings: { ...settings }, seed,
      })
    },
    async varyCommand(order: VariationOrder): Promise<string> {
      if (order.kind !== 'posterior') throw new MaskscopeError('unavailable', 'The command line draws variations around an image only, not along a way or from a class.')
      const of = await subject(order.reconstruction)
      const item = (await testItems(of))[order.image]
      if (!item) throw new MaskscopeError('usage', `There is no image ${order.image}.`, { subject: 'image' })
      return varyCommand({ image: item.member ?? item.reference, generator: path.join(of.folder, reconstructionFiles.generator), request: requestOf(order) })
    },
    async exported(reconstruction: string) {
      const { stored, folder } = await subject(reconstruction)
      return zippedGenerator(stored, folder)
    },
    /** Reconstructions under way, in all studies. */
    busy: () => [...boards.values()].reduce((sum, { service }) => sum + service.live().length, 0),
    /** When nothing of a study goes on any more. */
    settled(opened: OpenedStudy): Promise<void> {
      const service = boards.get(opened)?.service
      if (!service || service.live().length === 0) return Promise.resolve()
      return new Promise((resolve) => {
        const end = service.subscribe(() => {
          if (service.live().length > 0) return
          end()
          resolve()
        })
      })
    },
    /** Stops all so that each can go on later, and waits for that. */
    async dispose(): Promise<void> {
      await Promise.all([...boards.values()].map(({ service }) => service.dispose()))
    },
  }
}

/** What each method is set to for a whole data set where that is not its own default. */
function quickOn(ground: Ground): Record<string, ParameterValues> {
  return Object.fromEntries(methods.map(({ id }) => {
    const usual = resolveParameters(findMethod(id), {})
    return [id, Object.fromEntries(Object.entries(salientParameters(id, {}, ground)).filter(([name, value]) => usual[name] !== value))]
  }))
}

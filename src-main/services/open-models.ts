import { randomUUID } from 'node:crypto'
import { existsSync } from 'node:fs'
import path from 'node:path'
import type { Pool } from '#pool/pool.ts'
import type { IncompleteModel, OpenModel, Stated } from '#shared/contract/models.ts'
import { MaskscopeError } from '#shared/domain/errors.ts'
import type { ExecutorChoice } from '#shared/domain/executor.ts'
import type { ModelInfo, ModelSource } from '#shared/domain/model.ts'
import type { Handles } from './handles.ts'
import { shortPlace } from './handles.ts'
import { createLru } from './lru.ts'
import { cardBeside } from './model-card.ts'
import { SeveralModelsError } from './find-model.ts'
import { loadModel, MissingFactsError, modelError, nameOf, type LoadedModel, type ModelOptions } from './models.ts'
import { isOnnx } from './onnx-files.ts'
import { programFolder } from './program.ts'
import { saveModelCard } from './save-card.ts'

/** A model that the window has opened. */
export interface ModelAtHand {
  source: ModelSource
  info: ModelInfo
  /** How to find it again: a bundled model's name, or an absolute path. */
  place: string
  /** Paths and values as the command line takes them. */
  options: ModelOptions
}

export interface OpenModels {
  bundled(): { name: string; title: string; note: string }[]
  /** @throws MaskscopeError with the subjects 'model', 'range', 'mean', 'std', 'fit' or 'labels' */
  open(from: { bundled: string } | { file: string }, stated: Stated): Promise<OpenModel | IncompleteModel>
  /** The model of a stored run. @throws MaskscopeError 'input' where it is gone or another */
  openAgain(place: string, wanted: { name: string; sha256: string }, options: ModelOptions): Promise<OpenModel>
  /** With its weights. @throws MaskscopeError 'usage' for an unknown handle, 'input' where the files have changed meanwhile */
  get(model: string): Promise<ModelAtHand>
  /** Chooses anew what runs it. @throws MaskscopeError 'usage', 'input', 'unavailable' where what is asked for cannot */
  choose(model: string): Promise<ExecutorChoice>
  /** Writes model-card.json beside the model. @returns its path. @throws MaskscopeError 'usage', 'storage' */
  saveCard(model: string): Promise<string>
}

export interface OpenModelsOptions {
  pool: Pick<Pool, 'info'>
  handles: Handles
  /** A model was opened: a bundled one's name, or a path. */
  onOpen?(place: string): void
}

interface Known {
  spec: string
  options: ModelOptions
  /** All but the weights. */
  identity: string
  loaded: Omit<LoadedModel, 'source'>
  info: ModelInfo
}

/** Weights are large: a few models at hand are plenty. */
const keep = { count: 4, bytes: 1 << 30 }

const bundledModels = [
  { name: 'demo', title: 'Demo', note: 'Ten kinds of drawn objects, 64 × 64' },
  { name: 'demo-judge', title: 'Demo judge', note: 'A second network for the same objects' },
]

export function createOpenModels({ pool, handles, onOpen }: OpenModelsOptions): OpenModels {
  const known = new Map<string, Known>()
  const sources = createLru<ModelSource>(keep, bytesOf)

  function find(model: string): Known {
    const found = known.get(model)
    if (!found) throw new MaskscopeError('usage', 'This model is not open any more; open it again.', { subject: 'model' })
    return found
  }

  /** The same files stated the same way keep their handle. */
  function handleOf(identity: string): string {
    for (const [handle, entry] of known) if (entry.identity === identity) return handle
    return randomUUID()
  }

  function optionsOf(stated: Stated): ModelOptions {
    const { fit, range, mean, std, labels, inputScale } = stated
    return {
      ...(fit === undefined ? {} : { fit }), ...(range === undefined ? {} : { range }), ...(mean === undefined ? {} : { mean }),
      ...(std === undefined ? {} : { std }), ...(labels === undefined ? {} : { labels: handles.path(labels) }),
      ...(inputScale === undefined ? {} : { inputScale }),
    }
  }

  async function openPlace(spec: string, options: ModelOptions, stated: Stated): Promise<OpenModel>
  async function openPlace(spec: string, options: ModelOptions, stated: Stated, sha256: string): Promise<OpenModel | null>
  async function openPlace(spec: string, options: ModelOptions, stated: Stated, sha256?: string): Promise<OpenModel | null> {
    const { source, ...loaded } = await loadModel(spec, options)
    if (sha256 !== undefined && source.sha256 !== sha256) return null
    const info = await pool.info(source).catch((error: unknown) => {
      throw modelError(error, { source, labelsFile: loaded.labelsFile, file: loaded.file })
    })
    const identity = identityOf(source, loaded.file)
    const model = handleOf(identity)
    known.set(model, { spec, options, identity, loaded, info })
    sources.put(model, source)
    onOpen?.(loaded.bundled ?? loaded.file)
    const cardless = loaded.bundled === undefined && cardBeside(loaded.file) === undefined
    // A folder's name says more than model.json.
    const place = loaded.bundled ?? shortPlace(isOnnx(loaded.file) ? loaded.file : path.dirname(loaded.file))
    return { state: 'open', model, info: plainInfo(info), place, bundled: loaded.bundled !== undefined, cardless, stated, notes: [...loaded.notes] }
  }

  async function statedBy({ fit, range, mean, std, labels, inputScale }: ModelOptions): Promise<Stated> {
    const file = labels === undefined ? null : await handles.give(labels).catch(() => null)
    return {
      ...(fit === undefined ? {} : { fit }), ...(range === undefined ? {} : { range: [range[0], range[1]] }),
      ...(mean === undefined ? {} : { mean: [...mean] }), ...(std === undefined ? {} : { std: [...std] }),
      ...(file === null ? {} : { labels: file.handle }), ...(inputScale === undefined ? {} : { inputScale }),
    }
  }

  async function get(model: string): Promise<ModelAtHand> {
    const { spec, options, identity, loaded, info } = find(model)
    const source = await sources.get(model, async () => {
      const again = await loadModel(spec, options).catch((error: unknown) => {
        throw forWindow(error)
      })
      if (identityOf(again.source, again.file) === identity) return again.source
      throw new MaskscopeError('input', `The model ${info.name} has changed on the disk since it was opened; open it again.`, { subject: 'model' })
    })
    return { source, info, place: loaded.bundled ?? loaded.file, options }
  }

  return {
    bundled: () => bundledModels.filter(({ name }) => existsSync(path.join(programFolder(), 'models', name, 'model.json'))),

    async open(from, stated) {
      try {
        return await openPlace(specOf(from, handles), optionsOf(stated), stated)
      } catch (error) {
        const incomplete = error instanceof MissingFactsError && error.missing.every((fact) => fact.field === 'range')
        if (!incomplete) throw forWindow(error)
        const file = await handles.give(error.file)
        return {
          state: 'incomplete', file: file.handle, name: nameOf(error.file), stated, missing: ['range'],
          message: 'The model file does not say what black and white become before they enter the network. State the range: 0 to 1, −1 to 1 and 0 to 255 are usual.',
        }
      }
    },

    async openAgain(place, { name, sha256 }, options) {
      const opened = await openPlace(place, options, await statedBy(options), sha256).catch((error: unknown) => {
        throw forWindow(error)
      })
      if (opened) return opened
      throw new MaskscopeError('input', `The model at ${place} is not the one of this run (${name}, sha256 ${sha256.slice(0, 12)}…); open that one by hand.`, { subject: 'model' })
    },

    get,

    async choose(model) {
      const { source } = await get(model)
      const info = await pool.info(source)
      const found = find(model)
      known.set(model, { ...found, info: { ...found.info, executor: info.executor } })
      return info.executor
    },

    async saveCard(model) {
      const { loaded, info } = find(model)
      if (loaded.bundled !== undefined) throw new MaskscopeError('usage', 'A bundled model has its card already.', { subject: 'model' })
      return saveModelCard(loaded, info)
    },
  }
}

function specOf(from: { bundled: string } | { file: string }, handles: Handles): string {
  if ('file' in from) return handles.path(from.file)
  if (bundledModels.some(({ name }) => name === from.bundled)) return from.bundled
  throw new MaskscopeError('usage', `There is no bundled model "${from.bundled}".`, { subject: 'model' })
}

function identityOf({ sha256, preprocessing, labels, head, name }: ModelSource, file: string): string {
  return JSON.stringify([file, sha256, name, preprocessing, labels, head])
}

/** As the contract has it: nothing read-only. */
function plainInfo(info: ModelInfo): OpenModel['info'] {
  const { range, mean, std } = info.preprocessing
  return {
    ...info, labels: info.labels ? [...info.labels] : null, notes: [...info.notes],
    preprocessing: { ...info.preprocessing, range: [...range], mean: [...mean], std: [...std] },
  }
}

const fields = new Set(['model', 'range', 'mean', 'std', 'fit', 'labels'])

/** The error with the name of the window's field that it belongs to, and without options of the command line. */
function forWindow(error: unknown): unknown {
  if (!(error instanceof MaskscopeError)) return error
  if (error instanceof SeveralModelsError) {
    const names = error.models.map((file) => path.relative(error.folder, file)).join(', ')
    return new MaskscopeError('usage', `The folder ${error.folder} holds ${error.models.length} models (${names}); open one of them.`, { subject: 'model', cause: error })
  }
  if (error instanceof MissingFactsError) {
    const wrong = error.missing.filter((fact) => fact.field !== 'range').map((fact) => fact.text).join('; ')
    return new MaskscopeError('input', `The card beside ${error.file} does not fit the model: ${wrong}. Correct it and open the model again.`, { subject: 'model', cause: error })
  }
  const named = error.subject?.replace(/^--/, '') ?? 'model'
  const subject = fields.has(named) ? named : /labels/i.test(error.message.slice(0, 20)) ? 'labels' : 'model'
  return new MaskscopeError(error.code, error.message, { subject, cause: error })
}

/** What a source takes of the memory. */
function bytesOf(source: ModelSource): number {
  if (source.format !== 'onnx') return source.weightData.byteLength
  return Object.values(source.external).reduce((sum, file) => sum + file.byteLength, source.bytes.byteLength)
}

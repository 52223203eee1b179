import { isDeepStrictEqual } from 'node:util'
import { findMethod } from '#engine/methods/registry.ts'
import type { Pool } from '#pool/pool.ts'
import { MaskscopeError } from '#shared/domain/errors.ts'
import { whyNot } from '#shared/domain/method.ts'
import type { ModelInfo } from '#shared/domain/model.ts'
import { resolveParameters, type ParameterValues } from '#shared/domain/parameters.ts'
import { generatorSchema, nearestSize, settingsOf } from '#shared/domain/reconstruction.ts'
import type { ReconstructionManifest } from '#storage/reconstructions.ts'
import { modelError, type LoadedModel, type ModelOptions } from '../models.ts'
import { programVersion } from '../program.ts'
import { partsOf, type DataParts } from './parts.ts'
import { groundOf } from './salient-images.ts'
import { defaultSalientMethod, salientParameters } from './salient-methods.ts'

/** A model and how it was named and described. */
export interface StatedModel {
  model: LoadedModel
  stated: ModelOptions
}

/** What a person asks for. */
export interface AskedReconstruction {
  model: StatedModel
  judge: StatedModel | null
  data: string
  /** That the generator learns from; null: half of those that are there to learn from. */
  images: number | null
  /** Of the report. */
  test: number
  /** null: the fastest that masks well enough. */
  method: string | null
  /** As given, over those that suit a whole data set. */
  parameters: ParameterValues
  /** As given, see `generatorSchema`. */
  settings: ParameterValues
  seed: number
}

/** The same, checked and complete. */
export interface ReconstructionOrder {
  model: LoadedModel
  judge: LoadedModel | null
  info: ModelInfo
  judgeInfo: ModelInfo | null
  parts: DataParts
  manifest: Omit<ReconstructionManifest, 'format' | 'version'>
}

/**
 * Loads the models and looks through the data; nothing is computed or written.
 * @param stored of a reconstruction that goes on: whatever executor began it stays
 * @throws MaskscopeError whose subject is the field: model, judge, data, method, or a parameter
 */
export async function makeReconstruction(pool: Pick<Pool, 'info' | 'backend'>, asked: AskedReconstruction, stored?: ReconstructionManifest): Promise<ReconstructionOrder> {
  const info = await infoOf(pool, asked.model, 'model', stored?.executor)
  const judgeInfo = asked.judge && (await infoOf(pool, asked.judge, 'judge'))
  const size = nearestSize(info.input)
  if (judgeInfo && asked.judge!.model.source.sha256 === asked.model.model.source.sha256) {
    throw new MaskscopeError('usage', `The judge is ${judgeInfo.name} itself, which is explained; choose another classifier.`, { subject: 'judge' })
  }
  if (judgeInfo && judgeInfo.classes !== info.classes) {
    throw new MaskscopeError('usage', `The judge ${judgeInfo.name} has ${judgeInfo.classes} classes and ${info.name} has ${info.classes}; both must have learned the same ones.`, { subject: 'judge' })
  }
  if (judgeInfo && judgeInfo.input.channels !== info.input.channels) {
    throw new MaskscopeError('usage', `The judge ${judgeInfo.name} takes images of ${judgeInfo.input.channels} channels and ${info.name} of ${info.input.channels}; choose another judge.`, { subject: 'judge' })
  }
  const method = findMethod(asked.method ?? defaultSalientMethod(info))
  const reason = whyNot(method, info, false)
  if (reason !== null) throw new MaskscopeError('unavailable', `${reason} Choose another model or method.`, { subject: 'method' })
  const settings = settingsOf(resolveParameters(generatorSchema(size), asked.settings), size, asked.seed)
  const parts = await partsOf(asked.data, asked)
  const parameters = salientParameters(method.id, asked.parameters, await groundOf(parts.seen, info))
  return {
    model: asked.model.model, judge: asked.judge?.model ?? null, info, judgeInfo, parts,
    manifest: {
      program: programVersion(), model: described(asked.model), judge: asked.judge && described(asked.judge), data: asked.data,
      images: { seen: parts.seen.length, unseen: parts.unseen.length, test: parts.test.length },
      method: method.id, parameters, settings, seed: asked.seed, backend: stored?.backend ?? (await pool.backend()).id, executor: info.executor.id,
      classes: info.classes, labels: info.labels && [...info.labels],
    },
  }
}

/** What two reconstructions differ in, in words; null: nothing that results depend on. */
export function differenceOf(a: Omit<ReconstructionManifest, 'format' | 'version'>, b: Omit<ReconstructionManifest, 'format' | 'version'>): string | null {
  const names: Partial<Record<keyof typeof a, string>> = {
    program: 'version of Maskscope', model: 'model', judge: 'judge', data: 'data', images: 'number of images', method: 'method', parameters: 'parameters of the method', settings: 'settings of the generator',
    seed: 'seed', backend: 'backend', executor: 'executor',
  }
  const identity = ({ sha256, preprocessing }: ReconstructionManifest['model']): unknown => ({ sha256, preprocessing })
  const comparable = (manifest: typeof a): Record<string, unknown> => ({ ...manifest, model: identity(manifest.model), judge: manifest.judge && identity(manifest.judge) })
  const [one, other] = [comparable(a), comparable(b)]
  return Object.entries(names).find(([key]) => !isDeepStrictEqual(one[key], other[key]))?.[1] ?? null
}

async function infoOf(pool: Pick<Pool, 'info'>, { model }: StatedModel, subject: string, executor?: ReconstructionManifest['executor']): Promise<ModelInfo> {
  try {
    return await pool.info(model.source, executor === undefined ? {} : { executor })
  } catch (error) {
    const told = modelError(error, model)
    throw told instanceof MaskscopeError && told.subject === undefined ? new MaskscopeError(told.code, told.message, { subject, cause: told }) : told
  }
}

function described({ model, stated }: StatedModel): ReconstructionManifest['model'] {
  const { mean, std, range, ...rest } = stated
  const { name, sha256, preprocessing } = model.source
  return {
    name, sha256, place: model.bundled ?? model.file,
    stated: { ...rest, ...(mean ? { mean: [...mean] } : {}), ...(std ? { std: [...std] } : {}), ...(range ? { range: [range[0], range[1]] as [number, number] } : {}) },
    preprocessing: {
      ...preprocessing, range: [preprocessing.range[0], preprocessing.range[1]], mean: [...preprocessing.mean], std: [...preprocessing.std],
    },
  }
}

import { readFile } from 'node:fs/promises'
import { createHash } from 'node:crypto'
import path from 'node:path'
import type { OpenImage, OpenModel } from '#shared/contract/models.ts'
import { serialiseError } from '#shared/domain/errors.ts'
import type { RunRecord } from '#storage/manifests.ts'
import { fileItem, memberAgain, resolveScenes, type DataItem } from './datasets.ts'
import type { ModelOptions } from './models.ts'
import type { OpenImages } from './open-images.ts'
import type { OpenModels } from './open-models.ts'
import { runItem } from './run-inputs.ts'
import { statedOf } from './run-result.ts'
import { readInput } from './studies.ts'
import type { OpenedStudy } from './study-keeper.ts'

export interface Reopened {
  model: OpenModel | null
  image: OpenImage
  /** Why there is no model. */
  message: string | null
}

/**
 * A run's image and model, opened to run them again.
 * @throws MaskscopeError 'storage' where the stored picture is gone
 */
export async function reopenRun(record: RunRecord, { study }: OpenedStudy, models: OpenModels, images: OpenImages): Promise<Reopened> {
  const { image, model } = record.request
  const item = await findItem(record, study.folder)
  const opened = await images.openItem(item, image.kind, image.reference)
  try {
    return { model: await models.openAgain(record.found.model, model, statedFor(record)), image: opened, message: null }
  } catch (error) {
    return { model: null, image: opened, message: serialiseError(error, 'input').message }
  }
}

/** As it was stated then; earlier versions do not tell, and only fit and range can be read off the run. */
function statedFor({ found, request: { model: { preprocessing: { fit, range } } } }: RunRecord): ModelOptions {
  if (found.stated) return statedOf(found)
  return path.isAbsolute(found.model) ? { fit, range } : {}
}

/** The file itself where it still is what it was, so that a command can name it; else what the study keeps. */
async function findItem({ found, request, order }: RunRecord, study: string): Promise<DataItem> {
  // One that never began has no picture in the study.
  if (!order) return request.image.kind === 'scene' ? resolveScenes(request.image.reference)[0]! : fileItem(found.image)
  const { image } = order
  if (image.kind === 'file' && path.isAbsolute(found.image)) {
    const bytes = await readFile(found.image).catch(() => null)
    if (bytes && createHash('sha256').update(bytes).digest('hex') === image.sha256) return fileItem(found.image)
  }
  const member = image.kind === 'file' ? await memberAgain(found.image, image.sha256) : undefined
  return member ?? runItem(image, image.reference, () => readInput(study, image))
}

import { MaskscopeError } from '#shared/domain/errors.ts'
import { valuesOf } from '#shared/domain/reconstruction.ts'
import type { ReconstructionManifest } from '#storage/reconstructions.ts'
import { loadModel, type ModelOptions } from '../models.ts'
import type { AskedReconstruction, StatedModel } from './order.ts'

type Stored = ReconstructionManifest['model']

/** What was asked for once, to be asked for again. @throws MaskscopeError 'input' where a model is gone or has changed */
export async function askedAgain({ model, judge, data, images, method, parameters, settings, seed }: ReconstructionManifest): Promise<AskedReconstruction> {
  return {
    model: await modelAgain(model, 'model'), judge: judge && (await modelAgain(judge, 'judge')), data, images: images.seen, test: images.test,
    method, parameters, settings: valuesOf(settings), seed,
  }
}

/** The model of a manifest as it lies on the disk now. @param field for messages. @throws MaskscopeError 'input' where it is gone or has changed */
export async function modelAgain({ name, sha256, place, stated }: Stored, field: string): Promise<StatedModel> {
  const options = Object.fromEntries(Object.entries(stated).filter(([, value]) => value !== undefined)) as ModelOptions
  const model = await loadModel(place, options)
  if (model.source.sha256 !== sha256) {
    throw new MaskscopeError('input', `The model at ${place} is no longer the ${name} that the reconstruction began with; put that one back, or start anew.`, { subject: field })
  }
  return { model, stated: options }
}

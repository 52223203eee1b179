import type { ExecutorChoice, ExecutorWish } from '#shared/domain/executor.ts'
import type { ModelSource } from '#shared/domain/model.ts'
import { MaskscopeError } from '#shared/domain/errors.ts'
import { memberAgain, resolveData, type DataItem } from './datasets.ts'
import { decodeImage } from './images.ts'
import { loadModel } from './models.ts'
import { statedOf } from './run-result.ts'
import type { RunOrder } from './runs.ts'
import type { StoredRun } from './studies.ts'

/**
 * The order that makes a stored run again: the same bytes in run.json and all arrays, on the same backend and versions.
 * @param modelPlace where the model lies now, if not where the run found it
 * @param executor in place of the run's own
 * @throws MaskscopeError 'input' where the model is gone or another, 'storage' where the picture is not what was stored.
 */
export async function orderAgain(run: StoredRun, modelPlace: string = run.record.found.model, executor?: ExecutorWish): Promise<RunOrder> {
  const { order, target } = run.manifest
  const again = executorAgain(run, executor)
  return {
    model: { source: await findModel(run, modelPlace), place: modelPlace, stated: statedOf(run.record.found) },
    item: await findItem(run),
    method: order.method,
    parameters: order.parameters,
    seed: order.seed,
    target: order.target,
    changes: order.changes,
    ...(again === undefined ? {} : { executor: again }),
    label: target,
  }
}

/** The run's own, so that the bytes can be the same. */
function executorAgain({ id, manifest }: StoredRun, asked: ExecutorWish | undefined): ExecutorChoice | undefined {
  if (asked === 'auto') return undefined
  if (asked !== undefined) return { id: asked, reason: 'It was asked for.', measured: {}, version: null }
  return { id: manifest.order.executor, reason: `It made run ${id}, which this one repeats.`, measured: {}, version: null }
}

async function findModel(run: StoredRun, place: string): Promise<ModelSource> {
  const { model } = run.manifest.order
  const { fit, range } = model.preprocessing
  const { source } = await loadModel(place, { fit, range })
  if (source.sha256 !== model.sha256) {
    throw new MaskscopeError('input', `The model at ${place} is not the one of run ${run.id} (${model.name}, sha256 ${model.sha256.slice(0, 12)}…). Say where that one is with --model.`, { subject: '--model' })
  }
  // What the file does not state is taken from the run, whatever the card beside the model says by now.
  return { ...source, name: model.name, preprocessing: model.preprocessing, head: model.head }
}

async function findItem(run: StoredRun): Promise<DataItem> {
  const { image } = run.manifest.order
  const given = run.record.found.image
  if (image.kind === 'scene') {
    const item = (await resolveData(image.reference))[0]
    if (item?.kind !== 'scene') throw new MaskscopeError('storage', `Run ${run.id} names the scene "${image.reference}", which does not exist.`, { subject: run.id })
    return item
  }
  return await memberAgain(given, image.sha256) ?? { kind: 'file', reference: given, load: async () => decodeImage(await run.input(), given) }
}

import path from 'node:path'
import type { RunRecord } from '#storage/manifests.ts'
import type { RunOrder } from './runs.ts'
import type { OpenedStudy } from './study-keeper.ts'

/**
 * The line that makes a run again, whatever became of it.
 * @throws MaskscopeError 'usage' where its image is in no file
 */
export async function commandOfRun({ study }: OpenedStudy, record: RunRecord): Promise<string> {
  const { explainCommand, factsOfRun } = await import('./run-command.ts')
  const manifest = record.state === 'finished' ? (await study.readRun(record.id)).manifest : null
  return explainCommand(await factsOfRun(study.folder, record, manifest))
}

/** The line that makes the run that would be submitted. @throws MaskscopeError 'usage' where its image is in no file */
export async function commandOfOrder({ model, item, method, parameters, seed, target, changes = [], executor }: RunOrder): Promise<string> {
  const { explainCommand } = await import('./run-command.ts')
  const { kind, reference, member } = item
  return explainCommand({
    image: member ?? (kind === 'scene' || path.isAbsolute(reference) ? reference : null),
    model: { place: model.place, stated: model.stated ?? {} }, method, parameters, seed, target, changes, backend: null, executor: executor?.id ?? null, finished: null,
  })
}

import { MaskscopeError } from '#shared/domain/errors.ts'
import type { ModelInfo, ModelSource } from '#shared/domain/model.ts'
import { modelKey, type WorkerHandle } from './worker-handle.ts'

export interface ModelAndJudge {
  info: ModelInfo
  key: string
  judge: ModelInfo | null
  judgeKey: string | null
}

/**
 * Has a worker hold the explained classifier and, where there is one, its judge.
 * @param load has it load one, if it must
 * @throws MaskscopeError 'usage' for a judge that is the model itself
 */
export async function loadBoth(
  worker: WorkerHandle, source: ModelSource, judgeSource: ModelSource | undefined, load: (source: ModelSource) => Promise<ModelInfo>,
): Promise<ModelAndJudge> {
  const key = modelKey(source)
  const judgeKey = judgeSource ? modelKey(judgeSource) : null
  if (judgeKey === key) {
    throw new MaskscopeError('usage', `The judge is ${source.name} itself, which was explained; choose another classifier.`, { subject: 'judge' })
  }
  let judge = judgeSource ? await load(judgeSource) : null
  const info = await load(source)
  // The second may have taken the place of the first; now it is the one used last and stays.
  if (judgeSource && !worker.holds(judgeKey!)) judge = await load(judgeSource)
  return { info, key, judge, judgeKey }
}

import path from 'node:path'
import { Option, type Command } from 'commander'
import envPaths from 'env-paths'
import type { WorkbenchOptions } from '#main/workbench.ts'
import type { LoadedModel, ModelOptions } from '#services/models.ts'
import { MaskscopeError } from '#shared/domain/errors.ts'
import { backendIds, type BackendId } from '#shared/domain/backend.ts'
import { executorWishes, type ExecutorWish } from '#shared/domain/executor.ts'
import { channelValues, positiveChannelValues, range, wholeNumber } from './options.ts'

/** Options that several commands have: which model, and what computes. */

export interface StatedOptions {
  modelCard?: string
  fit?: 'crop' | 'squash'
  range?: [number, number]
  mean?: number[]
  std?: number[]
  labels?: string
  inputScale?: number
}

export interface EngineOptions {
  backend?: BackendId
  executor?: ExecutorWish
  memory?: number
}

export function backendOption(): Option {
  return new Option('--backend <id>', 'where the engine computes; the best there is where left out').choices(backendIds)
}

export function executorOption(): Option {
  return new Option('--executor <id>', 'what runs the model; auto: the faster for it on this machine, a GPU where there is one').choices(executorWishes).default('auto')
}

export function memoryOption(): Option {
  return new Option('--memory <mb>', 'what all engine processes together may take; a quarter of the machine\'s memory, at least 1024, where left out')
    .argParser(wholeNumber(256))
}

export function modelOptions(command: Command): Command {
  return stateOptions(command.requiredOption('--model <path>', 'demo, an .onnx file, the model.json of a TF.js model, or the folder of either'))
}

/** What may be stated beside a model. */
export function stateOptions(command: Command): Command {
  return command
    .option('--model-card <file>', 'what the model file does not state; model-card.json beside the model where left out')
    .addOption(new Option('--fit <how>', 'the whole image or its central square').choices(['crop', 'squash']))
    .option('--range <a,b>', 'what black and white become before they enter the network', range)
    .option('--mean <values>', 'taken off after that: one number for all channels, or one per channel, as 0.485,0.456,0.406', channelValues)
    .option('--std <values>', 'divided by after that, written as --mean', positiveChannelValues)
    .option('--labels <file>', 'one label per line, in the order of the classes')
    .option('--input-scale <n>', 'an input so many times as high and wide as the file says, for networks that pool over all places', wholeNumber(1))
}

export interface JudgeOptions {
  judgeCard?: string
  judgeRange?: [number, number]
  judgeMean?: number[]
  judgeStd?: number[]
  judgeLabels?: string
}

/** What may be stated beside a judge. It sees what the model sees, so it has no fit and no size of its own. */
export function stateJudgeOptions(command: Command): Command {
  return command
    .option('--judge-card <file>', 'of the judge, as --model-card')
    .option('--judge-range <a,b>', 'as --range', range)
    .option('--judge-mean <values>', 'as --mean', channelValues)
    .option('--judge-std <values>', 'as --std', positiveChannelValues)
    .option('--judge-labels <file>', 'as --labels')
}

/** What was stated beside the judge's path. @param file what becomes of the paths of files */
export function statedJudge({ judgeCard, judgeRange, judgeMean, judgeStd, judgeLabels }: JudgeOptions, file: (name: string) => string): ModelOptions {
  return statedModel({
    ...(judgeCard === undefined ? {} : { modelCard: judgeCard }), ...(judgeRange === undefined ? {} : { range: judgeRange }), ...(judgeMean === undefined ? {} : { mean: judgeMean }),
    ...(judgeStd === undefined ? {} : { std: judgeStd }), ...(judgeLabels === undefined ? {} : { labels: judgeLabels }),
  }, file)
}

/** @throws what `loadModel` throws, naming the judge's own options */
export async function loadJudge(place: string, options: JudgeOptions): Promise<LoadedModel> {
  const { loadModel, MissingFactsError } = await import('#services/models.ts')
  try {
    return await loadModel(place, statedJudge(options, (file) => file))
  } catch (error) {
    if (!(error instanceof MissingFactsError)) throw error
    throw new MaskscopeError('usage', error.message.replaceAll(/--(?=(?:range|mean|std)\b)/g, '--judge-'), { subject: '--judge', cause: error })
  }
}

/** What was stated beside the model's path. @param file what becomes of the paths of files */
export function statedModel({ modelCard, fit, range, mean, std, labels, inputScale }: StatedOptions, file: (name: string) => string): ModelOptions {
  return {
    ...(modelCard === undefined ? {} : { card: file(modelCard) }), ...(fit === undefined ? {} : { fit }),
    ...(range === undefined ? {} : { range }), ...(mean === undefined ? {} : { mean }), ...(std === undefined ? {} : { std }),
    ...(labels === undefined ? {} : { labels: file(labels) }), ...(inputScale === undefined ? {} : { inputScale }),
  }
}

/** What the workbench is made with. How fast models run is kept in the system's folder for such things. */
export function engineOptions({ backend, executor, memory }: EngineOptions): WorkbenchOptions {
  return {
    timingsFile: path.join(envPaths('maskscope', { suffix: '' }).cache, 'executor-timings.json'),
    ...(backend === undefined ? {} : { backend }),
    ...(executor === undefined ? {} : { executor: () => executor }),
    ...(memory === undefined ? {} : { memoryMegabytes: () => memory }),
  }
}

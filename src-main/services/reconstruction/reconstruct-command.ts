import { resolveParameters, type ParameterValues } from '#shared/domain/parameters.ts'
import { generatorSchema, generatorSizes, valuesOf, type GeneratorSettings, type VariationRequest } from '#shared/domain/reconstruction.ts'
import type { ModelOptions } from '../models.ts'
import { statedJudgeWords, statedWords } from '../run-command.ts'
import { commandLine } from '../shell-words.ts'
import { salientParameters } from './salient-methods.ts'

export interface ReconstructFacts {
  model: { place: string; stated: ModelOptions }
  judge: { place: string; stated: ModelOptions } | null
  data: string
  /** null: as many as there are. */
  images: { seen: number | null; test: number }
  method: string
  parameters: ParameterValues
  /** Of a manifest, or as given. */
  settings: GeneratorSettings | ParameterValues
  seed: number
}

/** The line that makes the same reconstruction. */
export function reconstructCommand({ model, judge, data, images, method, parameters, settings, seed }: ReconstructFacts, platform: NodeJS.Platform = process.platform): string {
  const { conditional, gamma, epochs, ...others } = 'size' in settings && typeof settings.size === 'object' ? valuesOf(settings as GeneratorSettings) : (settings as ParameterValues)
  return commandLine([
    'maskscope', 'reconstruct', '--model', model.place, ...statedWords(model.stated), ...(judge ? ['--judge', judge.place, ...statedJudgeWords(judge.stated)] : []), '--data', data,
    '--method', method, ...changed(parameters, usualOf(method, parameters['preset']), '--set'),
    ...(images.seen === null ? [] : ['--images', String(images.seen)]), ...(images.test === 1000 ? [] : ['--test', String(images.test)]),
    ...(conditional === true || conditional === 'true' ? ['--conditional'] : []), ...(gamma === undefined || Number(gamma) === 0 ? [] : ['--gamma', String(gamma)]),
    ...(epochs === undefined ? [] : ['--epochs', String(epochs)]),
    ...changed(others, defaultsOf(settings), '--generator-set'), ...(seed === 0 ? [] : ['--seed', String(seed)]),
  ], platform)
}

/** The line that draws variations of an image around its posterior. @param generator its folder */
export function varyCommand({ image, generator, request: { count, temperature, seed, pinned, margin } }: { image: string; generator: string; request: VariationRequest }, platform: NodeJS.Platform = process.platform): string {
  return commandLine([
    'maskscope', 'vary', image, '--generator', generator, '--count', String(count), ...(temperature === 1 ? [] : ['--temperature', String(temperature)]), ...(pinned ? ['--pin'] : []),
    ...(margin === undefined ? [] : ['--margin', String(margin)]), ...(seed === 0 ? [] : ['--seed', String(seed)]),
  ], platform)
}

/** What a method is set to where nothing is said, whatever the pictures stand on. */
function usualOf(method: string, preset: ParameterValues[string] | undefined): ParameterValues {
  const [any, black] = (['any', 'black'] as const).map((ground) => salientParameters(method, preset === undefined ? {} : { preset }, ground)) as [ParameterValues, ParameterValues]
  return Object.fromEntries(Object.entries(any).filter(([name, value]) => black[name] === value))
}

function changed(values: ParameterValues, usual: ParameterValues, option: string): string[] {
  return Object.entries(values).flatMap(([name, value]) => (usual[name] === value ? [] : [option, `${name}=${value}`]))
}

/** Those that hold for this size where nothing is said; of an unknown size none is left out. */
function defaultsOf(settings: ReconstructFacts['settings']): ParameterValues {
  const size = 'size' in settings && typeof settings.size === 'object' ? settings.size : undefined
  const usual = (of: (typeof generatorSizes)[number]): ParameterValues => resolveParameters(generatorSchema(of), {})
  if (size) return usual(size)
  const all = generatorSizes.map(usual)
  return Object.fromEntries(Object.entries(all[0]!).filter(([name, value]) => all.every((other) => other[name] === value)))
}

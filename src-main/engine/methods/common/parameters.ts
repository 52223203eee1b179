import type { Parameter, ParameterValues } from '#shared/domain/parameters.ts'
import { MaskscopeError } from '#shared/domain/errors.ts'
import type { ScoreKind } from '#shared/domain/score.ts'
import type { FillKind } from '../masks/fills.ts'

/** Parameters that several methods have in common, under the same names and with the same help. */

const scoreLabels: Readonly<Record<ScoreKind, string>> = {
  logit: 'Logit', probability: 'Probability', 'log-probability': 'Log-probability', 'log-odds': 'Log-odds', margin: 'Margin',
}

/** @param tuned the kinds that a tuner may try; none where empty */
export function scoreParameter(fallback: ScoreKind, tuned: readonly ScoreKind[] = []): Parameter {
  return {
    type: 'choice', name: 'score', label: 'Score', group: 'Score', common: true,
    help: 'The number that is explained: what the target class answers.',
    default: fallback, options: Object.entries(scoreLabels).map(([value, label]) => ({ value, label })),
    ...(tuned.length === 0 ? {} : { tune: { values: tuned } }),
  }
}

/** The constant fills; methods that draw one anew say so themselves. */
const fillLabels: Readonly<Record<Exclude<FillKind, 'drawn'>, string>> = {
  mean: 'Mean colour of the image', zero: 'Black', blur: 'The image, blurred', noise: 'Uniform noise',
}

export function fillParameter(fallback: Exclude<FillKind, 'drawn'>, tuned: readonly FillKind[] = []): Parameter {
  return {
    type: 'choice', name: 'fill', label: 'Fill', group: 'Fill', common: true,
    help: 'What stands where the image is hidden.',
    default: fallback, options: Object.entries(fillLabels).map(([value, label]) => ({ value, label })),
    ...(tuned.length === 0 ? {} : { tune: { values: tuned } }),
  }
}

/** σ of the fill `blur`, in pixels of a shorter side of 224: it grows and shrinks with the image. */
export const fillBlurParameter: Parameter = {
  type: 'number', name: 'fill-blur', label: 'Blur of the fill', group: 'Fill',
  help: 'Standard deviation of the fill “blurred”, for a shorter side of 224 pixels; it scales with the image.',
  default: 10, min: 0.1, max: 100, step: 0.1, unit: 'px at 224',
}

/** Smoothing of a finished map. @param most the largest a tuner may try; 0: it may not */
export function mapBlurParameter(fallback = 0, most = 0): Parameter {
  return {
    type: 'number', name: 'map-blur', label: 'Blur of the map', group: 'Map',
    help: 'Standard deviation of a Gaussian over the finished map, for a shorter side of 64 pixels; it scales with the image; 0 means none.',
    default: fallback, min: 0, max: 16, step: 0.1, unit: 'px at 64',
    ...(most === 0 ? {} : { tune: { min: 0, max: most } }),
  }
}

/** A value that has gone through `resolveParameters`. @throws MaskscopeError 'usage' where it has not */
export function numberOf(values: ParameterValues, name: string): number {
  const value = values[name]
  if (typeof value !== 'number') throw new MaskscopeError('usage', `Parameter ${name} is missing or is not a number.`, { subject: name })
  return value
}

/** A choice or a text. */
export function wordOf<T extends string = string>(values: ParameterValues, name: string): T {
  const value = values[name]
  if (typeof value !== 'string') throw new MaskscopeError('usage', `Parameter ${name} is missing or is not a word.`, { subject: name })
  return value as T
}

export function switchOf(values: ParameterValues, name: string): boolean {
  const value = values[name]
  if (typeof value !== 'boolean') throw new MaskscopeError('usage', `Parameter ${name} is missing or is not true or false.`, { subject: name })
  return value
}

/** Of methods whose parameter `mode` says whether the masked image keeps what the mask marks, or loses it. */
export function inDeleteMode(values: ParameterValues): boolean {
  return values['mode'] === 'delete'
}

import type { Parameter, ParameterValues } from '#shared/domain/parameters.ts'
import type { ScoreKind } from '#shared/domain/score.ts'
import { scoreParameter } from '../common/parameters.ts'

/** Parameters that the optimised masks share. */

export function scoreOfMask(fallback: ScoreKind): Parameter {
  return scoreParameter(fallback, ['probability', 'log-probability', 'log-odds', 'logit'])
}

export const shiftParameter: Parameter = {
  type: 'number', name: 'shift', label: 'Jitter', group: 'Randomisation',
  help: 'At every step the masked image moves by up to this many pixels each way, for a shorter side of 224; it scales with the image.',
  default: 2, min: 0, max: 64, step: 1, unit: 'px at 224', tune: { min: 0, max: 14 },
}

export function noiseParameter(fallback: number): Parameter {
  return {
    type: 'number', name: 'noise', label: 'Noise', group: 'Randomisation',
    help: 'Standard deviation of Gaussian noise added to the masked image at every step (the image lies in [0, 1]).',
    default: fallback, min: 0, max: 1, step: 0.001, tune: { min: 0, max: 0.1 },
  }
}

export function weightParameter(name: string, label: string, symbol: string, help: string, fallback: number, tune?: { min: number; max: number }): Parameter {
  return {
    type: 'number', name, label, symbol, group: 'Loss', common: true, help, default: fallback, min: 0, max: 10000, step: 0.0001, logarithmic: true,
    ...(tune ? { tune } : {}),
  }
}

export function stepsParameter(fallback: number, tune?: { min: number; max: number }): Parameter {
  return {
    type: 'number', name: 'iterations', label: 'Iterations', group: 'Optimisation', common: true, help: 'Steps of the optimiser.',
    default: fallback, min: 1, max: 20000, step: 1, integer: true, logarithmic: true, unit: 'steps', ...(tune ? { tune } : {}),
  }
}

export function learningRateParameter(help: string, fallback: number, tune?: { min: number; max: number }): Parameter {
  return {
    type: 'number', name: 'learning-rate', label: 'Learning rate', symbol: 'η', group: 'Optimisation', help,
    default: fallback, min: 0.00001, max: 10000, step: 0.001, logarithmic: true, ...(tune ? { tune } : {}),
  }
}

/** Every parameter's default: the values of a first preset. */
export function defaultsOf(parameters: readonly Parameter[]): ParameterValues {
  return Object.fromEntries(parameters.map((parameter) => [parameter.name, parameter.default]))
}

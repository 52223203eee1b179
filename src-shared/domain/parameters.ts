import { MaskscopeError } from './errors.ts'

/**
 * Parameters of a method as plain descriptors. The validation, the form in the window, the CLI's `--set`, `methods
 * --json` and the documentation are all generated from them.
 */
interface ParameterBase {
  /** kebab-case, as in `--set NAME=VALUE`. */
  name: string
  label: string
  /** The paper's symbol, e.g. "λs". */
  symbol?: string
  /** One sentence. */
  help: string
  group: string
  /** Stands in the form before the groups, which are folded. */
  common?: boolean
  /** May change while a run is paused, and holds from there on. */
  live?: boolean
  /**
   * Where a tuner may look for a better value: an interval (a number, whole or logarithmic as the parameter is) or a few values.
   * A parameter without it keeps the preset's value.
   */
  tune?: { min: number; max: number } | { values: readonly ParameterValue[] }
}

export interface NumberParameter extends ParameterBase {
  type: 'number'
  default: number
  min: number
  max: number
  step: number
  integer?: boolean
  /** Sliders move on a logarithmic scale. */
  logarithmic?: boolean
  unit?: string
}

export interface ChoiceParameter extends ParameterBase {
  type: 'choice'
  default: string
  options: readonly { value: string; label: string }[]
}

export interface BooleanParameter extends ParameterBase {
  type: 'boolean'
  default: boolean
}

/** A word whose choices only the model or the program knows. */
export interface TextParameter extends ParameterBase {
  type: 'text'
  default: string
  /** `layer`: `auto`, or the name of a layer of the model's graph; `methods`: ids of methods, with commas between them. */
  kind: 'layer' | 'methods'
}

export type Parameter = NumberParameter | ChoiceParameter | BooleanParameter | TextParameter
export type ParameterValue = number | string | boolean
export type ParameterValues = Record<string, ParameterValue>

export interface Preset {
  id: string
  title: string
  /** Where these values come from. */
  source: string
  values: ParameterValues
}

export interface ParameterSchema {
  parameters: readonly Parameter[]
  /** The first preset is the default. `--set preset=ID` chooses another. */
  presets: readonly Preset[]
}

/**
 * All parameters of a method: the preset's values over the defaults, then the given ones over those. Values may be
 * strings, as typed on a command line.
 * @throws MaskscopeError 'usage' naming the field, for an unknown name, a wrong type or a value out of range.
 */
export function resolveParameters(schema: ParameterSchema, given: Record<string, unknown>): ParameterValues {
  const { preset: presetGiven, ...overrides } = given
  const preset = presetGiven === undefined ? schema.presets[0] : schema.presets.find((p) => p.id === presetGiven)
  if (preset === undefined && presetGiven !== undefined) {
    throw fieldError('preset', `there is no preset "${String(presetGiven)}"; choose one of ${schema.presets.map((p) => p.id).join(', ')}`)
  }
  const values: ParameterValues = {}
  if (preset) values['preset'] = preset.id
  for (const parameter of schema.parameters) {
    values[parameter.name] = preset?.values[parameter.name] ?? parameter.default
  }
  for (const [name, raw] of Object.entries(overrides)) {
    const parameter = schema.parameters.find((p) => p.name === name)
    if (!parameter) {
      throw fieldError(name, `is not a parameter of this method; it knows ${schema.parameters.map((p) => p.name).join(', ')}`)
    }
    values[name] = parseValue(parameter, raw)
  }
  return values
}

/**
 * What is to change in a run that has begun, checked like the values of its start.
 * @throws MaskscopeError 'usage' naming the field, also for a parameter that is not `live`
 */
export function resolveChange(schema: ParameterSchema, given: Record<string, unknown>): ParameterValues {
  const values: ParameterValues = {}
  for (const [name, raw] of Object.entries(given)) {
    const parameter = schema.parameters.find((p) => p.name === name)
    const live = schema.parameters.filter((p) => p.live).map((p) => p.name).join(', ')
    if (!parameter && name !== 'preset') throw fieldError(name, `is not a parameter of this method; in a run that has begun ${live} can change`)
    if (!parameter?.live) throw fieldError(name, 'can only be set at the start of a run')
    values[name] = parseValue(parameter, raw)
  }
  return values
}

function parseValue(parameter: Parameter, raw: unknown): ParameterValue {
  switch (parameter.type) {
    case 'number': {
      const value = typeof raw === 'string' && raw.trim() !== '' ? Number(raw) : raw
      if (typeof value !== 'number' || !Number.isFinite(value)) {
        throw fieldError(parameter.name, `must be a number, not "${String(raw)}"`)
      }
      if (value < parameter.min || value > parameter.max) {
        throw fieldError(parameter.name, `is ${value}; it must lie between ${parameter.min} and ${parameter.max}`)
      }
      if (parameter.integer && !Number.isInteger(value)) throw fieldError(parameter.name, `is ${value}; it must be a whole number`)
      return value
    }
    case 'choice': {
      if (!parameter.options.some((o) => o.value === raw)) {
        throw fieldError(parameter.name, `is "${String(raw)}"; choose one of ${parameter.options.map((o) => o.value).join(', ')}`)
      }
      return raw as string
    }
    case 'text': {
      if (typeof raw === 'string' && raw.trim() !== '' && raw.length <= longestText) return raw.trim()
      throw fieldError(parameter.name, `must be a word of at most ${longestText} characters`)
    }
    case 'boolean': {
      if (raw === true || raw === 'true') return true
      if (raw === false || raw === 'false') return false
      throw fieldError(parameter.name, `is "${String(raw)}"; it must be true or false`)
    }
  }
}

const longestText = 500

function fieldError(name: string, what: string): MaskscopeError {
  return new MaskscopeError('usage', `Parameter ${name} ${what}.`, { subject: name })
}

import type { ChoiceParameter, Parameter, ParameterValue } from '#shared/domain/parameters.ts'
import { shortNumber } from '../runs/run-text.ts'

/** Few options with short names stand side by side. Each takes some room beside its letters. */
export function isShortChoice({ options }: Pick<ChoiceParameter, 'options'>): boolean {
  return options.length <= 3 && options.reduce((sum, option) => sum + option.label.length + 3, 0) <= 22
}

/** A paper's symbol and what stands below its line: "λ_area", "λs". */
export function symbolParts(symbol: string): { sign: string; below: string } {
  const at = symbol.indexOf('_')
  return at === -1 ? { sign: symbol, below: '' } : { sign: symbol.slice(0, at), below: symbol.slice(at + 1).replaceAll('_', ' ') }
}

/** The parameter's help, its range and what it goes back to. */
export function helpOf(parameter: Parameter, base: ParameterValue): string {
  if (parameter.type === 'boolean') return `${parameter.help} Usually ${base === true ? 'on' : 'off'}.`
  if (parameter.type === 'choice' || parameter.type === 'text') return parameter.help
  const unit = parameter.unit ? ` ${parameter.unit}` : ''
  return `${parameter.help} ${shortNumber(parameter.min)} to ${shortNumber(parameter.max)}${unit}; usually ${shortNumber(Number(base))}.`
}

/** Parameters in the order of a form: the common ones, then the others by group. */
export function formOf(parameters: readonly Parameter[]): { common: Parameter[]; groups: { title: string; parameters: Parameter[] }[] } {
  const marked = parameters.some((p) => p.common)
  const isCommon = (p: Parameter): boolean => (marked ? p.common === true : p.group === parameters[0]?.group)
  const groups = new Map<string, Parameter[]>()
  for (const parameter of parameters) {
    if (!isCommon(parameter)) groups.set(parameter.group, [...groups.get(parameter.group) ?? [], parameter])
  }
  return { common: parameters.filter(isCommon), groups: [...groups].map(([title, list]) => ({ title, parameters: list })) }
}

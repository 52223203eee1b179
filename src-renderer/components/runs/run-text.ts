import type { MethodInfo } from '#shared/contract/models.ts'
import type { RunRow } from '#shared/contract/runs.ts'
import { resolveParameters, type ParameterSchema, type ParameterValue, type ParameterValues } from '#shared/domain/parameters.ts'

/** Thousands are set apart from five digits on, here as everywhere in the window. */
const grouped = new Intl.NumberFormat('en', { maximumFractionDigits: 0, useGrouping: 'min2' })

/** As texts print numbers: at most three digits that count, no zero before the point. */
export function shortNumber(value: number): string {
  const rounded = Number(value.toPrecision(3))
  if (Math.abs(rounded) >= 10_000) return grouped.format(rounded)
  return String(rounded).replace(/^(-?)0\./, '$1.').replace('-', '−')
}

/** A share with two decimals, or a dash where it is not known. */
export function shareText(value: number | null): string {
  return value === null ? '–' : value.toFixed(2)
}

/** As in running text, e.g. ".06". */
export function shortShare(value: number): string {
  return value < 0.005 ? '<.01' : shortNumber(Number(value.toFixed(2)))
}

export function countText(value: number): string {
  return grouped.format(value)
}

/** E.g. "0.75 s", "9.4 s", "2 min 5 s". */
export function secondsText(seconds: number | null): string {
  if (seconds === null) return '–'
  if (seconds < 1) return `${seconds.toFixed(2)} s`
  if (seconds < 99.95) return `${seconds.toFixed(1)} s`
  return `${Math.floor(Math.round(seconds) / 60)} min ${Math.round(seconds) % 60} s`
}

export function targetText(target: RunRow['target']): string {
  return target === null ? 'top class' : target.label ?? `class ${target.index}`
}

/** A parameter's value as a person reads it. */
export function valueText(method: MethodInfo | null, name: string, value: ParameterValue | undefined): string {
  if (value === undefined) return '–'
  if (typeof value === 'number') return shortNumber(value)
  if (typeof value === 'boolean') return value ? 'on' : 'off'
  if (name === 'preset') return method?.presets.find((preset) => preset.id === value)?.title ?? value
  const parameter = method?.parameters.find((p) => p.name === name)
  const option = parameter?.type === 'choice' ? parameter.options.find((o) => o.value === value) : undefined
  return option?.label ?? value
}

/** The paper's symbol where there is one. */
export function parameterName(method: MethodInfo | null, name: string): string {
  if (name === 'preset') return 'Preset'
  const parameter = method?.parameters.find((p) => p.name === name)
  return parameter?.symbol ?? parameter?.label ?? name
}

/** As the form calls it. */
export function parameterLabel(method: MethodInfo | null, name: string): string {
  if (name === 'preset') return 'Preset'
  return method?.parameters.find((p) => p.name === name)?.label ?? name
}

/** What a run's parameters change of its preset, e.g. "λs .08, T .3"; the preset's name first where it is not the usual one. */
export function differenceText(method: MethodInfo | null, row: Pick<RunRow, 'parameters' | 'preset' | 'changes'>): string {
  if (!method) return ''
  const known = method.presets.find((preset) => preset.id === row.preset)
  const base: ParameterValues = resolveParameters(method as ParameterSchema, known ? { preset: known.id } : {})
  const parts = Object.entries(row.parameters)
    .filter(([name, value]) => name !== 'preset' && name in base && base[name] !== value)
    .map(([name, value]) => `${parameterName(method, name)} ${valueText(method, name, value)}`)
  if (known && known !== method.presets[0]) parts.unshift(known.title)
  if (row.changes.length > 0) parts.push(row.changes.length === 1 ? 'changed on the way' : `changed ${row.changes.length} times`)
  return parts.join(', ')
}

/** Progress in words, beside the bar. */
export function stateText(row: Pick<RunRow, 'state' | 'iteration' | 'iterations'>): string {
  const share = progressShare(row)
  const percent = share === null ? '' : `${Math.floor(share * 100)}%`
  if (row.state === 'running') return percent || 'running'
  if (row.state === 'paused') return percent === '' ? 'paused' : `paused at ${percent}`
  return row.state
}

/** In [0, 1]; null where the number of iterations is not known yet. */
export function progressShare(row: Pick<RunRow, 'iteration' | 'iterations'>): number | null {
  return row.iterations === null || row.iterations === 0 ? null : Math.min(1, row.iteration / row.iterations)
}

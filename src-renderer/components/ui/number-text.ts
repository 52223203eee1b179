import { clean } from './slider.ts'

export interface NumberRules {
  min?: number | undefined
  max?: number | undefined
  integer?: boolean | undefined
}

export type ReadNumber = { value: number; problem: null } | { value: null; problem: string }

/** Reads what was typed; a decimal comma counts as a point, and whole numbers may be grouped as they are printed. The problem is a sentence that says what to type. */
export function readNumber(typed: string, rules: NumberRules): ReadNumber {
  const grouped = rules.integer && /^[-+]?\d{1,3}(,\d{3})+$/.test(typed.trim())
  const plain = grouped ? typed.trim().replaceAll(',', '') : typed.trim().replace(/^([-+]?\d*),(\d+)$/, '$1.$2')
  const value = Number(plain)
  const { min = -Infinity, max = Infinity } = rules
  const wrong = plain === '' || !Number.isFinite(value) || (rules.integer && !Number.isInteger(value)) || value < min || value > max
  return wrong ? { value: null, problem: wanted(rules) } : { value, problem: null }
}

function wanted({ min = -Infinity, max = Infinity, integer }: NumberRules): string {
  const kind = integer ? 'a whole number' : 'a number'
  if (min > -Infinity && max < Infinity) return `Enter ${kind} from ${formatNumber(min)} to ${formatNumber(max)}.`
  if (min > -Infinity) return `Enter ${kind} of at least ${formatNumber(min)}.`
  if (max < Infinity) return `Enter ${kind} of at most ${formatNumber(max)}.`
  return `Enter ${kind}.`
}

export function formatNumber(value: number): string {
  return String(clean(value))
}

/** One step up or down, within the limits. */
export function stepNumber(value: number, by: number, rules: NumberRules): number {
  const { min = -Infinity, max = Infinity } = rules
  return Math.min(max, Math.max(min, clean(value + by)))
}

import { InvalidArgumentError } from 'commander'
import type { GivenChange } from '#services/run-changes.ts'

/** Readers of option values. Commander prefixes what they throw with the option's name and ends with code 2. */

export function wholeNumber(least: number): (text: string) => number {
  return (text) => {
    const value = Number(text)
    if (!/^\d+$/.test(text) || !Number.isSafeInteger(value) || value < least) {
      throw new InvalidArgumentError(`It must be a whole number from ${least}.`)
    }
    return value
  }
}

export function positiveNumber(text: string): number {
  const value = Number(text)
  if (text.trim() === '' || !Number.isFinite(value) || value <= 0) throw new InvalidArgumentError('It must be a positive number.')
  return value
}

/** `A,B` */
export function range(text: string): [number, number] {
  const parts = text.split(',').map((part) => (part.trim() === '' ? Number.NaN : Number(part)))
  const [lo, hi] = parts
  if (parts.length !== 2 || !parts.every(Number.isFinite) || lo === hi) {
    throw new InvalidArgumentError('It must be two different numbers, what black and white become: 0,1 or -1,1 or 0,255.')
  }
  return [lo!, hi!]
}

/** `A` or `A,B,C`: of all channels, or of each. */
export function channelValues(text: string): number[] {
  const values = text.split(',').map((part) => (part.trim() === '' ? Number.NaN : Number(part)))
  if (values.length > 4 || !values.every(Number.isFinite)) throw new InvalidArgumentError('It must be one number, or one per channel with commas between them.')
  return values
}

export function positiveChannelValues(text: string): number[] {
  const values = channelValues(text)
  if (values.some((value) => value <= 0)) throw new InvalidArgumentError('The numbers must be greater than 0.')
  return values
}

/** `iteration:name=value`, repeatable; several parameters at one iteration are several of these. */
export function change(text: string, before: GivenChange[]): GivenChange[] {
  const parts = /^(\d+):([^=]+)=(.*)$/.exec(text)
  if (!parts) throw new InvalidArgumentError('Write it as iteration:name=value, e.g. --change 120:sparsity-weight=0.1.')
  return [...before, { iteration: Number(parts[1]), parameters: { [parts[2]!.trim()]: parts[3]!.trim() } }]
}

/** `name=value`, repeatable; the last of several with one name counts. */
export function assignment(text: string, before: Record<string, string>): Record<string, string> {
  const equals = text.indexOf('=')
  if (equals < 1) throw new InvalidArgumentError('Write it as name=value, e.g. --set iterations=300.')
  return { ...before, [text.slice(0, equals).trim()]: text.slice(equals + 1).trim() }
}

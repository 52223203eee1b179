import { scaleLinear, scaleLog } from 'd3-scale'
import { numberText, powerOfTen } from './numbers.ts'

/** One axis of a chart: where values lie (0 to 1 along it) and what stands at it. */
export interface Axis {
  kind: 'linear' | 'log'
  /** Lower end of a log axis. */
  floor?: number
  /** Clipped to [0, 1]; on a log axis all that is not above the lower end lies at 0. */
  position(value: number): number
  ticks: { at: number; label: string }[]
  /** Unlabelled ticks of a log axis, 0 to 1. */
  minor: number[]
}

/** The least span, as a share of the values' size, in which ticks can still be told apart as numbers. */
const leastSpan = 1e-9

/** A linear axis over nice limits that hold all values. */
export function linearAxis(low: number, high: number, count: number, nice = true): Axis {
  const distinct = high - low > leastSpan * Math.max(Math.abs(low), Math.abs(high), Number.MIN_VALUE / Number.EPSILON)
  const span = distinct ? [low, high] : [low - 0.5, low + 0.5]
  const scale = scaleLinear().domain(span).range([0, 1])
  if (nice) scale.nice(count)
  return {
    kind: 'linear',
    position: (value) => clip(scale(value)),
    ticks: scale.ticks(count).map((value) => ({ at: scale(value), label: numberText(value, 6) })),
    minor: [],
  }
}

/** Decades below the greatest value that a log axis shows at most: what lies lower does not matter to the eye. */
const mostDecades = 6

/**
 * A log axis for values of which some are positive. Its lower end is a power of ten at or below the least positive
 * value, at most six decades below the upper end.
 */
export function logAxis(values: Iterable<number>, mostLabels: number): Axis {
  let least = Infinity
  let most = 0
  for (const value of values) {
    if (value > 0 && value < least) least = value
    if (value > most) most = value
  }
  const top = Math.ceil(Math.log10(most) - 1e-9)
  const bottom = Math.max(Math.min(Math.floor(Math.log10(least) + 1e-9), top - 1), top - mostDecades)
  // The upper end need not be a whole decade: a curve that starts at 600 does not leave a third of the chart empty.
  const high = most * 1.15 < 10 ** top ? Math.max(most * 1.15, 10 ** (bottom + 1)) : 10 ** top
  const scale = scaleLog().domain([10 ** bottom, high]).range([0, 1])
  const decades = Array.from({ length: top - bottom + 1 }, (_, i) => bottom + i).filter((e) => 10 ** e <= high * (1 + 1e-9))
  const step = Math.ceil(decades.length / Math.max(2, mostLabels))
  const plain = bottom >= -2 && top <= 3
  const ticks = decades.map((exponent, i) => ({
    at: scale(10 ** exponent),
    label: i % step !== 0 ? '' : plain ? numberText(10 ** exponent) : powerOfTen(exponent),
  }))
  const minor = step > 1 ? [] : decades.flatMap((e) => [2, 3, 4, 5, 6, 7, 8, 9].map((m) => m * 10 ** e).filter((v) => v <= high))
  return {
    kind: 'log',
    floor: 10 ** bottom,
    position: (value) => (value <= 10 ** bottom ? 0 : clip(scale(value))),
    ticks,
    minor: minor.map((value) => scale(value)),
  }
}

/** Six decades further down, powers of ten are no numbers any more. */
const leastLogValue = 1e-290

/** A log axis where values are nowhere negative and span more than a factor of 30, else a linear one from 0. */
export function lossAxis(values: readonly number[], mostLabels: number): Axis {
  let low = Infinity
  let high = -Infinity
  let least = Infinity
  for (const value of values) {
    if (value < low) low = value
    if (value > high) high = value
    if (value > 0 && value < least) least = value
  }
  if (low >= 0 && high > leastLogValue && high / least > 30) return logAxis(values, mostLabels)
  return linearAxis(Math.min(0, low), Math.max(0, high), Math.min(4, mostLabels))
}

function clip(t: number): number {
  return Math.min(1, Math.max(0, t))
}

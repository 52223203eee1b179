import { linearAxis, type Axis } from '#shared/figure/axis.ts'
import { numberText } from '#shared/figure/numbers.ts'
import type { RunCourse } from '../../stores/course.ts'
import { axisFor } from '../stage/track.ts'
import { decimate } from './decimate.ts'
import { noisyMedians } from './noise.ts'

/** A line of a chart as it is drawn. */
export interface Curve {
  label: string
  /** The token of its colour, without dashes. */
  colour: string
  /** CSS pixels. */
  width: number
  dash?: readonly [number, number]
  /** The steps themselves where another curve is their running median: without a label, drawn thin and faint. */
  pale?: boolean
  /** Values stand at some of the x only; the line goes on between them. */
  sparse?: boolean
}

/** All that a chart draws; y values are positions on the axis, 0 to 1. */
export interface Curves {
  curves: Curve[]
  axis: Axis
  x: number[]
  y: (number | null)[][]
}

/** Colours that thin lines take in turn. */
const termColours = ['series-1', 'series-2', 'series-3', 'series-4', 'series-5'] as const

/** Each term thin and the total thick, drawn last. */
export function lossCurves(course: RunCourse, logScale: boolean, columns: number): Curves {
  const kept = decimate(course.iterations, course.losses, columns)
  // The figure's axis holds all values; so many are enough to find it.
  const axis = axisFor(course.losses.flatMap((values) => kept.map((i) => values[i]!)), logScale, 6)
  let term = 0
  const curves = course.terms.map((name) => ({ name, label: name.replaceAll('-', ' ') })).map(({ name, label }): Curve => (name === 'total'
    ? { label, colour: 'series-total', width: 1.75 } : { label, colour: termColours[term++ % termColours.length]!, width: 1 }))
  return { axis, x: kept.map((i) => course.iterations[i]!), ...smoothed(curves, course.losses, kept, axis, columns) }
}

/** Curves of these values; noisy ones pale, under their running medians. */
function smoothed(curves: Curve[], values: readonly (readonly number[])[], kept: readonly number[], axis: Axis, columns: number): Pick<Curves, 'curves' | 'y'> {
  const steps = values.map((list) => kept.map((i) => positionOf(axis, list[i]!)))
  const medians = noisyMedians(values, kept, axis, columns)
  if (!medians) return { curves, y: steps }
  return {
    curves: [...curves.map((curve) => ({ ...curve, pale: true, width: 1 })), ...curves.map((curve) => ({ ...curve, sparse: true }))],
    y: [...steps, ...medians],
  }
}

/** Of a probability, always the whole of it. */
const probabilityAxis = linearAxis(0, 1, 2, false)

/** The target under the mask, and of the whole picture as a dashed line. */
export function probabilityCurves(course: RunCourse, { original, deletes }: { original: number | null; deletes: boolean }, last: number, columns: number): Curves {
  const kept = decimate(course.iterations, [course.probability], columns)
  const x = kept.map((i) => course.iterations[i]!)
  const { curves, y } = smoothed([{ label: deletes ? 'deleted' : 'masked', colour: 'series-1', width: 1.5 }], [course.probability], kept, probabilityAxis, columns)
  if (original === null) return { curves, axis: probabilityAxis, x, y }
  // The dashed line spans the whole run, also what is still to come.
  const reaches = (x.at(-1) ?? 0) < last
  return {
    curves: [...curves, { label: 'original', colour: 'series-total', width: 1, dash: [4, 3] }],
    axis: probabilityAxis,
    x: reaches ? [...x, last] : x,
    y: [...(reaches ? y.map((values) => [...values, null]) : y), [...x, ...(reaches ? [last] : [])].map(() => original)],
  }
}

function positionOf(axis: Axis, value: number): number | null {
  return Number.isFinite(value) ? axis.position(value) : null
}

/** The course's row at or before an iteration, or -1. */
export function rowAt(course: RunCourse, iteration: number): number {
  let low = 0
  let high = course.iterations.length
  while (low < high) {
    const middle = (low + high) >> 1
    if (course.iterations[middle]! <= iteration) low = middle + 1
    else high = middle
  }
  return low - 1
}

/** What a table for those who do not see the chart holds. */
export function latestValues(course: RunCourse, iteration: number): { name: string; value: string }[] {
  const row = rowAt(course, iteration)
  if (row < 0) return []
  return [
    ...course.terms.map((name, i) => ({ name, value: numberText(course.losses[i]![row]!, 3) })),
    { name: 'target probability', value: numberText(course.probability[row]!, 3) },
  ]
}

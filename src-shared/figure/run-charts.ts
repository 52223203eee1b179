import { isMinimised, targetName } from './caption.ts'
import { linearAxis, lossAxis, type Axis } from './axis.ts'
import {
  axisHeight, axisWidth, drawBottomAxis, drawEndLabels, drawLeftAxis, drawSeries, labelColumnWidth, labelsHeight, smoothNoise,
  type ChartFrame, type Series,
} from './chart.ts'
import { polyline, type Item } from './display-list.ts'
import { numberText, probabilityText } from './numbers.ts'
import { medianWindow } from './running-median.ts'
import type { RunFigureData } from './run-figure-data.ts'
import type { Sheet } from './run-figure.ts'
import { headAscent, placeText } from './set.ts'
import { axisStroke, ink, termStroke, totalStroke, typeSizes } from './style.ts'
import { ellipsise, textWidth } from './text.ts'

/** mm: from a head's base line to the plot, between the two plots, least heights of the plots. */
const headGap = 2.2
const between = 2.6
/** Beside the pictures, charts are as high as those and may be lower than below them. */
const heights = { below: { loss: 25, probability: 10 }, beside: { loss: 17, probability: 7.5 } }

export interface ChartFacts {
  panels: { loss: string | null; probability: string | null }
  lossAxis: Axis | null
  /** Lower end of the log axis where values lie at or below it, else null. */
  lossFloor: number | null
  loss: Series[]
  probability: Series[]
  /** Iterations that the running median of a noisy line takes together; null where no line is noisy. */
  medianOver: number | null
}

/** Of a probability, always the whole of it. */
const probabilityAxis = linearAxis(0, 1, 2, false)

/** What there is to draw: a run of fewer than two iterations has no curve, an unnormalised classifier no probability. */
export function chartFacts(data: RunFigureData, beside: boolean): ChartFacts {
  const { iterations, terms, probability } = data.losses
  const hasLoss = iterations.length > 1 && terms.length > 0
  const hasProbability = hasLoss && probability !== null
  const values = terms.flatMap((term) => term.values)
  const axis = hasLoss ? lossAxis(values, beside ? 4 : 6) : null
  const loss = axis ? smoothNoise(lossSeries(data), axis) : []
  const masked = hasProbability ? smoothNoise(probabilitySeries(data, probability), probabilityAxis) : []
  const noisy = [...loss, ...masked].some((series) => series.median !== undefined)
  return {
    panels: { loss: hasLoss ? 'd' : null, probability: hasProbability ? 'e' : null },
    lossAxis: axis,
    lossFloor: axis?.floor !== undefined && values.some((v) => v <= (axis.floor as number)) ? axis.floor : null,
    loss,
    probability: masked,
    medianOver: noisy ? medianWindow(iterations.length) : null,
  }
}

function lossSeries({ losses: { iterations, terms } }: RunFigureData): Series[] {
  // The total is drawn first, so that the thin terms stay visible on it.
  const ordered = [...terms.filter((t) => t.name === 'total'), ...terms.filter((t) => t.name !== 'total')]
  let term = 0
  return ordered.map(({ name, values }) => ({
    label: name,
    value: numberText(values[values.length - 1] as number, 2),
    points: iterations.map((iteration, i) => [iteration, values[i] as number] as const),
    stroke: name === 'total' ? totalStroke : termStroke(term++),
  }))
}

function probabilitySeries(data: RunFigureData, probability: readonly number[]): Series[] {
  const { iterations } = data.losses
  const { original } = data.probability
  const last = probability[probability.length - 1] as number
  const ends = [iterations[0] as number, iterations[iterations.length - 1] as number]
  const masked: Series = {
    label: data.deletes ? 'deleted' : 'masked', value: probabilityText(last), stroke: { colour: ink, width: 0.75 },
    points: iterations.map((iteration, i) => [iteration, probability[i] as number] as const),
  }
  if (original === null) return [masked]
  const dashed = { colour: ink, width: 0.75, dash: [2.5, 1.5] }
  return [masked, { label: 'original', value: probabilityText(original), stroke: dashed, points: ends.map((end) => [end, original] as const) }]
}

function headHeight(sheet: Sheet): number {
  return headAscent(sheet.family) + headGap
}

/** mm for charts below or beside the pictures. */
export function leastChartsHeight(sheet: Sheet, facts: ChartFacts, beside: boolean): number {
  const least = heights[beside ? 'beside' : 'below']
  const loss = headHeight(sheet) + Math.max(least.loss, labelsHeight(facts.loss.length, sheet.family))
  const second = facts.panels.probability ? between + headHeight(sheet) + least.probability : 0
  return loss + second + axisHeight(sheet.family)
}

/** The losses, and below them on the same iterations the target's probability. */
export function layOutCharts(
  sheet: Sheet, facts: ChartFacts, area: { x: number; y: number; width: number; height: number },
): Item[] {
  const { data, family } = sheet
  const axis = facts.lossAxis as Axis
  const all = [...facts.loss, ...facts.probability]
  const left = Math.max(axisWidth(axis, family), axisWidth(probabilityAxis, family))
  const column = labelColumnWidth(all, family, area.width * 0.46)
  const iterations = data.losses.iterations
  const plotWidth = area.width - left - column
  const iterationAxis = linearAxis(iterations[0] as number, iterations[iterations.length - 1] as number, Math.max(2, Math.min(5, Math.floor(plotWidth / 9))), false)

  const free = area.height - axisHeight(family) - headHeight(sheet)
  const second = facts.panels.probability ? headHeight(sheet) + between : 0
  const upper = facts.panels.probability ? (free - second) * 0.7 : free
  const frame: ChartFrame = { x: area.x + left, y: area.y + headHeight(sheet), width: plotWidth, height: upper, family }
  const items: Item[] = [
    head(sheet, facts.panels.loss as string, `${isMinimised(data) ? 'Loss' : 'Course'}${axis.kind === 'log' ? ' (log axis)' : ''}`, area.x, frame.y - headGap, area.width),
    ...drawLeftAxis(frame, axis),
    ...drawBottomAxis(frame, iterationAxis, facts.panels.probability ? null : 'iteration'),
    ...drawSeries(frame, iterationAxis, axis, facts.loss),
    ...drawEndLabels(frame, axis, facts.loss, column),
  ]
  if (axis.kind === 'linear' && axis.position(0) > 0) {
    const zero = frame.y + frame.height * (1 - axis.position(0))
    items.push(polyline([[frame.x, zero], [frame.x + plotWidth, zero]], { ...axisStroke, width: 0.35 }))
  }
  if (!facts.panels.probability) return items

  const lower: ChartFrame = { ...frame, y: frame.y + upper + between + headHeight(sheet), height: free - second - upper }
  return [
    ...items,
    head(sheet, facts.panels.probability, `Probability of ${targetName(data)}`, area.x, lower.y - headGap, area.width),
    ...drawLeftAxis(lower, probabilityAxis),
    ...drawBottomAxis(lower, iterationAxis, 'iteration'),
    ...drawSeries(lower, iterationAxis, probabilityAxis, facts.probability),
    ...drawEndLabels(lower, probabilityAxis, facts.probability, column),
  ]
}

function head(sheet: Sheet, letter: string, title: string, x: number, baseline: number, width: number): Item {
  const format = { family: sheet.family, size: typeSizes[sheet.family].head }
  const name = `(${letter})`
  const room = width - textWidth(`${name} `, format, 'bold')
  return placeText([{ text: name, style: 'bold' }, { text: ` ${ellipsise(title, room, format)}` }], x, baseline, format)
}

import type { Axis } from './axis.ts'
import { polyline, type Item, type PathCommand, type Stroke } from './display-list.ts'
import type { FontFamily } from './faces.ts'
import { spreadLabels } from './labels.ts'
import { medianWindow, noiseLimit, runningMedian } from './running-median.ts'
import { capHeight, placeText } from './set.ts'
import { axisStroke, mutedInk, tickLength, typeSizes } from './style.ts'
import { ellipsise, pointMm, textWidth } from './text.ts'

export interface Series {
  label: string
  /** Printed behind the label, muted. */
  value: string
  points: readonly (readonly [number, number])[]
  stroke: Stroke
  /** The line's running median, where the line itself would be noise. */
  median?: Series['points']
}

export interface ChartFrame {
  /** The plot's own area in mm; ticks and labels lie outside. */
  x: number
  y: number
  width: number
  height: number
  family: FontFamily
}

/** mm between the end of a line and its label; a leader in the line's own look bridges it. */
const leader = { start: 0.5, end: 3, text: 3.6 }
/** mm right of the labels, so that no glyph touches the figure's edge. */
const edge = 0.3

/** mm that the labels at the lines' ends take, at most `most`. */
export function labelColumnWidth(series: readonly Series[], family: FontFamily, most: number): number {
  const format = { family, size: typeSizes[family].text }
  const widths = series.map((s) => textWidth(labelText(s), format))
  return Math.min(most, leader.text + Math.max(0, ...widths) + edge)
}

/** mm left of the plot that tick labels take. */
export function axisWidth(axis: Axis, family: FontFamily): number {
  const format = { family, size: typeSizes[family].tick }
  return tickLength + 0.6 + Math.max(0, ...axis.ticks.map((tick) => textWidth(tick.label, format)))
}

/** mm below the plot that tick labels and the axis title take. */
export function axisHeight(family: FontFamily): number {
  const { tick, text } = typeSizes[family]
  return tickLength + 0.7 + capHeight({ family, size: tick }) + 1.3 + capHeight({ family, size: text }) + 0.6
}

/** Least height of a plot in which so many labels stand apart. */
export function labelsHeight(count: number, family: FontFamily): number {
  return count * typeSizes[family].text * pointMm * 1.12
}

/** Left axis with ticks outside; no box. */
export function drawLeftAxis(frame: ChartFrame, axis: Axis): Item[] {
  const { x, y, height, family } = frame
  const format = { family, size: typeSizes[family].tick }
  const at = (t: number) => y + height * (1 - t)
  const minor: PathCommand[] = axis.minor.flatMap((t): PathCommand[] => [['M', x - tickLength / 2, at(t)], ['L', x, at(t)]])
  return [
    polyline([[x, y], [x, y + height]], { ...axisStroke, cap: 'round' }),
    ...axis.ticks.map(({ at: t }) => polyline([[x - tickLength, at(t)], [x, at(t)]], axisStroke)),
    ...(minor.length > 0 ? [{ type: 'path' as const, commands: minor, stroke: { ...axisStroke, width: 0.35 } }] : []),
    ...axis.ticks.filter((tick) => tick.label !== '')
      .map((tick) => placeText(tick.label, x - tickLength - 0.6, at(tick.at), format, { anchor: 'end', vertical: 'middle' })),
  ]
}

/** Bottom axis; with its title where it has one, else the bare line and ticks (another chart below shares it). */
export function drawBottomAxis(frame: ChartFrame, axis: Axis, title: string | null): Item[] {
  const { x, y, width, height, family } = frame
  const bottom = y + height
  const items: Item[] = [
    polyline([[x, bottom], [x + width, bottom]], { ...axisStroke, cap: 'round' }),
    ...axis.ticks.map(({ at }) => polyline([[x + width * at, bottom], [x + width * at, bottom + tickLength]], axisStroke)),
  ]
  if (title === null) return items
  const format = { family, size: typeSizes[family].tick }
  const baseline = bottom + tickLength + 0.7 + capHeight(format)
  for (const tick of axis.ticks) items.push(placeText(tick.label, x + width * tick.at, baseline, format, { anchor: 'middle' }))
  const titleFormat = { family, size: typeSizes[family].text }
  items.push(placeText(title, x + width / 2, baseline + 1.3 + capHeight(titleFormat), titleFormat, { anchor: 'middle' }))
  return items
}

/**
 * Adds the running medians where a line of the chart would be drawn as noise: an objective that is estimated anew at
 * every step jumps between any two. Then the steps are drawn pale, and their median on top.
 */
export function smoothNoise(series: readonly Series[], yAxis: Axis): Series[] {
  const medians = series.map(({ points }) => runningMedian(points.map(([, value]) => value), medianWindow(points.length)))
  const noisy = series.some(({ points }, k) => {
    const median = medians[k] as number[]
    const strayed = points.reduce((sum, [, value], i) => sum + Math.abs(yAxis.position(value) - yAxis.position(median[i] as number)), 0)
    return strayed / points.length > noiseLimit
  })
  if (!noisy) return [...series]
  return series.map((s, k) => ({ ...s, median: s.points.map(([x], i) => [x, (medians[k] as number[])[i] as number] as const) }))
}

/** The lines, thinned to what print can show; all that is pale lies below all that is not. */
export function drawSeries(frame: ChartFrame, xAxis: Axis, yAxis: Axis, series: readonly Series[]): Item[] {
  const draw = (points: Series['points'], stroke: Stroke): Item => {
    const placed = points.map(([u, v]): [number, number] =>
      [frame.x + frame.width * xAxis.position(u), frame.y + frame.height * (1 - yAxis.position(v))])
    return polyline(thin(placed, 0.1), stroke)
  }
  const noisy = series.filter((s) => s.median !== undefined)
  const pale = noisy.map((s) => draw(s.points, { colour: tint(s.stroke.colour), width: 0.35 }))
  return [...pale, ...series.map((s) => draw(s.median ?? s.points, s.stroke))]
}

/** Two thirds of the way to white, as a colour of its own: nothing is transparent. */
function tint(colour: string): string {
  const channels = [1, 3, 5].map((i) => Number.parseInt(colour.slice(i, i + 2), 16))
  return `#${channels.map((c) => Math.round(c + (255 - c) * 0.66).toString(16).padStart(2, '0')).join('')}`
}

/** Labels at the ends of the lines instead of a legend, moved apart where lines end close together. */
export function drawEndLabels(frame: ChartFrame, yAxis: Axis, series: readonly Series[], columnWidth: number): Item[] {
  const { x, y, width, height, family } = frame
  const format = { family, size: typeSizes[family].text }
  const half = capHeight(format) / 2
  const ends = series.map((s) => y + height * (1 - yAxis.position(s.points[s.points.length - 1]?.[1] ?? 0)))
  const places = spreadLabels(ends, format.size * pointMm * 1.12, y + half, y + height - half)
  const right = x + width
  return series.flatMap((s, i): Item[] => {
    const end = ends[i] as number
    const place = places[i] as number
    const room = columnWidth - leader.text - edge - textWidth(s.value === '' ? '' : ` ${s.value}`, format)
    const spans = [{ text: ellipsise(s.label, room, format) }, ...(s.value === '' ? [] : [{ text: ` ${s.value}`, colour: mutedInk }])]
    return [
      polyline([[right + leader.start, end], [right + leader.end, place]], { ...s.stroke, width: Math.min(s.stroke.width, 0.75) }),
      placeText(spans, right + leader.text, place, format, { vertical: 'middle' }),
    ]
  })
}

function labelText(series: Series): string {
  return series.value === '' ? series.label : `${series.label} ${series.value}`
}

/**
 * Of all points in each strip of `step` mm only the first, the lowest, the highest and the last: the drawn line is the
 * same, the file a tenth.
 */
export function thin(points: readonly (readonly [number, number])[], step: number): [number, number][] {
  const kept: [number, number][] = []
  for (let from = 0; from < points.length;) {
    const strip = Math.floor((points[from] as readonly [number, number])[0] / step)
    let to = from
    let low = from
    let high = from
    for (; to < points.length && Math.floor((points[to] as readonly [number, number])[0] / step) === strip; to++) {
      const y = (points[to] as readonly [number, number])[1]
      if (y < (points[low] as readonly [number, number])[1]) low = to
      if (y > (points[high] as readonly [number, number])[1]) high = to
    }
    for (const index of [...new Set([from, low, high, to - 1])].sort((a, b) => a - b)) kept.push([...(points[index] as [number, number])])
    from = to
  }
  return kept
}

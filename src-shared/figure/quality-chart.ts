import { linearAxis, logAxis, type Axis } from './axis.ts'
import { axisHeight, axisWidth, drawBottomAxis, drawLeftAxis, drawSeries, type ChartFrame, type Series } from './chart.ts'
import { polyline, type DisplayList, type Item, type PathCommand } from './display-list.ts'
import type { FontFamily } from './faces.ts'
import { numberText } from './numbers.ts'
import { checkWidth } from './presets.ts'
import { capHeight, placeText } from './set.ts'
import { hairline, ink, mutedInk, termStroke, typeSizes } from './style.ts'
import { ellipsise, pointMm, textWidth } from './text.ts'

/** One method at one budget or several, in the order of its line. */
export interface QualitySeries {
  name: string
  /** Which of the looks of methods it has; that of its place in the order where undefined. */
  look?: number
  /** `x`: evaluations; `low` and `high`: the interval around `y`. */
  points: readonly { x: number; y: number; low: number; high: number }[]
}

export interface QualityChart {
  /** What the left axis shows, e.g. "Average precision, higher is better". */
  title: string
  /** What the bottom axis shows. */
  xTitle: string
  /** Which end of the left axis is the better one: the key begins with it. */
  better: 'higher' | 'lower'
  series: readonly QualitySeries[]
  /** Stands below: how many images, what the bars are. */
  note: string
}

/** mm */
const plotHeight = 52
const marker = 0.85
const keyGap = 2.5
const keyMark = 3

/**
 * Quality against cost: a marker for each method, with its interval as a bar, a line through those of one method at several budgets,
 * and beside the plot the methods in the order of their best point, numbered as in the plot. Evaluations lie on a logarithmic axis;
 * methods that ask nothing lie at its lower end.
 * @throws MaskscopeError 'usage' for a width that cannot be kept
 */
export function layOutQualityChart(chart: QualityChart, { width, family = 'arimo' }: { width: number; family?: FontFamily }): DisplayList {
  checkWidth(width)
  const { title, series, better, note } = chart
  const { items, height } = drawQualityChart(chart, { width, family, least: plotHeight, letter: null })
  const best = shownSeries(series, better).map((one) => `${one.name} ${numberText(bestPoint(one, better).y)}`).join(', ')
  return { width, height, title, description: `${title}: ${best}. ${note}`, items }
}

/** The better end first; what has no point is left out. */
function shownSeries(series: readonly QualitySeries[], better: QualityChart['better']): QualitySeries[] {
  const sign = better === 'higher' ? 1 : -1
  return [...series].filter(({ points }) => points.length > 0).sort((a, b) => sign * (bestPoint(b, better).y - bestPoint(a, better).y))
}

function bestPoint(one: QualitySeries, better: QualityChart['better']): QualitySeries['points'][number] {
  const sign = better === 'higher' ? 1 : -1
  return one.points.reduce((best, point) => (sign * point.y > sign * best.y ? point : best))
}

/** The same as items from the left upper corner. @param least mm of the plot at least */
export function drawQualityChart(
  { title, xTitle, better, series, note }: QualityChart, { width, family, least, letter }: { width: number; family: FontFamily; least: number; letter: string | null },
): { items: Item[]; height: number } {
  const { text, tick } = typeSizes[family]
  const format = { family, size: text }
  const shown = shownSeries(series, better)
  const points = shown.flatMap((one) => one.points)
  const yAxis = linearAxis(Math.min(...points.map(({ low }) => low)), Math.max(...points.map(({ high }) => high)), 5)
  const positive = points.map(({ x }) => x).filter((x) => x > 0)
  const xAxis: Axis = positive.length > 0 ? logAxis(positive, 6) : linearAxis(0, 1, 2)
  const leading = format.size * pointMm * 1.2
  const names = shown.map(({ name }, i) => ({ number: String(i + 1), name }))
  const keyWidth = Math.min(width * 0.4, keyMark + 4 + Math.max(0, ...names.map(({ name }) => textWidth(name, format))))
  const left = axisWidth(yAxis, family) + 0.5
  const top = capHeight(format) + 3.6
  const height = Math.max(least, shown.length * leading)
  const frame: ChartFrame = { x: left, y: top, width: width - left - keyGap - keyWidth, height, family }
  const at = ({ x, y }: { x: number; y: number }): [number, number] => [frame.x + frame.width * xAxis.position(x), frame.y + frame.height * (1 - yAxis.position(y))]
  const lines: Series[] = shown.flatMap(({ name, points: own, look }, i): Series[] =>
    own.length < 2 ? [] : [{ label: name, value: '', stroke: termStroke(look ?? i), points: own.map(({ x, y }) => [x, y] as const) }])
  const items: Item[] = [
    placeText([...(letter === null ? [] : [{ text: `(${letter})`, style: 'bold' as const }, { text: ' ' }]), { text: title }], 0, capHeight(format) + 0.7, format),
    ...drawLeftAxis(frame, yAxis),
    ...drawBottomAxis(frame, xAxis, xTitle),
    ...shown.flatMap(({ points: own }) => own.map((point): Item => polyline([at({ x: point.x, y: point.low }), at({ x: point.x, y: point.high })], hairline))),
    ...drawSeries(frame, xAxis, yAxis, lines),
    ...shown.flatMap(({ points: own, look }, i) => own.map((point) => markerAt(at(point), look ?? i))),
  ]
  const taken: [number, number][] = []
  const markers = points.map(at)
  shown.forEach(({ points: own }, i) => {
    const [x, y] = freePlace(at(bestPoint({ name: '', points: own }, better)), taken, markers)
    taken.push([x, y])
    items.push(placeText(String(i + 1), x, y, { family, size: tick }, { vertical: 'middle', colour: mutedInk }))
  })
  const keyLeft = frame.x + frame.width + keyGap
  names.forEach(({ number, name }, i) => {
    const y = top + leading * (i + 0.5)
    items.push(markerAt([keyLeft + marker, y], shown[i]!.look ?? i))
    items.push(placeText([{ text: number, colour: mutedInk }], keyLeft + keyMark, y, format, { vertical: 'middle' }))
    items.push(placeText(ellipsise(name, keyWidth - keyMark - 4, format), keyLeft + keyMark + 4, y, format, { vertical: 'middle' }))
  })
  const bottom = top + height + axisHeight(family) + 3
  items.push(placeText(note, 0, bottom + capHeight(format), format, { colour: mutedInk }))
  return { items, height: Math.ceil((bottom + capHeight(format) + 1.2) * 100) / 100 }
}

/** Shapes differ as the colours do, so that they can be told apart in greyscale. */
function markerAt([x, y]: readonly [number, number], index: number): Item {
  const { colour } = termStroke(index)
  const corners = 3 + (Math.floor(index / 6) % 4)
  const turn = corners === 4 ? Math.PI / 4 : -Math.PI / 2
  const ring = Array.from({ length: index % 2 === 0 ? 16 : corners }, (_, i): [number, number] => {
    const angle = turn + (2 * Math.PI * i) / (index % 2 === 0 ? 16 : corners)
    return [x + marker * Math.cos(angle), y + marker * Math.sin(angle)]
  })
  const commands: PathCommand[] = [...ring.map(([px, py], i): PathCommand => [i === 0 ? 'M' : 'L', px, py]), ['Z']]
  const filled = Math.floor(index / 6) % 2 === 0
  return { type: 'path', commands, fill: filled ? colour : '#ffffff', stroke: { colour: filled ? colour : colour === '#ffffff' ? ink : colour, width: 0.6 } }
}

/** Beside the marker where nothing stands yet, else a line further down or up. */
function freePlace([x, y]: readonly [number, number], taken: readonly (readonly [number, number])[], markers: readonly (readonly [number, number])[]): [number, number] {
  for (let step = 0; step < 12; step++) {
    const shift = (step % 2 === 0 ? 1 : -1) * Math.ceil(step / 2) * 2.4
    const place: [number, number] = [x + 1.5, y + shift]
    if (taken.every(([tx, ty]) => Math.abs(tx - place[0]) > 3.2 || Math.abs(ty - place[1]) > 2.3)
      && markers.every(([mx, my]) => Math.abs(mx - place[0] - 0.8) > marker + 0.9 || Math.abs(my - place[1]) > marker + 1.1)) return place
  }
  return [x + 1.5, y]
}

import type { Colormap } from '../imaging/colormap.ts'
import type { Limits } from '../imaging/normalisation.ts'
import { linearAxis } from './axis.ts'
import { polyline, type Item } from './display-list.ts'
import type { FontFamily } from './faces.ts'
import { numberText } from './numbers.ts'
import { capHeight, placeText } from './set.ts'
import { axisStroke, tickLength, typeSizes } from './style.ts'
import { textWidth, type TextFormat } from './text.ts'

/** A scale that several maps share, as its bar shows it. */
export interface BarScale {
  colormap: Colormap
  limits: Limits
  /** E.g. "mask". */
  name: string
}

/** mm */
export const barThickness = 1.8
const nameGap = 1.5

/** mm from the upper edge of a lying bar to the end of its labels. */
export function lyingBarHeight(family: FontFamily): number {
  return barThickness + tickLength + 0.6 + capHeight({ family, size: typeSizes[family].tick }) + 0.6
}

/** A lying bar in the middle of `width`, its name before it. */
export function lyingBar(id: string, { colormap, limits, name }: BarScale, x: number, y: number, width: number, family: FontFamily): Item[] {
  const format = { family, size: typeSizes[family].tick }
  const nameWidth = name === '' ? 0 : textWidth(name, format) + nameGap
  const length = Math.max(8, Math.min(55, width - nameWidth - 1))
  const start = Math.max(x + nameWidth, x + (width - nameWidth - length) / 2 + nameWidth)
  const baseline = y + barThickness + tickLength + 0.6 + capHeight(format)
  return [
    { type: 'image', id, x: start, y, width: length, height: barThickness, picture: { width: 256, height: 1, data: colormap.table }, pixelated: true },
    ...(name === '' ? [] : [placeText(name, start - nameGap, y + barThickness / 2, format, { anchor: 'end', vertical: 'middle' })]),
    ...barTicks(limits, start, length, format).flatMap(({ x: tick, label, labelX }): Item[] => {
      const at = Math.min(Math.max(tick, start + 0.09), start + length - 0.09)
      return [polyline([[at, y + barThickness], [at, y + barThickness + tickLength]], axisStroke), placeText(label, labelX, baseline, format, { anchor: 'middle' })]
    }),
  ]
}

/** mm that a standing bar takes with its labels. */
export function standingBarWidth({ limits: { low, high } }: BarScale, family: FontFamily): number {
  const format = { family, size: typeSizes[family].tick }
  return barThickness + tickLength + 0.6 + Math.max(...[low, high].map((limit) => textWidth(numberText(limit, 2), format))) + 0.2
}

/** A standing bar with both limits beside it. */
export function standingBar(id: string, { colormap, limits: { low, high } }: BarScale, x: number, y: number, height: number, family: FontFamily): Item[] {
  const format = { family, size: typeSizes[family].tick }
  const table = new Uint8Array(colormap.table.length)
  for (let i = 0; i < 256; i++) table.set(colormap.table.subarray((255 - i) * 3, (256 - i) * 3), i * 3)
  const half = capHeight(format) / 2
  const right = x + barThickness
  const ends = [{ value: high, at: y + 0.09, label: y + half }, { value: low, at: y + height - 0.09, label: y + height - half }]
  return [
    { type: 'image', id, x, y, width: barThickness, height, picture: { width: 1, height: 256, data: table }, pixelated: true },
    ...ends.flatMap(({ value, at, label }): Item[] => [
      polyline([[right, at], [right + tickLength, at]], axisStroke),
      placeText(numberText(value, 2), right + tickLength + 0.6, label, format, { vertical: 'middle' }),
    ]),
  ]
}

export interface BarTick {
  x: number
  label: string
  labelX: number
}

/** The limits themselves, and round values between them as far as their labels stand clear of each other. */
export function barTicks({ low, high }: Limits, start: number, width: number, format: TextFormat): BarTick[] {
  const half = (label: string) => textWidth(label, format) / 2
  const at = (value: number) => start + (width * (value - low)) / (high - low)
  const lowLabel = numberText(low, 3)
  const highLabel = numberText(high, 3)
  const ticks: BarTick[] = [
    { x: start, label: lowLabel, labelX: Math.max(start, start - 1.2 + half(lowLabel)) },
    // The last label ends with the bar instead of hanging over the edge of the figure.
    { x: start + width, label: highLabel, labelX: start + width - half(highLabel) },
  ]
  const clear = 1.6
  const inner = linearAxis(low, high, width < 30 ? 2 : 4, false).ticks
    .map(({ at: t, label }) => ({ x: start + width * t, label, labelX: start + width * t }))
    .sort((a, b) => Math.abs(a.x - at(0)) - Math.abs(b.x - at(0)) || a.x - b.x)
  for (const tick of inner) {
    if (ticks.every((other) => Math.abs(other.labelX - tick.labelX) >= half(other.label) + half(tick.label) + clear)) ticks.push(tick)
  }
  return ticks
}

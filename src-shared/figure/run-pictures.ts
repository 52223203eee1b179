import { colourMap, composeOverlay, cropBox, seesAll } from '../imaging/overlay.ts'
import { mapTitle } from './map-kind.ts'
import { barTicks } from './colour-bar.ts'
import { polyline, rectangle, type ImageItem, type Item } from './display-list.ts'
import type { Sheet } from './run-figure.ts'
import { capHeight, headAscent, placeText } from './set.ts'
import { axisStroke, hairline, tickLength, typeSizes } from './style.ts'
import { textWidth } from './text.ts'

const gap = 2.4
/** mm between a panel's head and its picture. */
const headGap = 1.5
const tallest = 78
/** Wider than this times its height, pictures stand one under another. */
const wideAspect = 2.3
/** Below this, viewers would blur a picture's own pixels: they are drawn square. */
const smoothFrom = 200

export interface PicturesShape {
  stacked: boolean
  /** mm, of one picture. */
  width: number
  height: number
  /** mm from one picture's left edge to the next one's, in a row. */
  pitch: number
}

/** Three pictures of the same size in a row, or one under another where a row would make them slivers. */
export function picturesShape(picture: { width: number; height: number }, available: number): PicturesShape {
  const aspect = picture.width / picture.height
  const stacked = aspect > wideAspect
  const cell = stacked ? available : (available - 2 * gap) / 3
  const width = Math.max(0.5, Math.min(cell, tallest * aspect))
  return { stacked, width, height: Math.max(0.5, width / aspect), pitch: cell + gap }
}

/** Input, map and overlay with their heads, and the one colour bar that the last two share. */
export function layOutPictures(
  sheet: Sheet, x: number, y: number, available: number, shape: PicturesShape,
): { items: Item[]; height: number } {
  const { data, family, scale } = sheet
  const headFormat = { family, size: typeSizes[family].head }
  const headHeight = headAscent(family) + headGap
  const step = shape.stacked ? { x: 0, y: headHeight + shape.height + 2.6 } : { x: shape.pitch, y: 0 }
  const places = [0, 1, 2].map((i) => ({ x: x + i * step.x, y: y + headHeight + i * step.y }))
  const heads = ['Input', mapTitle(data), 'Overlay']

  const items: Item[] = places.map((place, i) => placeText(
    [{ text: `(${'abc'[i]})`, style: 'bold' }, { text: ` ${heads[i]}` }], place.x, place.y - headGap, headFormat))
  const [input, map, overlay] = places as [Place, Place, Place]
  const sharp = (pixels: number) => pixels / (shape.width / 25.4) < smoothFrom
  const image = (id: string, place: Place, picture: ImageItem['picture'], pixelated: boolean): ImageItem =>
    ({ type: 'image', id, ...place, width: shape.width, height: shape.height, picture, pixelated })

  items.push(image('input', input, data.picture, sharp(data.picture.width)))
  const crop = cropBox(data.view, shape)
  const colours = colourMap(data.map, scale.limits, scale.colormap)
  items.push({ type: 'image', id: 'map', x: map.x + crop.left, y: map.y + crop.top, width: crop.width, height: crop.height, picture: colours, pixelated: true })
  const composed = composeOverlay(data.picture, data.map, { view: data.view, limits: scale.limits, colormap: scale.colormap })
  items.push(image('overlay', overlay, composed, sharp(composed.width)))
  const framed = !seesAll(data.view)
  if (framed) items.push(...cropFrame(input.x + crop.left, input.y + crop.top, crop.width, crop.height))
  // Where the map does not fill the picture, or is white at zero, its ends would be lost on the paper.
  if (framed || scale.colormap.diverging) {
    const inset = 0.06
    const commands = rectangle(map.x + inset, map.y + inset, shape.width - 2 * inset, shape.height - 2 * inset)
    items.push({ type: 'path', commands, stroke: hairline })
  }

  const bar = colourBar(sheet, shape.stacked ? x : map.x, overlay.x + shape.width, overlay.y + shape.height + 2, x)
  items.push(...bar.items)
  return { items, height: bar.bottom - y }
}

interface Place {
  x: number
  y: number
}

/** Seen on light and dark pictures alike: a white line with dark dashes on it. */
function cropFrame(x: number, y: number, width: number, height: number): Item[] {
  // The line lies inside, so that it is whole where the crop ends with the picture.
  const inset = 0.1
  const commands = rectangle(x + inset, y + inset, width - 2 * inset, height - 2 * inset)
  return [
    { type: 'path', commands, stroke: { colour: '#ffffff', width: 0.5 } },
    { type: 'path', commands, stroke: { colour: '#000000', width: 0.5, dash: [2, 2] } },
  ]
}

const barHeight = 1.8

/** A horizontal colour bar from `left` to `right`; its name stands left of it, at or right of `leftmost`. */
function colourBar(sheet: Sheet, left: number, right: number, y: number, leftmost: number): { items: Item[]; bottom: number } {
  const { data, family, scale } = sheet
  const format = { family, size: typeSizes[family].tick }
  const name = mapTitle(data).toLowerCase()
  const nameWidth = textWidth(name, format)
  // In a row the name stands under the input; where there is no such room the bar gives way.
  const start = left - leftmost >= nameWidth + 1.5 ? left : leftmost + nameWidth + 1.5
  const width = right - start
  const baseline = y + barHeight + tickLength + 0.6 + capHeight(format)
  const items: Item[] = [
    { type: 'image', id: 'bar', x: start, y, width, height: barHeight, picture: { width: 256, height: 1, data: scale.colormap.table }, pixelated: true },
    placeText(name, start - 1.5, y + barHeight / 2, format, { anchor: 'end', vertical: 'middle' }),
  ]
  for (const { x, label, labelX } of barTicks(scale.limits, start, width, format)) {
    // The last tick's line lies whole inside the bar, and so inside the figure.
    const tickX = Math.min(x, right - 0.09)
    items.push(polyline([[tickX, y + barHeight], [tickX, y + barHeight + tickLength]], axisStroke))
    items.push(placeText(label, labelX, baseline, format, { anchor: 'middle' }))
  }
  return { items, bottom: baseline + 0.6 }
}

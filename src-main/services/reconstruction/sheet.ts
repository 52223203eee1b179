import type { Picture } from '#shared/domain/image.ts'
import type { PictureSize } from '#shared/domain/reconstruction.ts'
import { rectangle, type DisplayList, type Item } from '#shared/figure/display-list.ts'
import { ink, mutedInk } from '#shared/figure/style.ts'
import { setLine } from '#shared/figure/text.ts'
import { renderFigure } from '../figures.ts'

export interface SheetCell {
  /** [height, width, channels] in [0, 1] */
  image: Float32Array
  /** A short line below it. */
  below?: string
  /** What it is of the explained classifier: accepted, or not. */
  accepted?: boolean
}

export interface Sheet {
  title: string
  /** Over the first row. */
  heads: readonly string[]
  rows: readonly { label: string; cells: readonly (SheetCell | null)[] }[]
}

/** mm */
const [cell, gap, label, head, margin, below] = [11, 1.2, 17, 4, 2, 2.6]
const type = { family: 'arimo', size: 6 } as const
const refused = '#b3261e'

/** Pictures in rows and columns as a PNG; those that do not keep the outcome have a red frame. */
export async function drawSheet({ title, heads, rows }: Sheet, size: PictureSize, dpi = 200): Promise<Uint8Array> {
  const columns = Math.max(...rows.map(({ cells }) => cells.length))
  const tall = (cell * size.height) / size.width
  const lined = rows.some(({ cells }) => cells.some((one) => one?.below !== undefined))
  const step = tall + gap + (lined ? below : 0)
  const left = rows.some((row) => row.label !== '') ? margin + label : margin
  const items: Item[] = []
  const write = (text: string, x: number, y: number, colour: string = ink): void => void items.push({ type: 'text', x, y, size: type.size, colour, line: setLine([{ text }], type) })
  heads.forEach((text, column) => write(text, left + column * (cell + gap), margin + head - 1.2, mutedInk))
  rows.forEach((row, r) => {
    const y = margin + head + r * step
    if (row.label !== '') write(row.label, margin, y + tall / 2 + 0.8)
    row.cells.forEach((one, column) => {
      if (!one) return
      const x = left + column * (cell + gap)
      items.push({ type: 'image', id: `picture-${r}-${column}`, x, y, width: cell, height: tall, picture: pictureOf(one.image, size), pixelated: true })
      items.push({ type: 'path', commands: rectangle(x, y, cell, tall), stroke: one.accepted === false ? { colour: refused, width: 1.2 } : { colour: '#8a8a8a', width: 0.35 } })
      if (one.below !== undefined) write(one.below, x, y + tall + below - 0.3, one.accepted === false ? refused : mutedInk)
    })
  })
  const list: DisplayList = {
    width: left + columns * (cell + gap) - gap + margin, height: margin + head + rows.length * step - gap + margin, title, description: `${rows.length} rows of ${columns} pictures`, items,
  }
  return renderFigure(list, 'png', dpi)
}

/** A grey or coloured image as a picture of 8 bits. */
export function pictureOf(image: Float32Array, { height, width, channels }: PictureSize): Picture {
  const data = new Uint8Array(height * width * 3)
  for (let p = 0; p < height * width; p++) {
    for (let c = 0; c < 3; c++) data[3 * p + c] = Math.round(255 * Math.min(1, Math.max(0, image[p * channels + (channels === 1 ? 0 : c)]!)))
  }
  return { height, width, data }
}

import type { Picture } from '#shared/domain/image.ts'
import { resize } from '#shared/imaging/resize.ts'
import { createRandom } from '#shared/random/random.ts'
import { wrongSpec, type DataItem, type Label, type LoadedItem, type TrueObject } from './item.ts'
import { madeImage } from './made-image.ts'

export interface MosaicOrder {
  /** Cells along each side. */
  side: number
  /** How many times the images are shared out anew. */
  repeats: number
  seed: number
}

/** Of a cell, in pixels. */
const longestCell = 512

/**
 * Grids of N×N images of different classes for the grid pointing game. Each image is in at most one grid of a partition; what is
 * left over is in none.
 * @param of what they are made from; images without a class are passed over
 * @throws MaskscopeError 'usage' where there are too few classes for one grid
 */
export async function mosaicItems(of: readonly DataItem[], { side, repeats, seed }: MosaicOrder, stem: string): Promise<DataItem[]> {
  const labelled: Cell[] = []
  for (const item of of) {
    const label = await item.label?.()
    if (label) labelled.push({ item, label })
  }
  const items: DataItem[] = []
  for (let repeat = 0; repeat < repeats; repeat++) {
    for (const cells of partition(labelled, side * side, seed, repeat)) {
      const reference = `${stem}#${items.length}`
      items.push({ kind: 'file', reference, member: reference, label: () => Promise.resolve(cells[0]!.label), load: () => loadMosaic(cells, side, reference) })
    }
  }
  if (items.length > 0) return items
  const classes = new Set(labelled.map(({ label }) => keyOf(label))).size
  throw wrongSpec(stem, `"${stem}" needs images of ${side * side} different classes for a grid; there are ${labelled.length} with a class, of ${classes}.`)
}

interface Cell {
  item: DataItem
  label: Label
  /** In the grid, row by row. */
  place?: number
}

function keyOf({ index, text }: Label): string {
  return text ?? String(index)
}

/** Grids whose cells differ in class; the class with the most images left is served first, so that the most grids come about. */
function partition(cells: readonly Cell[], size: number, seed: number, repeat: number): Required<Cell>[][] {
  const random = createRandom(seed, 'mosaic', repeat)
  const classes = new Map<string, Cell[]>()
  for (const cell of shuffled(cells, random)) {
    const key = keyOf(cell.label)
    classes.set(key, [...(classes.get(key) ?? []), cell])
  }
  const grids: Required<Cell>[][] = []
  for (let left = [...classes.values()]; left.length >= size; left = left.filter((rest) => rest.length > 0)) {
    const chosen = shuffled(left, random).sort((a, b) => b.length - a.length).slice(0, size)
    // The first of the list is the one that is asked for.
    const places = shuffled(Array.from({ length: size }, (_, i) => i), random)
    grids.push(chosen.map((rest, i) => ({ ...rest.pop()!, place: places[i]! })))
  }
  return grids
}

function shuffled<T>(list: readonly T[], random: { below(limit: number): number }): T[] {
  const result = [...list]
  for (let i = result.length - 1; i > 0; i--) {
    const j = random.below(i + 1)
    ;[result[i], result[j]] = [result[j]!, result[i]!]
  }
  return result
}

async function loadMosaic(cells: readonly Required<Cell>[], side: number, reference: string): Promise<LoadedItem> {
  const pictures = await Promise.all(cells.map(async ({ item }) => (await item.load()).picture))
  const cell = Math.min(longestCell, ...pictures.map(({ width, height }) => Math.min(width, height)))
  const size = cell * side
  const data = new Uint8Array(size * size * 3)
  const objects = cells.map(({ item, label, place }, i): TrueObject & { label: Label } => {
    const left = (place % side) * cell
    const top = Math.floor(place / side) * cell
    const square = centralSquare(pictures[i]!, cell)
    const mask = new Uint8Array(size * size)
    for (let y = 0; y < cell; y++) {
      data.set(square.subarray(y * cell * 3, (y + 1) * cell * 3), ((top + y) * size + left) * 3)
      mask.fill(1, (top + y) * size + left, (top + y) * size + left + cell)
    }
    return { label, truth: { kind: 'cell', width: size, height: size, mask }, source: item.reference }
  })
  const image = await madeImage(reference, { width: size, height: size, data })
  return { ...image, label: objects[0]!.label, truth: objects[0]!.truth, objects }
}

function centralSquare({ width, height, data }: Picture, side: number): Uint8Array {
  const length = Math.min(width, height)
  const region = { left: Math.floor((width - length) / 2), top: Math.floor((height - length) / 2), width: length, height: length }
  const values = resize({ width, data, channels: 3 }, region, { width: side, height: side }, 'lanczos3')
  return Uint8Array.from(values, (v) => Math.min(255, Math.max(0, Math.round(v))))
}

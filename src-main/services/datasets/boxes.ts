import { loadImage } from '../images.ts'
import { readBoxes, type Box, type BoxList } from './box-files.ts'
import { badFile, type DataItem, type Label, type LoadedItem, type TrueObject } from './item.ts'
import { findPairs, type Pair } from './pairs.ts'

/** Rounding and the two ways of counting pixels move a box by this much; so far beyond the border it is cut, not refused. */
const tolerance = 1

/**
 * `boxes:DIR`: images with boxes, each in a text file (`class left top right bottom`) or a Pascal VOC annotation of the same name,
 * or the folders JPEGImages and Annotations. The label is the class with the largest area; its boxes, filled, are the truth.
 */
export async function boxItems(folder: string, spec: string): Promise<DataItem[]> {
  const pairs = await findPairs(folder, spec, {
    folder: 'Annotations', what: 'boxes', names: (stem) => [`${stem}.xml`, `${stem}.txt`], isTruth: () => false,
  })
  return pairs.map((pair, i) => ({
    kind: 'file', reference: pair.image, member: `boxes:${folder}#${i}`,
    label: async () => labelOf(await readBoxes(pair.truth)),
    load: () => loadBoxed(pair),
  }))
}

/** By the area of boxes as they are written, without the image. */
function labelOf({ boxes }: BoxList): Label | null {
  const areas = new Map<string, number>()
  for (const box of boxes) areas.set(box.class, (areas.get(box.class) ?? 0) + (box.right - box.left + 1) * (box.bottom - box.top + 1))
  const [largest] = [...areas].sort((a, b) => b[1] - a[1])
  return largest ? { text: largest[0] } : null
}

async function loadBoxed({ image, truth }: Pair): Promise<LoadedItem> {
  const [loaded, list] = await Promise.all([loadImage(image), readBoxes(truth)])
  const { width, height } = loaded.picture
  const { size } = list
  if (size && (size.width !== width || size.height !== height)) {
    throw badFile('annotation', truth, `states ${size.width} × ${size.height} pixels, but ${image} has ${width} × ${height}; the two do not belong together`)
  }
  for (const box of list.boxes) requireInside(box, width, height, truth)
  const first = labelOf(list)?.text
  const classes = [...new Set(list.boxes.map((box) => box.class))]
  const objects = classes
    .sort((a, b) => Number(b === first) - Number(a === first))
    .map((name): TrueObject & { label: Label } => ({
      label: { text: name }, truth: { kind: 'boxes', width, height, mask: filled(list.boxes.filter((box) => box.class === name), width, height) },
    }))
  const [main] = objects
  return { ...loaded, objects, ...(main ? { label: main.label, truth: main.truth } : {}) }
}

function requireInside({ left, top, right, bottom }: Box, width: number, height: number, file: string): void {
  const fits = left >= 1 - tolerance && top >= 1 - tolerance && right <= width + tolerance && bottom <= height + tolerance && left <= width && top <= height && right >= 1 && bottom >= 1
  if (!fits) throw badFile('list of boxes', file, `has the box ${left} ${top} ${right} ${bottom}, which lies outside of its image of ${width} × ${height} pixels`)
}

function filled(boxes: readonly Box[], width: number, height: number): Uint8Array {
  const mask = new Uint8Array(width * height)
  for (const box of boxes) {
    const from = Math.max(1, Math.round(box.left)) - 1
    const to = Math.min(width, Math.round(box.right))
    for (let y = Math.max(1, Math.round(box.top)) - 1; y < Math.min(height, Math.round(box.bottom)); y++) mask.fill(1, y * width + from, y * width + to)
  }
  return mask
}

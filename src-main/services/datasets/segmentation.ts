import { existsSync } from 'node:fs'
import path from 'node:path'
import { loadImage } from '../images.ts'
import { readLabels } from '../labels.ts'
import { badFile, type DataItem, type Label, type LoadedItem, type TrueObject } from './item.ts'
import { readMask } from './mask-png.ts'
import { findPairs, type Pair } from './pairs.ts'

/** Pascal VOC's number for pixels that nobody judges; where it is the only one it stands for the object. */
const unjudged = 255

/**
 * `segmentation:DIR`: images with a PNG mask each, `NAME_mask.png` beside `NAME.*`, or the folders JPEGImages and
 * SegmentationClass. 0 is background, other values are classes; classes.txt, a name a line from value 0 on, names them. Without
 * it all that is not background is one object without a label.
 */
export async function segmentationItems(folder: string, spec: string): Promise<DataItem[]> {
  const pairs = await findPairs(folder, spec, {
    folder: 'SegmentationClass', what: 'a mask',
    names: (stem, beside) => (beside ? [`${stem}_mask.png`] : [`${stem}.png`]),
    isTruth: (name) => /_mask\.png$/i.test(name),
  })
  const namesFile = path.join(folder, 'classes.txt')
  const names = existsSync(namesFile) ? await readLabels(namesFile) : null
  return pairs.map((pair, i): DataItem => ({
    kind: 'file', reference: pair.image, member: `segmentation:${folder}#${i}`,
    label: async () => (names ? (objectsIn(await readMask(pair.truth), names, pair.truth)[0]?.label ?? null) : null),
    load: () => loadSegmented(pair, names),
  }))
}

async function loadSegmented({ image, truth }: Pair, names: readonly string[] | null): Promise<LoadedItem> {
  const [loaded, mask] = await Promise.all([loadImage(image), readMask(truth)])
  const { width, height } = loaded.picture
  if (mask.width !== width || mask.height !== height) {
    throw badFile('mask', truth, `has ${mask.width} × ${mask.height} pixels, but ${image} has ${width} × ${height}; the two do not belong together`)
  }
  const objects = objectsIn(mask, names, truth)
  const [main] = objects
  return { ...loaded, objects, ...(main ? { truth: main.truth, ...(main.label ? { label: main.label } : {}) } : {}) }
}

/** The largest first. */
function objectsIn({ values, width, height }: { values: Uint8Array; width: number; height: number }, names: readonly string[] | null, file: string): TrueObject[] {
  const areas = new Map<number, number>()
  for (const value of values) if (value !== 0) areas.set(value, (areas.get(value) ?? 0) + 1)
  if (areas.size > 1) areas.delete(unjudged)
  const found = [...areas].sort((a, b) => b[1] - a[1] || a[0] - b[0]).map(([value]) => value)
  const object = (label: Label | null, inside: (value: number) => boolean): TrueObject => ({
    label, truth: { kind: 'segmentation', width, height, mask: values.map((value) => (inside(value) ? 1 : 0)) },
  })
  if (found.length === 0) return []
  if (!names) return [object(null, (value) => areas.has(value))]
  return found.map((value) => {
    const text = names[value]
    if (text === undefined) throw badFile('mask', file, `has the value ${value}, but classes.txt names only 0 to ${names.length - 1}`)
    return object({ text }, (other) => other === value)
  })
}

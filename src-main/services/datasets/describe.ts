import type { DataItem, Label, TruthKind } from './item.ts'

/** What `maskscope datasets` tells of a data set. */
export interface DataDescription {
  spec: string
  images: number
  /** Of how many images the class is known. */
  labelled: number
  /** How often each class occurs, in the order of the classes. */
  classes: { index: number | null; label: string | null; images: number }[]
  /** Of the first image; null where it has none. */
  truth: TruthKind | null
  first: ItemDescription[]
}

export interface ItemDescription {
  reference: string
  width: number
  height: number
  index: number | null
  label: string | null
  truth: { kind: TruthKind; share: number } | null
  /** Others in the image. */
  others: string[]
}

const mostDescribed = 5

/**
 * Looks at every item's class and loads the first few.
 * @throws MaskscopeError where a file is not what it claims
 */
export async function describeData(spec: string, items: readonly DataItem[]): Promise<DataDescription> {
  const classes = new Map<string, DataDescription['classes'][number]>()
  let labelled = 0
  for (const item of items) {
    const label = await item.label?.()
    if (!label) continue
    labelled++
    const key = nameOf(label)
    const known = classes.get(key) ?? { index: label.index ?? null, label: label.text ?? null, images: 0 }
    classes.set(key, { ...known, images: known.images + 1 })
  }
  const first: ItemDescription[] = []
  for (const item of items.slice(0, mostDescribed)) first.push(await describeItem(item))
  return {
    spec, images: items.length, labelled, truth: first[0]?.truth?.kind ?? null, first,
    classes: [...classes].sort(([a], [b]) => a.localeCompare(b, 'en', { numeric: true })).map(([, entry]) => entry),
  }
}

async function describeItem(item: DataItem): Promise<ItemDescription> {
  const { picture: { width, height }, label, truth, objects = [] } = await item.load()
  return {
    reference: item.reference, width, height, index: label?.index ?? null, label: label?.text ?? null,
    truth: truth ? { kind: truth.kind, share: truth.mask.reduce((sum, bit) => sum + bit, 0) / truth.mask.length } : null,
    others: objects.slice(1).flatMap((object) => (object.label ? [nameOf(object.label)] : [])),
  }
}

/** How a person is told a class. */
export function nameOf({ index, text }: Label): string {
  return text ?? `class ${index}`
}

import { MaskscopeError } from '#shared/domain/errors.ts'
import type { ModelInfo } from '#shared/domain/model.ts'
import { prepareImage } from '#engine/classifier/prepare.ts'
import { classOf } from '../benchmark/subjects.ts'
import type { DataItem } from '../datasets.ts'
import { prepareItem } from '../prepared-input.ts'
import type { Ground } from './salient-methods.ts'

type Sight = Pick<ModelInfo, 'name' | 'input' | 'preprocessing' | 'labels' | 'classes'>

/**
 * The true class of each item among the classifier's, null where it is not known. Nothing is loaded but for data sets that tell no
 * classes otherwise; those are left unlabelled.
 * @throws MaskscopeError 'input' where the data can show nothing about this classifier: none of their classes is one of its, or all images
 * are of one class
 */
export async function labelsOf(items: readonly DataItem[], info: Sight, spec: string): Promise<(number | null)[]> {
  const wrong = (what: string): MaskscopeError => new MaskscopeError('input', what, { subject: 'data' })
  if (items.length === 0) throw wrong(`The data set ${spec} holds no image.`)
  const labels: (number | null)[] = []
  let labelled = 0
  let beyond: number | undefined
  for (const item of items) {
    const label = (await item.label?.()) ?? null
    const index = label && classOf(label, info)
    if (label) labelled++
    if (label && index === null) beyond ??= label.index
    labels.push(index)
  }
  if (labelled === 0) return labels
  if (labels.every((label) => label === null)) throw wrong(`The classifier ${info.name} knows none of the classes of ${spec}; choose the data that it was trained for.`)
  if (beyond !== undefined) throw wrong(`The data set ${spec} has images of class ${beyond}, and the classifier ${info.name} has ${info.classes} classes (0 to ${info.classes - 1}); choose the data that it was trained for.`)
  if (labelled > 1 && labelled === items.length && new Set(labels).size === 1) {
    throw wrong(`All images of ${spec} are of one class (${info.labels?.[labels[0]!] ?? labels[0]}), so keeping it would say nothing; choose data of two classes at least.`)
  }
  return labels
}

/** What the classifier sees of an item, in 8 bits: [height, width, channels]. */
export async function bytesOf(item: DataItem, { input, preprocessing }: Sight): Promise<Uint8Array> {
  const { height, width, channels } = input
  const picture = await item.picture?.()
  if (picture && preprocessing.fit === 'squash' && picture.height === height && picture.width === width) {
    if (channels === 3) return picture.data
    const grey = picture.data.every((value, i) => value === picture.data[i - (i % 3)])
    if (grey) return Uint8Array.from({ length: height * width }, (_, i) => picture.data[3 * i]!)
  }
  const { image } = picture ? await prepareImage(picture, input, preprocessing) : await prepareItem(await item.load(), { input, preprocessing })
  return Uint8Array.from(image.data, (value) => Math.round(255 * value))
}

/** What the pictures stand on, by the first few that can be read: black where a third of their pixels is almost that. */
export async function groundOf(items: readonly DataItem[], info: Sight): Promise<Ground> {
  let [dark, all] = [0, 0]
  for (const item of items.slice(0, 50)) {
    const bytes = await bytesOf(item, info).catch(() => new Uint8Array(0))
    dark += bytes.reduce((sum, value) => sum + (value <= 8 ? 1 : 0), 0)
    all += bytes.length
  }
  return all > 0 && dark / all > 1 / 3 ? 'black' : 'any'
}

import type { ImageBatch, Picture } from '#shared/domain/image.ts'
import { MaskscopeError } from '#shared/domain/errors.ts'
import type { LoadedImage } from '../images.ts'

/** One image of a data set, not loaded yet: a data set may be larger than memory. */
export interface DataItem {
  kind: 'file' | 'scene'
  /** What a person calls it: a file's path as given, `scene:SEED` (or `scenes-two:1@SEED`, …), `idx:DIR#i`. */
  reference: string
  /** How it is found again with its truth, where it belongs to a data set of files, e.g. `boxes:DIR#3`. */
  member?: string
  /** The class of the image, without loading it; null where it is not known. */
  label?(): Promise<Label | null>
  /** The pixels alone, where they can be had much faster than by `load`, which makes a file of them. */
  picture?(): Promise<Picture>
  load(): Promise<LoadedItem>
}

export interface LoadedItem extends LoadedImage {
  /** Scenes only: the exact values, 1×64×64×3, of which the picture and its bytes (a PNG) are the rounded form. */
  exact?: ImageBatch
  /** The class of the image, or of its first object. */
  label?: Label
  /** Where the evidence for `label` lies. */
  truth?: Truth
  /** All that is known to be in the image, the one of `label` first; other classes after it. undefined where the data knows nothing of objects. */
  objects?: readonly TrueObject[]
}

/** A class as a data set names it. At least one of the two. */
export interface Label {
  /** Of the classifier's outputs. */
  index?: number
  text?: string
}

/** What a truth is made of: an object's own pixels, filled boxes, a segmentation, or the cell of a mosaic. */
export type TruthKind = 'object' | 'boxes' | 'segmentation' | 'cell'

export interface Truth {
  kind: TruthKind
  /** Of the picture. */
  width: number
  height: number
  /** [height·width], 0 or 1 */
  mask: Uint8Array
}

export interface TrueObject {
  label: Label | null
  truth: Truth
  /** Of a mosaic's cell: the image that it shows. */
  source?: string
}

/** Something was asked for that does not exist. */
export function wrongSpec(spec: string, message: string): MaskscopeError {
  return new MaskscopeError('usage', message, { subject: spec })
}

/** @param what completes "The <kind> <file> …", e.g. "is cut off; copy or download it again" */
export function badFile(kind: string, file: string, what: string, cause?: unknown): MaskscopeError {
  return new MaskscopeError('input', `The ${kind} ${file} ${what}.`, { subject: file, cause })
}

/** The i-th of a data set's items. @throws MaskscopeError 'usage' past the end */
export function pick<T>(items: readonly T[], index: string | undefined, spec: string): T[] {
  if (index === undefined) return [...items]
  const item = items[Number(index)]
  if (!item) throw wrongSpec(spec, `"${spec}" asks for image ${index}, counted from 0, but there are ${items.length}.`)
  return [item]
}

/** An RGB image of a batch of one, rounded to 8 bits. */
export function pictureOf(image: Pick<ImageBatch, 'width' | 'height' | 'data'>): Picture {
  const { width, height, data } = image
  return { width, height, data: Uint8Array.from(data, (v) => Math.round(Math.min(1, Math.max(0, v)) * 255)) }
}

/** `1 image`, `2 images` */
export function counted(count: number, noun: string): string {
  return `${count.toLocaleString('en')} ${noun}${count === 1 ? '' : 's'}`
}

import path from 'node:path'
import { setImmediate } from 'node:timers/promises'
import type { DataSet } from '#shared/contract/models.ts'
import { MaskscopeError, serialiseError } from '#shared/domain/errors.ts'
import type { DataItem, Label } from './datasets.ts'
import { resolveWithin, type Reach } from './datasets/reach.ts'
import type { Handles } from './handles.ts'
import { pngWithin, thumbnailSide } from './thumbnails.ts'

export interface DataEntry {
  index: number
  label: string | null
  /** Where its object lies is known. */
  truth: boolean
  /** PNG; null where the image cannot be read, which `problem` explains. */
  thumbnail: Uint8Array<ArrayBuffer> | null
  problem: string | null
}

export interface OpenData {
  /** From the `first` on. @throws MaskscopeError 'input' or 'usage', naming the file that is not what it claims */
  page(data: DataSet, first: number, count: number): Promise<{ total: number; entries: DataEntry[] }>
  /** @throws MaskscopeError 'usage' past the end */
  pick(data: DataSet, indices: readonly number[]): Promise<DataItem[]>
}

/**
 * The data sets that a window looks through; the latest stays at hand, since a packed one is read whole.
 * @param reach null: everything may be read
 */
export function createOpenData(handles: Handles, reach: Reach | null = null): OpenData {
  let latest: { spec: string; items: Promise<DataItem[]> } | null = null

  function itemsOf(data: DataSet): Promise<DataItem[]> {
    const spec = specOf(data, handles.path(data.place))
    if (latest?.spec !== spec) {
      const items = resolveWithin(spec, reach)
      const mine = latest = { spec, items }
      // What failed is looked at anew: the person may have mended it.
      items.catch(() => (latest === mine ? (latest = null) : undefined))
    }
    return latest.items
  }

  return {
    async page(data, first, count) {
      // From the beginning again: the files may have changed.
      if (first === 0) latest = null
      const items = await itemsOf(data)
      const entries: DataEntry[] = []
      for (const [i, item] of items.slice(first, first + count).entries()) {
        entries.push(await entryOf(item, first + i))
        // A page must not hold up what else is asked for.
        await setImmediate()
      }
      return { total: items.length, entries }
    },
    async pick(data, indices) {
      const items = await itemsOf(data)
      return indices.map((index) => {
        const item = items[index]
        if (!item) throw new MaskscopeError('usage', `There is no image ${index}, counted from 0: the data set holds ${items.length}.`, { subject: 'data' })
        return item
      })
    },
  }
}

/** As a person writes it on the command line. */
export function specOf({ kind, part, mosaic }: DataSet, place: string): string {
  const spec = `${kind}:${place}${part === 'train' && (kind === 'idx' || kind === 'cifar10') ? ':train' : ''}`
  return mosaic === null ? spec : `mosaic:${mosaic}(${spec})`
}

async function entryOf(item: DataItem, index: number): Promise<DataEntry> {
  try {
    const content = await item.load()
    return { index, label: labelText(content.label), truth: content.truth !== undefined, thumbnail: await pngWithin(content.picture, thumbnailSide), problem: null }
  } catch (error) {
    return { index, label: null, truth: false, thumbnail: null, problem: serialiseError(error, 'input').message }
  }
}

/** A class as it is told where no model is asked. */
export function labelText(label: Label | undefined | null): string | null {
  return label ? label.text ?? `class ${label.index}` : null
}

/** What a person calls an item: a file by its name, a part of a packed file by that and its number, counted from 0. */
export function itemName({ kind, reference, member }: DataItem): string {
  if (kind === 'scene') return reference
  const [, side, index] = /^mosaic:(\d+)\(.*#(\d+)$/s.exec(member ?? reference) ?? []
  return side === undefined ? path.basename(reference) : `mosaic ${side} × ${side}, #${index}`
}

/** Whether a data set of files tells where its objects lie. @param reference of an item, e.g. `boxes:DIR#3` */
export function holdsTruth(reference: string): boolean {
  return /^(?:boxes|segmentation|mosaic):/.test(reference)
}

import type { Frame, Side } from '../masks/compose.ts'
import type { BoxMasks, GridMasks, Masks, SegmentMasks } from './masks.ts'
import type { Share } from './spread.ts'

/**
 * A share on its way to another process. What is large and comes again and again (the image, fills, the labels of segments) is numbered
 * and sent once; every party keeps the latest few, so all drop the same ones at the same time.
 */
export interface SentShare {
  frame: Frame
  /** Those that have not been sent before, in the order of their numbers. */
  pictures: readonly Picture[]
  image: number
  fill: number
  side: Side
  masks: GridMasks | BoxMasks | (Omit<SegmentMasks, 'labels'> & { labels: number })
}

export interface Picture {
  number: number
  data: Float32Array | Int32Array
}

/** How many are kept: a run of DE-CAM has the image, a fill for each of its islands and the labels of four sizes of segments. */
const most = 24
/** Pictures of a share. */
const perShare = 3

/** What a receiver keeps. */
export class Album {
  private readonly kept = new Map<number, Picture['data']>()

  add(pictures: readonly Picture[]): void {
    for (const { number, data } of pictures) {
      this.kept.set(number, data)
      for (const old of this.kept.keys()) if (old <= number - most) this.kept.delete(old)
    }
  }

  /** Those that came after this number. */
  after(number: number): Picture[] {
    return [...this.kept].filter(([own]) => own > number).map(([own, data]) => ({ number: own, data }))
  }

  get(number: number): Picture['data'] {
    const found = this.kept.get(number)
    if (!found) throw new Error(`picture ${number} of a share is not there`)
    return found
  }
}

/** Numbers the pictures of the shares of one run. */
export function createPacker(): (share: Share) => SentShare {
  let kept: Picture[] = []
  let latest = 0
  return ({ scene: { frame, image, fill, side }, masks }) => {
    const pictures: Picture[] = []
    const numberOf = (data: Picture['data']): number => {
      // By its values: a method may write another fill into the same array. One that the others of this share may push out is sent again.
      const known = kept.findLast((other) => other.number > latest + perShare - 1 - most && sameValues(other.data, data))
      if (known) return known.number
      const picture = { number: ++latest, data: data.slice() }
      pictures.push(picture)
      kept = [...kept.slice(1 - most), picture]
      return picture.number
    }
    const parts = { image: numberOf(image), fill: numberOf(fill), labels: masks.form === 'segments' ? numberOf(masks.labels) : 0 }
    return { frame, side, pictures, image: parts.image, fill: parts.fill, masks: masks.form === 'segments' ? { ...masks, labels: parts.labels } : masks }
  }
}

/** @param album holds what the share refers to */
export function unpack({ frame, image, fill, side, masks }: SentShare, album: Album): Share {
  const whole: Masks = masks.form === 'segments' ? { ...masks, labels: album.get(masks.labels) as Int32Array } : masks
  return { scene: { frame, image: album.get(image) as Float32Array, fill: album.get(fill) as Float32Array, side }, masks: whole }
}

function sameValues(a: Picture['data'], b: Picture['data']): boolean {
  if (a.constructor !== b.constructor || a.length !== b.length) return false
  return Buffer.compare(Buffer.from(a.buffer, a.byteOffset, a.byteLength), Buffer.from(b.buffer, b.byteOffset, b.byteLength)) === 0
}

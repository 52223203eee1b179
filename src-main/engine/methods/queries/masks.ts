import { interpolationMatrix, upsample } from '#shared/imaging/interpolation.ts'
import type { Frame, Side } from '../masks/compose.ts'
import type { Desk, Pointer } from './simd/kernels.ts'

/** Masks over one image, values in [0, 1]; 1 shows a pixel and 0 hides it. */
export type Masks = GridMasks | SegmentMasks | BoxMasks

/** Cells, enlarged by exact half-pixel interpolation. */
export interface GridMasks {
  form: 'grid'
  count: number
  height: number
  width: number
  /** [count, height, width] */
  cells: Float32Array
  /** Enlarged to this size instead of the image's; of it the part from each mask's own offset covers the image. */
  window?: { height: number; width: number; /** [count, 2]: down, right */ offsets: Int32Array }
}

/** One value per segment. */
export interface SegmentMasks {
  form: 'segments'
  count: number
  segments: number
  /** H·W, each below `segments` */
  labels: Int32Array
  /** [count, segments] */
  values: Float32Array
}

/** 0 inside a box, 1 elsewhere. */
export interface BoxMasks {
  form: 'boxes'
  count: number
  /** [count, 4]: top, left, height, width in pixels; may reach outside */
  boxes: Int32Array
}

/** Some of the masks, in arrays of their own that can be sent. */
export function masksFrom(masks: Masks, from: number, count: number): Masks {
  const cut = <T extends Float32Array | Int32Array>(all: T, per: number): T => all.slice(from * per, (from + count) * per) as T
  switch (masks.form) {
    case 'grid': {
      const { window, cells, ...rest } = masks
      return {
        ...rest, count, cells: cut(cells, masks.height * masks.width),
        ...(window ? { window: { ...window, offsets: cut(window.offsets, 2) } } : {}),
      }
    }
    case 'segments':
      return { ...masks, count, values: cut(masks.values, masks.segments) }
    case 'boxes':
      return { ...masks, count, boxes: cut(masks.boxes, 4) }
  }
}

/** One mask at the image's size, H·W, by plain loops. */
export function enlarge(masks: Masks, index: number, { height, width }: Frame): Float32Array {
  switch (masks.form) {
    case 'grid': {
      const cells = masks.height * masks.width
      const small = { height: masks.height, width: masks.width, data: masks.cells.subarray(index * cells, (index + 1) * cells) }
      if (!masks.window) return upsample(small, height, width).data
      const { window } = masks
      const large = upsample(small, window.height, window.width).data
      const [down, right] = [window.offsets[2 * index]!, window.offsets[2 * index + 1]!]
      const out = new Float32Array(height * width)
      for (let y = 0; y < height; y++) out.set(large.subarray((y + down) * window.width + right, (y + down) * window.width + right + width), y * width)
      return out
    }
    case 'segments': {
      const values = masks.values.subarray(index * masks.segments, (index + 1) * masks.segments)
      return Float32Array.from(masks.labels, (label) => values[label]!)
    }
    case 'boxes': {
      const { top, bottom, left, right } = boxWithin(masks, index, { height, width })
      const out = new Float32Array(height * width).fill(1)
      for (let y = top; y < bottom; y++) out.fill(0, y * width + left, y * width + right)
      return out
    }
  }
}

/** The part of a box that lies in the image; `bottom` and `right` are the first outside, and nothing is negative. */
export function boxWithin(
  { boxes }: BoxMasks, index: number, { height, width }: { height: number; width: number },
): { top: number; bottom: number; left: number; right: number } {
  const [top, left, down, across] = [0, 1, 2, 3].map((k) => boxes[4 * index + k]!) as [number, number, number, number]
  const within = (place: number, size: number): number => Math.min(size, Math.max(0, place))
  return { top: within(top, height), bottom: within(top + down, height), left: within(left, width), right: within(left + across, width) }
}

/**
 * The same as `enlarge` by kernels, on a desk that has been cleared for `enlargedBytes` at least.
 * @returns lays one mask out, H·W float32, always in the same place
 */
export function enlargerOn(desk: Desk, masks: GridMasks | SegmentMasks, { height, width }: Frame): (index: number) => Pointer {
  const { kernels } = desk
  const out = desk.room(height * width * 4)
  if (masks.form === 'segments') {
    const labels = desk.lay(masks.labels)
    const values = desk.lay(masks.values)
    return (index) => {
      kernels.spread(labels, values + 4 * index * masks.segments, out, height * width)
      return out
    }
  }
  const { window } = masks
  const rows = tapsOn(desk, masks.height, window?.height ?? height)
  const columns = tapsOn(desk, masks.width, window?.width ?? width)
  const cells = desk.lay(masks.cells)
  const between = desk.room(masks.height * width * 4)
  return (index) => {
    const down = 4 * (window?.offsets[2 * index] ?? 0)
    const right = 4 * (window?.offsets[2 * index + 1] ?? 0)
    kernels.enlarge(
      cells + 4 * index * masks.height * masks.width, masks.height, masks.width,
      rows.first + down, rows.share + down, columns.first + right, columns.share + right, between, out, height, width,
    )
    return out
  }
}

export function enlargedBytes(masks: GridMasks | SegmentMasks, { height, width }: Frame): number {
  if (masks.form === 'segments') return 4 * (2 * height * width + masks.values.length)
  const [tall, wide] = [masks.window?.height ?? height, masks.window?.width ?? width]
  return 4 * (height * width + 2 * (tall + wide) + masks.cells.length + masks.height * width)
}

/** Of each position in the large size the first of its two cells, and what the second counts. */
function tapsOn(desk: Desk, from: number, to: number): { first: Pointer; share: Pointer } {
  const { begin, offset, weights } = interpolationMatrix(from, to)
  const share = Float32Array.from(begin, (_, i) => (offset[i + 1]! - offset[i]! > 1 ? weights[offset[i]! + 1]! : 0))
  return { first: desk.lay(begin), share: desk.lay(share) }
}

/** What the composition of masked images needs besides the masks. */
export interface Scene {
  frame: Frame
  /** H·W·C in [0, 1] */
  image: Float32Array
  /** H·W·C, what stands where the image is hidden. */
  fill: Float32Array
  side: Side
}

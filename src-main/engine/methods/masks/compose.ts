import { begin, kernels, put, room, take } from './simd/kernels.ts'

/** Masked images, x·m + fill·(1 − m), and the gradient with respect to the mask. */

/** Where the composed picture lies: shifted by whole pixels, perhaps mirrored left to right. */
export interface Placement {
  down: number
  right: number
  flip: boolean
}

export const inPlace: Placement = { down: 0, right: 0, flip: false }

/** `preserve` keeps what the mask marks and fills the rest; `delete` fills what the mask marks. */
export type Side = 'preserve' | 'delete'

export interface Frame {
  height: number
  width: number
  channels: number
}

/**
 * Writes one masked image. Image and mask move together under the placement, the fill does not; where they moved away
 * the fill alone is seen.
 * @param image H·W·C in [0, 1]
 * @param mask H·W in [0, 1]
 * @param fill H·W·C
 * @param out H·W·C
 */
export function compose(
  frame: Frame, image: Float32Array, mask: Float32Array, fill: Float32Array, side: Side, place: Placement, out: Float32Array,
): void {
  const { width, channels } = frame
  // preserve: kept = m; delete: kept = 1 − m
  const base = side === 'preserve' ? 0 : 1
  const sign = side === 'preserve' ? 1 : -1
  const { top, bottom, left, count, source, step } = overlap(frame, place)
  begin()
  const [images, masks, fills] = [put(image), put(mask), put(fill)]
  const to = place.down !== 0 || place.right !== 0 ? put(fill) : room(out.length)
  for (let y = top; y < bottom; y++) {
    const p = (y * width + left) * 4
    const from = ((y - place.down) * width + source) * 4
    kernels.compose(images + from * channels, masks + from, fills + p * channels, to + p * channels, count, channels, step, base, sign)
  }
  take(to, out)
}

/**
 * Adds factor × the gradient with respect to the mask, given the gradient with respect to the composed image.
 * @param gradient H·W·C, of the composed image
 * @param maskGradient H·W, added to
 */
export function pullBack(
  frame: Frame, image: Float32Array, fill: Float32Array, side: Side, place: Placement,
  gradient: Float32Array, factor: number, maskGradient: Float32Array,
): void {
  const { width, channels } = frame
  const signed = side === 'preserve' ? factor : -factor
  const { top, bottom, left, count, source, step } = overlap(frame, place)
  begin()
  const [images, fills, gradients, to] = [put(image), put(fill), put(gradient), put(maskGradient)]
  for (let y = top; y < bottom; y++) {
    const p = (y * width + left) * 4 * channels
    const from = ((y - place.down) * width + source) * 4
    kernels.pullBack(images + from * channels, to + from, fills + p, gradients + p, count, channels, step, signed)
  }
  take(to, maskGradient)
}

/**
 * The part of the frame that shows the moved image: output rows [top, bottom), `count` columns from `left`, and the image
 * column that the first of them shows, from which the image runs on by `step`.
 */
function overlap(
  frame: Frame, place: Placement,
): { top: number; bottom: number; left: number; count: number; source: number; step: number } {
  const left = Math.max(0, place.right)
  const source = left - place.right
  return {
    top: Math.max(0, place.down),
    bottom: Math.min(frame.height, frame.height + place.down),
    left,
    count: Math.max(0, frame.width - Math.abs(place.right)),
    source: place.flip ? frame.width - 1 - source : source,
    step: place.flip ? -1 : 1,
  }
}

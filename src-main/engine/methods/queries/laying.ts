import { masksPerCall } from '#shared/domain/mask-steps.ts'
import type { Classifier } from '../../classifier/classifier.ts'
import { splitRows } from '../masks/calls.ts'
import { boxWithin, enlargedBytes, enlargerOn, masksFrom, type Masks, type Scene } from './masks.ts'
import { createDesk, type Desk } from './simd/kernels.ts'

export { masksPerCall }

/** One for the process: a memory never shrinks. */
let desk: Desk | undefined
/** The images of a call lie in the desk's memory until the classifier has answered. */
let turn: Promise<unknown> = Promise.resolve()

/**
 * What the classifier answers to the image under the masks [first, first + total), composed by kernels as many at a time as the memory
 * allows.
 * @returns logits, one row per mask
 */
export function classifyMasked(classifier: Classifier, scene: Scene, masks: Masks, first: number, total: number): Promise<Float32Array[]> {
  const work = async (): Promise<Float32Array[]> => {
    const rows: Float32Array[] = []
    const most = Math.max(1, classifier.limits.forward)
    for (let from = first; from < first + total; from += most) {
      const count = Math.min(most, first + total - from)
      const data = compose(scene, masks, from, count)
      rows.push(...splitRows(await classifier.logits({ ...scene.frame, count, data }), count))
    }
    return rows
  }
  const answer = turn.then(work)
  turn = answer.catch(() => undefined)
  return answer
}

/** `classifyMasked` call by call. @param masks from the first of a call on */
export async function classifyCalls(classifier: Classifier, scene: Scene, masks: Masks): Promise<Float32Array[]> {
  const perCall = masksPerCall(scene.frame)
  const rows: Float32Array[] = []
  for (let from = 0; from < masks.count; from += perCall) {
    rows.push(...(await classifyMasked(classifier, scene, masks, from, Math.min(perCall, masks.count - from))))
  }
  return rows
}

/**
 * Images under the masks [from, from + count), one after the other.
 * @returns a view that holds until the next call
 */
export function compose({ frame, image, fill, side }: Scene, all: Masks, from: number, count: number): Float32Array {
  const masks = masksFrom(all, from, count)
  desk ??= createDesk()
  const { kernels } = desk
  const { height, width, channels } = frame
  const bytes = 4 * image.length
  desk.clear((2 + count) * bytes + (masks.form === 'boxes' ? 0 : enlargedBytes(masks, frame)))
  const images = desk.lay(image)
  const fills = desk.lay(fill)
  const out = desk.room(count * bytes)
  if (masks.form === 'boxes') {
    const [outside, inside] = side === 'preserve' ? [images, fills] : [fills, images]
    for (let i = 0; i < count; i++) {
      const { top, bottom, left, right } = boxWithin(masks, i, frame)
      kernels.box(outside, inside, out + i * bytes, height, width * channels, top, bottom, left * channels, right * channels)
    }
    return desk.floats(out, count * image.length)
  }
  const enlarged = enlargerOn(desk, masks, frame)
  // preserve: kept = m; delete: kept = 1 − m
  const [base, sign] = side === 'preserve' ? [0, 1] : [1, -1]
  for (let i = 0; i < count; i++) kernels.compose(images, enlarged(i), fills, out + i * bytes, height * width, channels, base, sign)
  return desk.floats(out, count * image.length)
}

import type { Preprocessing } from '#shared/domain/model.ts'
import { weight } from '../build.ts'
import type { Operation } from '../graph.ts'
import { hasPads } from '../graph.ts'
import type { Draft } from './draft.ts'
import { find, fuse, insertAfter, onlyConsumer, operationOf, replace } from './draft.ts'
import { at, isLinear, scaleInput } from './linear.ts'

/** The scale and offset per RGB channel that take [0, 1] to what the model was trained on. */
export function scalingOf(preprocessing: Preprocessing, channels: number): { scale: number[]; offset: number[] } {
  const [lo, hi] = preprocessing.range
  const each = (values: readonly number[], c: number): number => values[values.length === 1 ? 0 : c]!
  const bgr = preprocessing.channelOrder === 'bgr' && channels === 3
  const scale: number[] = []
  const offset: number[] = []
  for (let c = 0; c < channels; c++) {
    // mean and std are stated in the order of the model's own channels
    const own = bgr ? channels - 1 - c : c
    const std = each(preprocessing.std, own)
    scale.push((hi - lo) / std)
    offset.push((lo - each(preprocessing.mean, own)) / std)
  }
  return { scale, offset }
}

/** Puts the preprocessing's scaling and channel order between the input and the network. */
export function addInputScaling(draft: Draft, preprocessing: Preprocessing): void {
  const { shape } = find(draft, draft.input)
  const channels = shape[3]!
  const { scale, offset } = scalingOf(preprocessing, channels)
  if (preprocessing.channelOrder === 'bgr' && channels === 3) insertAfter(draft, draft.input, 'channels in reverse', { op: 'reverse', axes: [3] }, shape)
  if (scale.every((v) => v === 1) && offset.every((v) => v === 0)) return
  insertAfter(draft, draft.input, 'input scaling', { op: 'affine', scale: weight([channels], scale), offset: weight([channels], offset) }, shape)
}

/**
 * What remains of the scaling in front of a convolution with zero padding: zeros there are not zeros in [0, 1]. Where one
 * value stands for zero in all channels, the pads hold that value instead and the scaling is folded; else only the factor
 * is folded and the offset stays a node of its own. Both are exact.
 */
export function splitInputScaling(draft: Draft): void {
  const node = onlyConsumer(draft, draft.input)
  if (node?.op !== 'affine') return
  const next = onlyConsumer(draft, node.name)
  if (!next || !isLinear(next) || next.op === 'dense' || !hasPads(next.pads)) return
  const channels = node.shape[3]!
  const zeros = Array.from({ length: channels }, (_, c) => -at(node.offset, c) / at(node.scale, c))
  if (!zeros.every(Number.isFinite)) return
  if (zeros.every((z) => z === zeros[0])) {
    fuse(draft, node, next, { ...operationOf(scaleInput(next, node.scale, node.offset)), padValue: zeros[0]! } as Operation)
    draft.notes.push(`The input scaling is folded into ${next.name}, whose padding now holds ${zeros[0]}, the value that the scaling takes to zero.`)
    return
  }
  const none = weight([channels], new Float32Array(channels))
  const one = weight([channels], new Float32Array(channels).fill(1))
  replace(draft, scaleInput(next, node.scale, none))
  replace(draft, { ...node, scale: one, offset: weight([channels], zeros.map((z) => -z)) })
  draft.notes.push(`The factor of the input scaling is folded into ${next.name}; its offset stays in front, because the padding of ${next.name} follows it.`)
}

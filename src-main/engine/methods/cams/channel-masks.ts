import { upsample } from '#shared/imaging/interpolation.ts'
import { constantValue } from '../common/finished-map.ts'
import type { Masks } from '../queries/mask-queries.ts'
import type { LayerValues } from './layer-values.ts'

/** A layer's channels as masks: each enlarged and stretched over [0, 1]. */
export interface ChannelMasks {
  /** Per channel its cells, or null where it is the same everywhere, which makes no mask. */
  cells: readonly (Float32Array | null)[]
  /** How many are null. */
  flat: number
  /** Of those channels, none of which may be null. */
  masks(channels: readonly number[]): Masks
}

/**
 * The least and the greatest value are taken from the enlarged channel, as published; the cells are stretched by them, so that enlarging
 * the cells gives just that mask.
 * @param size of the image
 */
export function channelMasks(values: LayerValues, size: { height: number; width: number }): ChannelMasks {
  const { height, width, channels, activations } = values
  const places = height * width
  const cells = Array.from({ length: channels }, (_, channel) => {
    const own = Float32Array.from({ length: places }, (_, i) => activations[i * channels + channel]!)
    const enlarged = upsample({ height, width, data: own }, size.height, size.width).data
    if (constantValue(enlarged) !== null) return null
    const low = enlarged.reduce((a, b) => Math.min(a, b), Infinity)
    const high = enlarged.reduce((a, b) => Math.max(a, b), -Infinity)
    return own.map((value) => (value - low) / (high - low))
  })
  return {
    cells,
    flat: cells.filter((own) => own === null).length,
    masks(chosen) {
      const data = new Float32Array(chosen.length * places)
      chosen.forEach((channel, k) => data.set(cells[channel]!, k * places))
      return { form: 'grid', count: chosen.length, height, width, cells: data }
    },
  }
}

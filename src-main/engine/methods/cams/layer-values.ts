import type { Fact } from '#shared/domain/run.ts'
import type { Activations } from '../../classifier/classifier.ts'

/** What a layer answers to one image, [height, width, channels]. */
export interface LayerValues {
  height: number
  width: number
  channels: number
  activations: Float32Array
  /** Of the score; empty where it was not asked for. */
  gradients: Float32Array
}

/** @param index of the image in the batch */
export function valuesAt(batch: Activations, index: number): LayerValues {
  const [height, width, channels] = batch.shape as [number, number, number]
  const size = height * width * channels
  const part = (values: Float32Array): Float32Array => values.subarray(index * size, (index + 1) * size)
  return { height, width, channels, activations: part(batch.activations), gradients: batch.gradients ? part(batch.gradients) : new Float32Array(0) }
}

export function layerFacts(layer: string, { height, width, channels }: LayerValues): Fact[] {
  return [{ label: 'Layer', value: layer }, { label: 'Size of the layer', value: `${height}×${width}×${channels}` }]
}

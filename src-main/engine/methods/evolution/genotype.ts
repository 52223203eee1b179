import type { Random } from '#shared/random/random.ts'
import type { Masks } from '../queries/masks.ts'

/**
 * What an individual is, and the mask it stands for. Genes lie in [0, 1]. `render` gives the values by which a mask is known, in
 * [0, 1]: cells or segments; the mean of two masks is the mean of their values.
 */
export interface Genotype {
  /** Genes of an individual. */
  genes: number
  /** Values of a mask. */
  values: number
  /** A first individual. */
  sample(random: Random): Float64Array
  /** What a gene out of bounds becomes. */
  repair(value: number, parent: number): number
  render(genes: Float64Array): Float32Array
  /** As the classifier is asked about them. */
  masks(rendered: readonly Float32Array[]): Masks
  /** Mean of the mask over the image. */
  area(values: Float32Array): number
  /** mean|∂x m| + mean|∂y m| */
  variation(values: Float32Array): number
  /** Of `picture`. */
  height: number
  width: number
  /** The mask as a map, [height, width]; values outside [0, 1] are allowed. */
  picture(values: Float32Array): Float32Array
}

/** A grid of cells as close to square as the image allows. @param resolution cells along the shorter side */
export function gridSize(image: { height: number; width: number }, resolution: number): { height: number; width: number } {
  const shorter = Math.min(image.height, image.width)
  const cells = Math.min(resolution, shorter)
  return { height: Math.round((image.height * cells) / shorter), width: Math.round((image.width * cells) / shorter) }
}

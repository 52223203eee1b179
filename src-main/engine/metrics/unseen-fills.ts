import type { Random } from '#shared/random/random.ts'
import { meanColour } from '../methods/masks/fills.ts'
import { noisyLinearImputation } from './imputation.ts'

/**
 * Fills that no mask of ours is optimised against, the same for all methods: a mask that holds under them holds because of
 * what it shows. Noise and checkerboard lie about the image's mean colour with a contrast under which a classifier still
 * names an object shown exactly; else the rate would tell of the classifier, not of the mask.
 */
export const unseenFills = ['noise', 'road', 'checkerboard'] as const
export type UnseenFill = (typeof unseenFills)[number]

/** The same two at full contrast, reported apart: the bundled classifiers fail there even with the exact object. */
export const harshFills = ['full-noise', 'full-checkerboard'] as const
export type HarshFill = (typeof harshFills)[number]

/** Standard deviation of the noise, and half the difference of the two tones of the checkerboard. */
const contrast = 0.1

/**
 * @param image H·W·C in [0, 1]
 * @param mask H·W in [0, 1]; ROAD imputes the pixels that are shown by less than half, from those that are shown
 * @returns H·W·C: `noise`, normal per pixel and channel; `road`, ROAD's imputation; `checkerboard`, squares a sixteenth of the
 * shorter side wide; `full-noise`, uniform in [0, 1]; `full-checkerboard`, black and white
 */
export function renderUnseenFill(
  kind: UnseenFill | HarshFill, image: Float32Array, height: number, width: number, channels: number, mask: Float32Array,
  random: Random,
): Float32Array {
  const mean = meanColour({ height, width, channels }, image)
  const cell = Math.max(1, Math.round(Math.min(height, width) / 16))
  /** 0 or 1 by turns. */
  const square = (i: number): number => {
    const pixel = Math.floor(i / channels)
    return (Math.floor(Math.floor(pixel / width) / cell) + Math.floor((pixel % width) / cell)) % 2
  }
  const about = (i: number, by: number): number => Math.min(1, Math.max(0, mean[i % channels]! + by))
  switch (kind) {
    case 'noise':
      return Float32Array.from(image, (_, i) => about(i, contrast * random.normal()))
    case 'full-noise':
      return Float32Array.from(image, () => random.uniform())
    case 'road': {
      const removed = Uint8Array.from(mask, (value) => (value < 0.5 ? 1 : 0))
      return noisyLinearImputation(image, height, width, channels, removed, random)
    }
    case 'checkerboard':
      return Float32Array.from(image, (_, i) => about(i, contrast * (2 * square(i) - 1)))
    case 'full-checkerboard':
      return Float32Array.from(image, (_, i) => square(i))
  }
}

import type { Random } from '#shared/random/random.ts'
import { noisyLinearImputation } from './imputation.ts'

/**
 * Fills that no mask of ours is optimised against, the same for all methods: a mask that holds under them holds because of
 * what it shows.
 */
export const unseenFills = ['noise', 'road', 'checkerboard'] as const
export type UnseenFill = (typeof unseenFills)[number]

/**
 * @param image H·W·C in [0, 1]
 * @param mask H·W in [0, 1]; ROAD imputes the pixels that are shown by less than half, from those that are shown
 * @returns H·W·C: uniform noise per pixel and channel; ROAD's imputation; or black and white squares an eighth of the
 * shorter side wide
 */
export function renderUnseenFill(
  kind: UnseenFill, image: Float32Array, height: number, width: number, channels: number, mask: Float32Array, random: Random,
): Float32Array {
  switch (kind) {
    case 'noise':
      return Float32Array.from(image, () => random.uniform())
    case 'road': {
      const removed = Uint8Array.from(mask, (value) => (value < 0.5 ? 1 : 0))
      return noisyLinearImputation(image, height, width, channels, removed, random)
    }
    case 'checkerboard': {
      const cell = Math.max(1, Math.round(Math.min(height, width) / 8))
      return Float32Array.from(image, (_, i) => {
        const pixel = Math.floor(i / channels)
        return (Math.floor(Math.floor(pixel / width) / cell) + Math.floor((pixel % width) / cell)) % 2
      })
    }
  }
}

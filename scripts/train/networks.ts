import type { Sequential } from '@tensorflow/tfjs-layers'
import type { Half } from '#services/reconstruction/halves.ts'
import { stack, type StackShape } from './stack.ts'

export interface Network {
  /** Of the folder it is written to. */
  name: 'classifier' | 'judge'
  description: string
  half: Half
  /** Added to the seed that the person gives. */
  seed: number
  /** Ends in logits. */
  build(seed: number, shape: StackShape): Sequential
}

/** Two of different architecture, each for its own half of the training images. */
export const networks: readonly Network[] = [
  {
    name: 'classifier',
    description: 'a 5×5 convolution of stride 2 and three 3×3 ones, one of stride 2, each with batch normalisation and ReLU; one dense layer',
    half: 'a',
    seed: 1,
    build: (seed, shape) => stack(seed, [
      { kernel: 5, filters: 16, stride: 2 }, { kernel: 3, filters: 32 }, { kernel: 3, filters: 48, stride: 2 }, { kernel: 3, filters: 48 },
    ], { ...shape, flat: true }),
  },
  {
    name: 'judge',
    description: 'three 3×3 convolutions, a max pooling behind each of the first two, each with batch normalisation and ReLU; two dense layers',
    half: 'b',
    seed: 2,
    build: (seed, shape) => stack(seed, [
      { kernel: 3, filters: 16, pool: 'max' }, { kernel: 3, filters: 32, pool: 'max' }, { kernel: 3, filters: 64 },
    ], { ...shape, flat: true, hidden: 64 }),
  },
]

import { mean, sub } from '@tensorflow/tfjs-core'
import type { Sequential } from '@tensorflow/tfjs-layers'
import { stack, type Stage } from '../train/stack.ts'

/** The networks end in logits here; what is saved has a softmax behind them. */
export interface Network {
  name: string
  /** Without it, it is trained only where it is named, and not part of the program. */
  bundled?: true
  description: string
  /** Of initial weights, batches and augmentation. */
  seed: number
  /** Seeds of its training scenes: [first, end). */
  scenes: readonly [number, number]
  build(seed: number): Sequential
}

const demoStages: readonly Stage[] = [
  { kernel: 3, filters: 16, stride: 2 },
  { kernel: 3, filters: 24, stride: 2 },
  { kernel: 3, filters: 32 },
  { kernel: 3, filters: 48, stride: 2 },
  { kernel: 3, filters: 64 },
]

export const networks: Readonly<Record<string, Network>> = {
  'demo': {
    name: 'demo',
    bundled: true,
    description: 'five 3×3 convolutions, three of them of stride 2, each with batch normalisation and ReLU; global average pooling; one dense layer',
    seed: 1,
    scenes: [0, 500_000],
    build: (seed) => scenesStack(seed, demoStages),
  },
  'demo-judge': {
    name: 'demo-judge',
    bundled: true,
    description: 'a 5×5 and three 3×3 convolutions with two max poolings, each with batch normalisation and ReLU; global average pooling; two dense layers',
    seed: 2,
    scenes: [500_000, 1_000_000],
    build: (seed) =>
      scenesStack(
        seed,
        [
          { kernel: 5, filters: 12, stride: 2, pool: 'max' },
          { kernel: 3, filters: 32 },
          { kernel: 3, filters: 40, pool: 'max' },
          { kernel: 3, filters: 80 },
        ],
        48,
      ),
  },
  'another-seed': {
    name: 'another-seed',
    description: 'the layers of demo, from another seed, on the scenes of the judge',
    seed: 3,
    scenes: [500_000, 1_000_000],
    build: (seed) => scenesStack(seed, demoStages),
  },
  'another-architecture': {
    name: 'another-architecture',
    description: 'a 5×5 convolution of stride 2 and three 3×3 ones, two of stride 2, wider than those of demo, each with batch normalisation and ReLU; global average pooling; two dense layers',
    seed: 4,
    scenes: [0, 500_000],
    build: (seed) =>
      scenesStack(
        seed,
        [
          { kernel: 5, filters: 20, stride: 2 },
          { kernel: 3, filters: 40, stride: 2 },
          { kernel: 3, filters: 56 },
          { kernel: 3, filters: 72, stride: 2 },
        ],
        40,
      ),
  },
}

function scenesStack(seed: number, stages: readonly Stage[], hidden?: number): Sequential {
  const model = stack(seed, stages, { input: [64, 64, 3], classes: 10, ...(hidden !== undefined && { hidden }) })
  // Filters that begin without a response to plain colour: else batch normalisation scales the first layer by the
  // colours of the backgrounds, edges drown in it, and nothing is learned for a long time.
  const first = model.getLayer('conv1')
  const [kernel] = first.getWeights()
  first.setWeights([sub(kernel!, mean(kernel!, [0, 1], true))])
  return model
}

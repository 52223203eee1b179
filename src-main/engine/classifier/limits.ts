import type { ExecutorId } from '#shared/domain/executor.ts'
import { parameterCount } from '../graph/cost.ts'
import type { Graph } from '../graph/graph.ts'
import { sizePerImage } from '../graph/graph.ts'
import type { BatchLimits } from './classifier.ts'

const megabyte = 2 ** 20
/** More images at once gain nothing. */
const most = 256

/**
 * What a process takes beside the activations, and the activations of one image as multiples of what the graph says; fitted to what
 * convolutional networks of 32 and 224 px were measured to take, rather above than below (docs/performance.md).
 */
interface Appetite {
  /** Bytes per byte of weights: the file's, the graph's, the executor's own forward and backward, and what it packs. */
  weights: number
  /** Of the most that is alive at one moment of a forward pass. */
  forward: number
  /** A backward pass needs most of all activations, and several tensors of the size of the largest beside them. */
  gradient: { all: number; largest: number }
  /**
   * The shares of the budget that the two passes get. TF.js has one heap for both; ONNX Runtime keeps what each of them took.
   */
  shares: { forward: number; gradient: number }
}

/** Bytes of a process that holds no model. */
const base = 150 * megabyte
/** Arrays of the size of an image that a method and the two processes hold for each. */
const imageCopies = 4

const appetites: Record<ExecutorId, Appetite> = {
  tfjs: { weights: 9, forward: 1.9, gradient: { all: 0.75, largest: 2.2 }, shares: { forward: 1, gradient: 1 } },
  onnxruntime: { weights: 12, forward: 2.3, gradient: { all: 1, largest: 3 }, shares: { forward: 0.4, gradient: 0.6 } },
}

export interface FittedLimits {
  limits: BatchLimits
  /** What a person should know of it, where one image alone takes more than there is. */
  notes: string[]
}

/**
 * The batches whose process stays within a budget of memory. They follow from the graph and the budget alone, never from the state of
 * the machine: the same run is cut the same way.
 * @param budget bytes for the whole process
 */
export function fitBatches(graph: Graph, executor: ExecutorId, budget: number): FittedLimits {
  const { weights, forward, gradient, shares } = appetites[executor]
  const sizes = graph.nodes.map(({ shape, op }) => (op === 'constant' ? 0 : sizePerImage(shape)))
  const fixed = base + weights * 4 * parameterCount(graph)
  const copies = imageCopies * sizes[0]!
  const perForward = 4 * (forward * liveAtOnce(graph) + copies)
  const perGradient = 4 * (gradient.all * sizes.reduce((sum, size) => sum + size, 0) + gradient.largest * Math.max(...sizes) + copies)
  const within = (perImage: number, share: number): number => Math.max(1, Math.min(most, Math.floor((share * (budget - fixed)) / perImage)))
  const needed = fixed + perGradient
  return {
    limits: graph.oneByOne ? { forward: 1, gradient: 1 } : { forward: within(perForward, shares.forward), gradient: within(perGradient, shares.gradient) },
    notes: needed <= budget ? [] : [
      `One image with its gradient takes about ${inMegabytes(needed)}, more than the ${inMegabytes(budget)} that each engine process may take. It runs one image at a time`
        + ' all the same; a larger memory budget (--memory, or the settings) or fewer runs at once (--jobs 1) would fit it.',
    ],
  }
}

/** The most numbers that are alive at one moment of a forward pass of one image, where each output goes after its last use. */
export function liveAtOnce(graph: Graph): number {
  const lastUse = new Map<string, number>()
  graph.nodes.forEach(({ name, inputs }, i) => {
    lastUse.set(name, i)
    for (const input of inputs) lastUse.set(input, i)
  })
  lastUse.set(graph.output, graph.nodes.length)
  const ending = new Map<number, number>()
  let alive = 0
  let height = 0
  graph.nodes.forEach(({ name, shape, op }, i) => {
    const size = op === 'constant' ? 0 : sizePerImage(shape)
    alive += size
    height = Math.max(height, alive)
    const end = lastUse.get(name)!
    ending.set(end, (ending.get(end) ?? 0) + size)
    alive -= ending.get(i) ?? 0
  })
  return height
}

function inMegabytes(bytes: number): string {
  return `${Math.round(bytes / megabyte).toLocaleString('en')} MB`
}

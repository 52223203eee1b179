import type { ExecutorId } from '#shared/domain/executor.ts'
import { parameterCount } from '../graph/cost.ts'
import type { Graph } from '../graph/graph.ts'
import { sizePerImage } from '../graph/graph.ts'
import type { BatchLimits } from './classifier.ts'

const megabyte = 2 ** 20
/** More images at once gain nothing. */
const most = 256

/**
 * What a process takes beside the activations, and the activations of one image as multiples of what the graph says; measured with
 * convolutional networks at 224 px (docs/performance.md).
 */
interface Appetite {
  /** Bytes of a process that holds no model. */
  base: number
  /** Bytes per byte of weights: the file's, the graph's, the executor's own forward and backward, and what it packs. */
  weights: number
  /** Of the most that is alive at one moment of a forward pass. */
  forward: number
  /** Of all activations together: a backward pass needs most of them. */
  gradient: number
}

const appetites: Record<ExecutorId, Appetite> = {
  tfjs: { base: 150 * megabyte, weights: 9, forward: 1.7, gradient: 1.2 },
  onnxruntime: { base: 150 * megabyte, weights: 12, forward: 2.3, gradient: 1.6 },
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
  const appetite = appetites[executor]
  const fixed = appetite.base + appetite.weights * 4 * parameterCount(graph)
  const forward = appetite.forward * 4 * liveAtOnce(graph)
  const gradient = appetite.gradient * 4 * graph.nodes.reduce((sum, { shape }) => sum + sizePerImage(shape), 0)
  const within = (perImage: number): number => Math.max(1, Math.min(most, Math.floor((budget - fixed) / perImage)))
  const needed = fixed + gradient
  return {
    limits: graph.oneByOne ? { forward: 1, gradient: 1 } : { forward: within(forward), gradient: within(gradient) },
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

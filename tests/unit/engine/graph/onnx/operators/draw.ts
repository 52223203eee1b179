import type { OnnxNode, OnnxTensor } from '#engine/graph/onnx-format/schema.ts'
import type { AttributeValue } from '#engine/graph/onnx-format/write.ts'
import { floatTensor, int64Tensor, onnxNode } from '#engine/graph/onnx-format/write.ts'
import { createRandom } from '#shared/random/random.ts'

/** One node with random attributes, what it is given, and what it holds. */
export interface Drawn {
  node: OnnxNode
  /** Shapes of what it is given. */
  data: Record<string, readonly number[]>
  weights: OnnxTensor[]
  opset: number
  /** All data above zero. */
  positive?: boolean
}

export type Draw = (random: Dice) => Drawn

/** Random attributes, shapes and weights. */
export interface Dice {
  /** From a to b, both included. */
  int(a: number, b: number): number
  pick<T>(of: readonly T[]): T
  maybe(): boolean
  between(a: number, b: number): number
  floats(name: string, shape: readonly number[], from?: number, to?: number): OnnxTensor
  ints(name: string, values: readonly number[]): OnnxTensor
}

export function diceOf(seed: number, name: string): Dice {
  const random = createRandom(seed, name)
  const int = (a: number, b: number): number => a + Math.min(b - a, Math.floor(random.uniform() * (b - a + 1)))
  return {
    int,
    pick: (of) => of[int(0, of.length - 1)]!,
    maybe: () => random.uniform() < 0.5,
    between: (a, b) => random.between(a, b),
    floats(label, shape, from = -1, to = 1) {
      const size = shape.reduce((product, n) => product * n, 1)
      return floatTensor(label, shape, Float32Array.from({ length: size }, () => random.between(from, to)))
    },
    ints: (label, values) => int64Tensor(label, [values.length], values),
  }
}

/** A node that reads `x` and the weights, in this order; '' leaves an input out. */
export function drawn(
  opType: string, x: readonly number[], attributes: Record<string, AttributeValue>, weights: readonly (OnnxTensor | '')[] = [],
  rest: { opset?: number; positive?: boolean; data?: Record<string, readonly number[]>; inputs?: readonly string[]; outputs?: readonly string[] } = {},
): Drawn {
  const names = rest.inputs ?? ['x', ...weights.map((w) => (w === '' ? '' : w.name))]
  return {
    node: onnxNode(opType, names, rest.outputs ?? ['y'], attributes),
    data: { x, ...rest.data },
    weights: weights.filter((w) => w !== ''),
    opset: rest.opset ?? 17,
    ...(rest.positive ? { positive: true } : {}),
  }
}

/** An image of one to three channels, or a signal. */
export function imageShape(dice: Dice, channels = dice.int(1, 3), least = 4): number[] {
  return [dice.int(1, 2), channels, ...(dice.int(0, 4) === 0 ? [dice.int(least, 11)] : [dice.int(least, 9), dice.int(least, 9)])]
}

/** Any shape of up to four axes. */
export function anyShape(dice: Dice, least = 1): number[] {
  return Array.from({ length: dice.int(least, 4) }, () => dice.int(1, 5))
}

/** `shape`, some of its axes of one element or left out in front: it broadcasts towards it. */
export function broadcastable(dice: Dice, shape: readonly number[]): number[] {
  return shape.slice(dice.int(0, shape.length)).map((n) => (dice.int(0, 2) === 0 ? 1 : n))
}

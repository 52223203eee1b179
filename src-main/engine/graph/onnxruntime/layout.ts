import type { Shape } from '../graph.ts'

/** A value of the written graph. Its layout may differ from our graph's: convolutions want channels before rows and columns. */
export interface Stored {
  readonly name: string
  /** As in our graph, -k for k times the batch. */
  readonly shape: Shape
  /** Stored axis i holds axis order[i] of `shape`. */
  readonly order: readonly number[]
}

/** NCHW: how convolutions and pools of ONNX take images that our graph has as NHWC. */
export const imagesOrder: readonly number[] = [0, 3, 1, 2]

export function naturalOrder(rank: number): number[] {
  return Array.from({ length: rank }, (_, i) => i)
}

export function sameOrder(a: readonly number[], b: readonly number[]): boolean {
  return a.length === b.length && a.every((axis, i) => axis === b[i])
}

/** The shape as the value lies in memory. */
export function storedShape(value: Pick<Stored, 'shape' | 'order'>): number[] {
  return value.order.map((axis) => value.shape[axis]!)
}

/** Where an axis of our graph's shape is stored. */
export function storedAxis(order: readonly number[], axis: number): number {
  return order.indexOf(axis)
}

/** What ONNX's Transpose takes to turn one order into another. */
export function permutationBetween(from: readonly number[], to: readonly number[]): number[] {
  return to.map((axis) => from.indexOf(axis))
}

/** Whether only axes of length 1 move, so that the values in memory stay as they are. */
export function movesOnlyOnes(shape: Shape, from: readonly number[], to: readonly number[]): boolean {
  const longer = (order: readonly number[]): number[] => order.filter((axis) => shape[axis] !== 1)
  return sameOrder(longer(from), longer(to))
}

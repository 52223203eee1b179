import type { Ref } from '../../build.ts'
import type { Shape } from '../../graph.ts'
import { elementTypes } from '../../onnx-format/schema.ts'

/** Of `elementTypes`. */
export type ElementType = number

/** A value known at import: a weight, or arithmetic on weights and shapes. Whole numbers and booleans are Float64Array. */
export interface Known {
  readonly kind: 'known'
  readonly shape: readonly number[]
  readonly type: ElementType
  readonly data: Float32Array | Float64Array
}

/** A value that a node of ours computes. */
export interface Dynamic {
  readonly kind: 'node'
  readonly ref: Ref
  /** The node's axis i holds the value's axis order[i]: images are stored NHWC, order [0, 2, 3, 1] of ONNX's NCHW. */
  readonly order: readonly number[]
  readonly type: ElementType
}

export type OnnxValue = Dynamic | Known

/**
 * Stands for the batch at import, so that what a file computes from shapes is plain arithmetic. A prime that no real size is a
 * multiple of: in a shape of the graph, k·BATCH becomes -k.
 */
export const BATCH = 1_000_003

/** Sizes with BATCH as the graph's shape. */
export function encodeShape(shape: readonly number[]): number[] {
  return shape.map((n) => (n > 0 && n % BATCH === 0 ? -n / BATCH : n))
}

/** The graph's shape as sizes with BATCH. */
export function decodeShape(shape: Shape): number[] {
  return shape.map((n) => (n < 0 ? -n * BATCH : n))
}

export function hasBatch(shape: readonly number[]): boolean {
  return shape.some((n) => n > 0 && n % BATCH === 0)
}

/** 0, 1, ... rank - 1: stored as it is in ONNX. */
export function naturalOrder(rank: number): number[] {
  return Array.from({ length: rank }, (_, i) => i)
}

export function isWhole(type: ElementType): boolean {
  return type !== elementTypes.float && type !== elementTypes.double && type !== elementTypes.float16 && type !== elementTypes.bfloat16
}

export function knownVector(values: readonly number[]): Known {
  return { kind: 'known', shape: [values.length], type: elementTypes.int64, data: Float64Array.from(values) }
}

export function knownFloats(shape: readonly number[], data: Float32Array): Known {
  return { kind: 'known', shape, type: elementTypes.float, data }
}

import type { ReluRule } from '../../classifier/classifier.ts'
import type { NodeOf, Op } from '../graph.ts'
import type { Emitter } from './emitter.ts'
import type { Stored } from './layout.ts'

/** Operations that are computed. */
export type Computed = Exclude<Op, 'input' | 'constant'>

export interface Forwarded {
  output: Stored
  /**
   * Values that the backward rule reads besides inputs and output, by name: `linear`, what the activation of a linear node
   * was applied to, in the output's order; `indices` of a max pool; and whatever a pair of rules agrees on.
   */
  saved?: Readonly<Record<string, string>>
}

/** A node's value as it was written, and what its backward rule may read. */
export type Written = Required<Forwarded>

/**
 * How an operation is written as ONNX.
 * @param keep whether a gradient will be asked for: a rule then saves what its backward rule reads
 */
export type ForwardRule<O extends Op> = (node: NodeOf<O>, inputs: readonly Stored[], emitter: Emitter, keep: boolean) => Forwarded

/** What a vector-Jacobian product is given. */
export interface BackwardStep<O extends Op> {
  node: NodeOf<O>
  /** d score / d output, in any order. */
  dy: Stored
  inputs: readonly Stored[]
  output: Stored
  saved: Readonly<Record<string, string>>
  /** Which inputs depend on the image; gradients of the others are not needed. */
  wanted: readonly boolean[]
  emitter: Emitter
  reluRule: ReluRule
}

/** One gradient per input, with that input's shape, in any order; null where not wanted or zero everywhere. */
export type BackwardRule<O extends Op> = (step: BackwardStep<O>) => (Stored | null)[]

/** Rules by operation. */
export type ForwardRules = { readonly [O in Computed]: ForwardRule<O> }
export type BackwardRules = { readonly [O in Computed]: BackwardRule<O> }

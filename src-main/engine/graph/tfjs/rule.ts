import type { Tensor } from '@tensorflow/tfjs-core'
import type { ReluRule } from '../../classifier/classifier.ts'
import type { NodeOf, Op } from '../graph.ts'
import type { WeightStore } from './weight-store.ts'

/** What the forward pass gives a rule. */
export interface ForwardStep<O extends Op> {
  node: NodeOf<O>
  inputs: readonly Tensor[]
  weights: WeightStore
  /** The node's shape for this batch. */
  shape: readonly number[]
}

/** What a vector-Jacobian product is given. */
export interface BackwardStep<O extends Op> {
  node: NodeOf<O>
  /** d score / d output; belongs to the executor. */
  dy: Tensor
  /** The forward's inputs, where `keeps` asks for them. */
  inputs: readonly Tensor[]
  inputShapes: readonly (readonly number[])[]
  /** Which inputs depend on what the gradient is taken of; gradients of the others are not needed. */
  wanted: readonly boolean[]
  /** The forward's output, where `keeps` asks for it. */
  output: Tensor
  weights: WeightStore
  reluRule: ReluRule
}

/** How TF.js computes one operation of the graph, and its gradient with respect to the inputs. */
export interface Rule<O extends Op> {
  /** @returns a tensor of its own, never an input */
  forward(step: ForwardStep<O>): Tensor
  /** One gradient per input, each a tensor of its own; null where it is not wanted or zero. */
  backward(step: BackwardStep<O>): (Tensor | null)[]
  /** What backward reads of the forward; without it, nothing. */
  keeps?(node: NodeOf<O>): { inputs?: boolean; output?: boolean }
}

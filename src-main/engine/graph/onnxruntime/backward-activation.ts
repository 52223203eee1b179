import type { ReluRule } from '../../classifier/classifier.ts'
import type { Unary } from '../graph.ts'
import { slope } from './backward-slopes.ts'
import type { Emitter } from './emitter.ts'
import type { BackwardStep } from './rule.ts'

/** Nodes that an activation can ride on. */
export type WithActivation = 'conv2d' | 'depthwiseConv2d' | 'conv2dTranspose' | 'dense'

/** dy, and what the activation was applied to and gave, all stored in the same order. */
export interface ActivationStep {
  dy: string
  x: string
  y: string
  reluRule: ReluRule
}

/** dy times the activation's slope. The guided rule also drops negative gradients at ReLUs (Springenberg et al., 2015). */
export function activationGradient(f: Unary, { dy, x, y, reluRule }: ActivationStep, emitter: Emitter): string {
  if (f.kind !== 'relu') return emitter.op('Mul', [dy, slope(f, { x, y }, emitter)])
  const passing = reluRule === 'guided' ? emitter.op('Relu', [dy]) : dy
  return masks(y, f.max, emitter).reduce((gradient, mask) => emitter.op('Mul', [gradient, mask]), passing)
}

const largest = 3.4028234663852886e38

/**
 * 1 strictly between 0 and the limit, else 0, from the ReLU's output, which is nowhere negative and nowhere above the limit:
 * lines so steep that the next number past a kink is past the whole slope. ONNX Runtime computes them in the inner layout of
 * its convolutions, unlike comparisons and signs, so nothing is reordered.
 */
function masks(y: string, max: number | null, emitter: Emitter): string[] {
  const positive = emitter.op('HardSigmoid', [y], { alpha: { float: largest }, beta: { float: 0 } })
  if (max === null) return [positive]
  // a power of two, so that the difference from the limit is exact
  const steep = 2 ** 64
  return [positive, emitter.op('HardSigmoid', [y], { alpha: { float: -steep }, beta: { float: max * steep } })]
}

/** The gradient before the activation that rides on a node, stored in `order`. */
export function throughActivation(step: BackwardStep<WithActivation>, order: readonly number[]): string {
  const { node, emitter, output, saved, reluRule } = step
  const dy = emitter.stored(step.dy, order)
  if (!node.activation) return dy
  const y = emitter.stored(output, order)
  // a ReLU's output tells all; where the rest needs the argument, the forward saved it
  const x = node.activation.kind === 'relu' || saved['linear'] === undefined ? y : emitter.stored({ ...output, name: saved['linear'] }, order)
  return activationGradient(node.activation, { dy, x, y, reluRule }, emitter)
}

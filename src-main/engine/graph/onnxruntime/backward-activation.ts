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
  return emitter.op('Mul', [passing, reluMask(y, f.max, emitter)])
}

/** 1 strictly between 0 and the limit, else 0, from the ReLU's output: it is nowhere negative, nowhere above the limit. */
function reluMask(y: string, max: number | null, emitter: Emitter): string {
  if (max === null) return emitter.op('Sign', [y])
  return emitter.op('Sign', [emitter.op('Mul', [emitter.op('Sub', [emitter.scalar(max), y]), y])])
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

import type { Op } from '../graph.ts'
import { affine, binary, prelu, unary, where } from './backward-elementwise.ts'
import { conv2d, conv2dTranspose, dense, depthwiseConv2d } from './backward-linear.ts'
import { lrn, matmul, normalize, softmax } from './backward-normal.ts'
import { pool, reduce } from './backward-pool.ts'
import { concat, expand, gather, pad, reshape, resize, reverse, slice, transpose } from './backward-shape.ts'
import type { BackwardRule, BackwardRules, Computed } from './rule.ts'

const table: BackwardRules = {
  conv2d, depthwiseConv2d, conv2dTranspose, dense, affine, unary, prelu, binary, where, normalize, matmul, softmax, pool, reduce,
  reshape, transpose, pad, slice, gather, expand, reverse, concat, resize, lrn,
}

/** The vector-Jacobian product of an operation. */
export function backwardRuleOf(op: Computed): BackwardRule<Op> {
  return table[op] as unknown as BackwardRule<Op>
}

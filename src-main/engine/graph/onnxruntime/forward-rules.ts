import type { Op } from '../graph.ts'
import { affine, binary, prelu, softmax, unary, where } from './forward-elementwise.ts'
import { conv2d, conv2dTranspose, dense, depthwiseConv2d } from './forward-linear.ts'
import { lrn, matmul, normalize, pool, reduce } from './forward-pool.ts'
import { concat, expand, gather, pad, reshape, resize, reverse, slice, transpose } from './forward-shape.ts'
import type { Computed, ForwardRule, ForwardRules } from './rule.ts'

const table: ForwardRules = {
  conv2d, depthwiseConv2d, conv2dTranspose, dense, affine, unary, prelu, binary, where, normalize, matmul, softmax, pool, reduce,
  reshape, transpose, pad, slice, gather, expand, reverse, concat, resize, lrn,
}

export function forwardRuleOf(op: Computed): ForwardRule<Op> {
  return table[op] as unknown as ForwardRule<Op>
}

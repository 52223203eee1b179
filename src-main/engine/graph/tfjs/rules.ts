import type { Op } from '../graph.ts'
import { affine, binary, prelu, where } from './elementwise-rules.ts'
import { gather } from './gather-rule.ts'
import { conv2d, conv2dTranspose, dense, depthwiseConv2d } from './linear-rules.ts'
import { matmul } from './matmul-rule.ts'
import { pool } from './pool-rules.ts'
import { lrn, normalize, reduce, softmax } from './reduce-rules.ts'
import type { Rule } from './rule.ts'
import { concat, expand, pad, reshape, resize, reverse, slice, transpose } from './shape-rules.ts'
import { unary } from './unary-rule.ts'

type Computed = Exclude<Op, 'input' | 'constant'>

const table: { readonly [O in Computed]: Rule<O> } = {
  conv2d, depthwiseConv2d, conv2dTranspose, dense, affine, unary, prelu, binary, matmul, softmax, pool, reduce, reshape, transpose,
  pad, slice, gather, expand, reverse, concat, resize, lrn, where, normalize,
}

/** The rule of an operation that is computed. */
export function ruleOf(op: Computed): Rule<Op> {
  return table[op] as unknown as Rule<Op>
}

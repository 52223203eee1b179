import type { Preprocessing } from '#shared/domain/model.ts'
import type { Head } from '#shared/domain/score.ts'
import type { Graph } from '../graph.ts'
import { isFusable } from '../tfjs/activation-gradient.ts'
import { clipIsRelu, composeAffines, constantOperand, dropIdentityAffine, foldIntoNext, foldIntoPrevious } from './affine.ts'
import type { Draft } from './draft.ts'
import { draftOf, find, fuse, graphOf, onlyConsumer, operationOf, removeDead } from './draft.ts'
import { affinePastFlatten, foldReverse, permuteFlattened } from './flatten.ts'
import { takeHeadOff } from './head.ts'
import { addInputScaling, splitInputScaling } from './input-scaling.ts'
import { composeTransposes, dropNoOps, dropReshapes, reshapeForTranspose, sinkTranspose, transposeAfterBinary } from './layout.ts'
import { transposeBeforeReshape } from './layout-reshape.ts'
import { isLinear } from './linear.ts'
import { mergePads } from './pads.ts'
import { gatedActivation, gelu, hardSigmoidOfClip, hardSwishDividedLast, negativeIsAffine, normalisationOfSteps, unaryPairs } from './patterns.ts'
import type { Rewrite } from './rewrite.ts'
import { rewriteAll } from './rewrite.ts'

/** What is said of rewrites of a kind, where there were any. */
type Note = readonly [rewrites: readonly Rewrite[], one: string, many: string]

const layoutNotes: readonly Note[] = [
  [[dropReshapes, dropNoOps], '', ''],
  [[composeTransposes, reshapeForTranspose, sinkTranspose, transposeAfterBinary, transposeBeforeReshape], 'change of layout is cancelled or moved', 'changes of layout are cancelled or moved'],
]

const constants: readonly Rewrite[] = [constantOperand, clipIsRelu, unaryPairs, negativeIsAffine, dropIdentityAffine]

const foldNotes: readonly Note[] = [
  [[...constants, dropReshapes, dropNoOps], '', ''],
  [[normalisationOfSteps], 'normalisation written in steps is one node', 'normalisations written in steps are one node each'],
  [[gatedActivation, gelu, hardSwishDividedLast, hardSigmoidOfClip], 'activation written in steps is one node', 'activations written in steps are one node each'],
  [[mergePads], 'padding layer is merged into the convolution or pool after it', 'padding layers are merged into the convolutions or pools after them'],
  [[foldIntoPrevious, composeAffines], 'batch normalisation or constant operand is folded into the layer before it', 'batch normalisations or constant operands are folded into the layers before them'],
  [[permuteFlattened], 'flattened image keeps its layout: the rows of the matrix behind it are in another order instead', 'flattened images keep their layout: the rows of the matrices behind them are in another order instead'],
]

/**
 * The graph as executors run it: images in [0, 1] in, logits out, with constants, batch normalisation, pads, the input
 * scaling and activations folded into the convolutions and dense nodes. Every fold is exact up to rounding and noted.
 */
export function simplify(graph: Graph, options: { preprocessing: Preprocessing; head: Head | undefined; labels: number | null }): { graph: Graph; head: Head } {
  const draft = draftOf(graph)
  removeDead(draft)
  rewriteNoted(draft, layoutNotes)
  const head = takeHeadOff(draft, options.head, options.labels)
  rewriteAll(draft, constants)
  rewriteNoted(draft, foldNotes)
  foldInput(draft, options.preprocessing)
  rewriteNoted(draft, [[[fuseActivation], 'activation is computed together with the layer before it', 'activations are computed together with the layers before them']])
  rewriteAll(draft, [dropReshapes])
  removeDead(draft)
  return { graph: graphOf(draft), head }
}

/** Activations that the backends' fused kernels know ride on the convolution or dense node before them. */
const fuseActivation: Rewrite = (draft, node) => {
  if ((!isLinear(node) && node.op !== 'conv2dTranspose') || node.activation) return false
  const next = onlyConsumer(draft, node.name)
  if (next?.op !== 'unary' || !isFusable(next.function)) return false
  fuse(draft, node, next, { ...operationOf(node), activation: next.function } as ReturnType<typeof operationOf>)
  return true
}

function rewriteNoted(draft: Draft, notes: readonly Note[]): void {
  const counts = rewriteAll(draft, notes.flatMap(([rewrites]) => rewrites))
  let at = 0
  for (const [rewrites, one, many] of notes) {
    const count = counts.slice(at, (at += rewrites.length)).reduce((sum, n) => sum + n, 0)
    if (count > 0 && one !== '') draft.notes.push(`${count} ${count === 1 ? one : many}.`)
  }
}

function foldInput(draft: Draft, preprocessing: Preprocessing): void {
  const before = draft.nodes.size
  addInputScaling(draft, preprocessing)
  const added = draft.nodes.size - before
  rewriteAll(draft, [composeAffines, foldReverse, affinePastFlatten, foldIntoNext, foldIntoPrevious])
  const notes = draft.notes.length
  splitInputScaling(draft)
  if (added === 0 || draft.notes.length > notes) return
  const first = onlyConsumer(draft, draft.input)
  const remains = first?.op === 'affine' || first?.op === 'reverse'
  draft.notes.push(remains ? `The input scaling stays a node of its own, ${first.name}.` : `The input scaling is folded into ${first?.name ?? find(draft, draft.output).name}.`)
}

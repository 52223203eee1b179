import type { Preprocessing } from '#shared/domain/model.ts'
import type { Head } from '#shared/domain/score.ts'
import type { Graph } from '../graph.ts'
import type { Draft } from './draft.ts'
import { draftOf, find, onlyConsumer, removeDead } from './draft.ts'
import { affinePastFlatten, clipIsRelu, composeAffines, constantOperand, dropReshapes, foldIntoNext, foldIntoPrevious, foldReverse, fuseActivation, mergePads, rewriteAll } from './fold.ts'
import { takeHeadOff } from './head.ts'
import { addInputScaling, splitInputScaling } from './input-scaling.ts'

/**
 * The graph as executors run it: images in [0, 1] in, logits out, with constants, batch normalisation, pads, the input
 * scaling and activations folded into the convolutions and dense nodes. Every fold is exact up to rounding and noted.
 */
export function simplify(graph: Graph, options: { preprocessing: Preprocessing; head: Head | undefined; labels: number | null }): { graph: Graph; head: Head } {
  const draft = draftOf(graph)
  removeDead(draft)
  rewriteAll(draft, [dropReshapes])
  const head = takeHeadOff(draft, options.head, options.labels)
  const [, , pads, normalisations] = rewriteAll(draft, [constantOperand, clipIsRelu, mergePads, foldIntoPrevious, composeAffines])
  if (normalisations! > 0) draft.notes.push(`${normalisations} batch normalisations or constant operands are folded into the layers before them.`)
  if (pads! > 0) draft.notes.push(`${pads} padding layers are merged into convolutions.`)
  foldInput(draft, options.preprocessing)
  const [activations] = rewriteAll(draft, [fuseActivation])
  if (activations! > 0) draft.notes.push(`${activations} activations are computed together with the layers before them.`)
  rewriteAll(draft, [dropReshapes])
  removeDead(draft)
  return { graph: { nodes: draft.nodes, input: draft.input, output: draft.output, notes: draft.notes }, head }
}

function foldInput(draft: Draft, preprocessing: Preprocessing): void {
  const before = draft.nodes.length
  addInputScaling(draft, preprocessing)
  const added = draft.nodes.length - before
  rewriteAll(draft, [composeAffines, foldReverse, affinePastFlatten, foldIntoNext, foldIntoPrevious])
  const notes = draft.notes.length
  splitInputScaling(draft)
  if (added === 0 || draft.notes.length > notes) return
  const first = onlyConsumer(draft, draft.input)
  const remains = first?.op === 'affine' || first?.op === 'reverse'
  draft.notes.push(remains ? `The input scaling stays a node of its own, ${first.name}.` : `The input scaling is folded into ${first?.name ?? find(draft, draft.output).name}.`)
}

import type { Head, ScoreKind } from '#shared/domain/score.ts'
import type { ReluRule } from '../../classifier/classifier.ts'
import type { Cut } from '../cut.ts'
import type { Graph } from '../graph.ts'
import { elementTypes } from '../onnx-format/schema.ts'
import { emitBackward } from './backward-driver.ts'
import { dependentOn } from '../dependence.ts'
import type { Emitter, WrittenModel } from './emitter.ts'
import { createEmitter } from './emitter.ts'
import type { Stored } from './layout.ts'
import { emitScores } from './scores.ts'
import { ends, handedName, writeForward } from './write-forward.ts'

/** What a session computes. */
export interface Asked {
  /** The score whose gradient is taken, and how it goes back through ReLUs. */
  readonly score: { readonly kind: ScoreKind; readonly reluRule: ReluRule } | null
  /** The node whose activations (and, with a score, their gradients) are handed out in place of the image's gradient. */
  readonly node: string | null
}

/**
 * The graph as an ONNX file: images in, logits out, and where asked for the score of each image's target class (input
 * `targets`, int64) and its gradient with respect to the images or to a node. Images and gradients are NHWC.
 */
export function writeModel(graph: Graph, head: Head, asked: Asked): WrittenModel {
  const emitter = createEmitter()
  const towards = asked.node ?? graph.input
  const values = writeForward(graph, emitter, asked.score ? dependentOn(graph, towards) : new Set())
  const logits = values.get(graph.output)!.output
  emitter.output(ends.logits, emitter.natural(logits), logits.shape)
  if (asked.node !== null) handOut(ends.activations, values.get(asked.node)!.output, emitter)
  if (asked.score) {
    const targets = emitter.input(ends.targets, [logits.shape[0]!], elementTypes.int64)
    const { scores, seed } = emitScores(emitter, logits, targets, asked.score.kind, head)
    emitter.output(ends.scores, scores, [logits.shape[0]!])
    const gradient = emitBackward(graph, values, emitter, { seed, towards, reluRule: asked.score.reluRule })
    if (gradient) handOut(ends.gradient, gradient, emitter)
  }
  return emitter.finish()
}

/** The part of a cut graph up to a layer: images in, the handed values out. */
export function writeBefore({ before, handed }: Cut): WrittenModel {
  const emitter = createEmitter()
  const values = writeForward({ nodes: before }, emitter, new Set())
  handed.forEach((name, i) => handOut(handedName(i), values.get(name)!.output, emitter))
  return emitter.finish()
}

/** The part behind: the handed values in, logits out. */
export function writeBehind({ behind, handed }: Cut, output: string): WrittenModel {
  const emitter = createEmitter()
  const values = writeForward({ nodes: behind }, emitter, new Set(), ({ name }) => handedName(handed.indexOf(name)))
  handOut(ends.logits, values.get(output)!.output, emitter)
  return emitter.finish()
}

function handOut(name: string, value: Stored, emitter: Emitter): void {
  emitter.output(name, emitter.natural(value), value.shape)
}

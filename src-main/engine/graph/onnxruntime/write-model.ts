import type { Head, ScoreKind } from '#shared/domain/score.ts'
import type { ReluRule } from '../../classifier/classifier.ts'
import type { Graph } from '../graph.ts'
import { elementTypes } from '../onnx-format/schema.ts'
import { emitBackward } from './backward-driver.ts'
import { dependentOn } from './dependence.ts'
import type { Emitter, WrittenModel } from './emitter.ts'
import { createEmitter } from './emitter.ts'
import type { Stored } from './layout.ts'
import { emitScores } from './scores.ts'
import { ends, writeForward } from './write-forward.ts'

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

function handOut(name: string, value: Stored, emitter: Emitter): void {
  emitter.output(name, emitter.natural(value), value.shape)
}

import type { ReluRule } from '../../classifier/classifier.ts'
import type { Graph, GraphNode } from '../graph.ts'
import { backwardRuleOf } from './backward-rules.ts'
import { dependentOn } from '../dependence.ts'
import type { Emitter } from './emitter.ts'
import type { Stored } from './layout.ts'
import type { Written } from './rule.ts'

interface Backward {
  /** d score / d output of the graph. */
  seed: Stored
  /** The node whose gradient is asked for. */
  towards: string
  reluRule: ReluRule
}

/**
 * Writes the backward pass: one vector-Jacobian product per node in reverse order, only through nodes that depend on the
 * one asked for.
 * @param values of the forward pass
 * @returns the gradient at `towards`, or null where the output does not depend on it
 */
export function emitBackward(graph: Graph, values: ReadonlyMap<string, Written>, emitter: Emitter, { seed, towards, reluRule }: Backward): Stored | null {
  const active = dependentOn(graph, towards)
  if (!active.has(graph.output)) return null
  const arriving = new Map<string, Stored[]>([[graph.output, [seed]]])
  for (let i = graph.nodes.length - 1; i >= 0; i--) {
    const node = graph.nodes[i]!
    const gradients = arriving.get(node.name)
    if (!gradients || !active.has(node.name)) continue
    emitter.within(`${node.name} (gradient)`)
    const dy = summed(gradients, values.get(node.name)!.output, emitter)
    if (node.name === towards) return dy
    passOn(node, dy)
  }
  return null

  function passOn(node: GraphNode, dy: Stored): void {
    if (node.op === 'input' || node.op === 'constant') return
    const { output, saved } = values.get(node.name)!
    const inputs = node.inputs.map((name) => values.get(name)!.output)
    const wanted = node.inputs.map((name) => active.has(name))
    const found = backwardRuleOf(node.op)({ node: node as never, dy, inputs, output, saved, wanted, emitter, reluRule })
    found.forEach((gradient, k) => {
      const name = node.inputs[k]!
      if (!gradient || !wanted[k]) return
      emitter.declare(gradient)
      const before = arriving.get(name)
      if (before) before.push(gradient)
      else arriving.set(name, [gradient])
    })
  }
}

/** Gradients that arrive from several readers are added in the order in which the value itself is stored. */
function summed(gradients: readonly Stored[], value: Stored, emitter: Emitter): Stored {
  if (gradients.length === 1) return gradients[0]!
  const name = gradients.map((g) => emitter.stored(g, value.order)).reduce((a, b) => emitter.op('Add', [a, b]))
  return { name, shape: value.shape, order: value.order }
}

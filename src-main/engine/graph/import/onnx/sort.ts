import { MaskscopeError } from '#shared/domain/errors.ts'
import type { OnnxNode } from '../../onnx-format/schema.ts'
import { nameOf } from './attributes.ts'

/**
 * The nodes that the outputs need, inputs before their readers. What nothing reads is left out.
 * @param available values that are there without a node: the model's inputs and weights
 * @throws MaskscopeError 'input' naming node and input, where a value is nowhere computed, computed twice or needs itself
 */
export function neededNodes(nodes: readonly OnnxNode[], outputs: readonly string[], available: ReadonlySet<string>): OnnxNode[] {
  const makers = new Map<string, OnnxNode>()
  for (const node of nodes) {
    for (const output of node.outputs) {
      if (output === '') continue
      const other = makers.get(output)
      if (other || available.has(output)) {
        const where = other ? `node ${nameOf(other)}` : 'an input or weight'
        throw broken(node, `computes ${output}, which ${where} gives as well`)
      }
      makers.set(output, node)
    }
  }
  const order: OnnxNode[] = []
  const state = new Map<OnnxNode, 'open' | 'done'>()
  const stack: OnnxNode[] = []
  for (const output of outputs) {
    const maker = makers.get(output)
    if (maker) stack.push(maker)
    else if (!available.has(output)) {
      throw new MaskscopeError('input', `No node of the model computes its output ${output}. Download or export the model again.`, { subject: output })
    }
    while (stack.length > 0) visit(stack[stack.length - 1]!)
  }
  return inFileOrder(nodes, order)

  function visit(node: OnnxNode): void {
    const before = state.get(node)
    if (before !== undefined) {
      stack.pop()
      if (before === 'open') order.push(node)
      state.set(node, 'done')
      return
    }
    state.set(node, 'open')
    for (const input of node.inputs) {
      const maker = makers.get(input)
      if (input === '' || (!maker && available.has(input))) continue
      if (!maker) throw broken(node, `reads ${input}, which nothing computes`)
      if (state.get(maker) === 'open') throw broken(node, `reads ${input}, which is computed from the node's own output`)
      if (!state.has(maker)) stack.push(maker)
    }
  }
}

/** As the file has them where that is in order, as it should be. */
function inFileOrder(nodes: readonly OnnxNode[], sorted: readonly OnnxNode[]): OnnxNode[] {
  const needed = new Set(sorted)
  const made = new Set<string>()
  const kept = nodes.filter((n) => needed.has(n))
  const later = new Set(kept.flatMap((n) => n.outputs))
  for (const node of kept) {
    if (node.inputs.some((input) => later.has(input) && !made.has(input))) return [...sorted]
    for (const output of node.outputs) made.add(output)
  }
  return kept
}

function broken(node: OnnxNode, what: string): MaskscopeError {
  return new MaskscopeError('input', `Node ${nameOf(node)} (${node.opType}) of the model ${what}. Download or export the model again.`, { subject: nameOf(node) })
}

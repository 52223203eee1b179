import { MaskscopeError } from '#shared/domain/errors.ts'
import type { Ref } from '../build.ts'
import { createBuilder } from '../build.ts'
import type { Graph } from '../graph.ts'
import type { NodeImporter, Value } from './graph-context.ts'
import { createGraphContext } from './graph-context.ts'
import { elementwiseNodes } from './graph-elementwise.ts'
import { linearNodes } from './graph-linear.ts'
import type { RawNode } from './graph-nodes.ts'
import { dataInputs, shapeAttribute, unsupported } from './graph-nodes.ts'
import { shapeNodes } from './graph-shapes.ts'
import { checkInputShape } from './input-shape.ts'
import { evaluate } from './static-values.ts'
import type { DecodedWeight } from './weights.ts'

const importers: Record<string, NodeImporter> = { ...linearNodes, ...elementwiseNodes, ...shapeNodes }

/**
 * A TF.js graph model: a frozen TensorFlow graph as tfjs-converter writes it.
 * @param topology `modelTopology` of model.json
 * @throws UnsupportedNode where the graph cannot express a node; MaskscopeError 'input' where the model is broken or does
 * not take images.
 */
export function importGraphModel(topology: unknown, weights: ReadonlyMap<string, DecodedWeight>): Graph {
  const nodes = (topology as { node?: RawNode[] } | null)?.node
  if (!Array.isArray(nodes) || nodes.length === 0) {
    throw new MaskscopeError('input', 'model.json lists no nodes in modelTopology; it is not a TF.js graph model. Convert the model again with tensorflowjs_converter.')
  }
  const builder = createBuilder()
  const context = createGraphContext(builder)
  const values = new Map<string, Value[]>()
  const placeholders = nodes.filter((n) => n.op === 'Placeholder')
  if (placeholders.length !== 1) {
    throw new MaskscopeError('input', `The model has ${placeholders.length} inputs (${placeholders.map((p) => p.name).join(', ') || 'none'}); a classifier of one image is needed.`, { subject: 'input' })
  }
  const input: Ref = builder.add(placeholders[0]!.name, { op: 'input' }, [], checkInputShape(shapeAttribute(placeholders[0]!)))
  values.set(placeholders[0]!.name, [{ ref: input }])

  const output = outputOf(nodes)
  for (const node of sorted(nodes, output)) {
    if (node.op === 'Placeholder') continue
    const inputs = dataInputs(node).map(({ name, output: index }) => {
      const found = values.get(name)?.[index]
      if (!found) throw unsupported(node, `it reads output ${index} of ${name}`)
      return found
    })
    values.set(node.name, [importNode(node, inputs)].flat())
  }
  const result = values.get(output)![0]!
  if ('known' in result) throw new MaskscopeError('input', `The model's output ${output} does not depend on the image. Choose an image classifier.`)
  return builder.finish(input, result.ref)

  function importNode(node: RawNode, inputs: readonly Value[]): Value | Value[] {
    if (node.op === 'Const') {
      const weight = weights.get(node.name)
      if (!weight) throw new MaskscopeError('input', `Weight ${node.name} is missing from the model's weight files. Download or convert the model again.`, { subject: node.name })
      return { known: weight }
    }
    if (inputs.length > 0 && inputs.every((v) => 'known' in v)) {
      const known = evaluate(node, inputs.map((v) => v.known))
      if (known) return { known }
    }
    const importer = importers[node.op]
    if (!importer) throw unsupported(node)
    return importer(node, inputs, context)
  }
}

/** The one node that nothing reads; where there are several, a softmax among them. */
function outputOf(nodes: readonly RawNode[]): string {
  const read = new Set(nodes.flatMap((n) => dataInputs(n).map((i) => i.name)))
  const ends = nodes.filter((n) => !read.has(n.name) && !['Const', 'Placeholder', 'NoOp', 'Assert'].includes(n.op))
  if (ends.length === 1) return ends[0]!.name
  const byName = new Map(nodes.map((n) => [n.name, n]))
  const isHead = (n: RawNode | undefined): boolean =>
    n !== undefined && (n.op === 'Softmax' || (n.op === 'Identity' && isHead(byName.get(dataInputs(n)[0]?.name ?? ''))))
  const heads = ends.filter(isHead)
  if (heads.length === 1) return heads[0]!.name
  throw new MaskscopeError('input', `The model has ${ends.length} outputs (${ends.map((n) => n.name).join(', ')}); a classifier with one output is needed. Export the part that ends in the class scores.`)
}

/** What the output needs, inputs before their readers. */
function sorted(nodes: readonly RawNode[], output: string): RawNode[] {
  const byName = new Map(nodes.map((n) => [n.name, n]))
  const order: RawNode[] = []
  const state = new Map<string, 'open' | 'done'>()
  const stack = [output]
  while (stack.length > 0) {
    const name = stack[stack.length - 1]!
    const node = byName.get(name)
    if (!node) throw new MaskscopeError('input', `Node ${name} is missing from model.json. Download or convert the model again.`, { subject: name })
    if (state.has(name)) {
      stack.pop()
      if (state.get(name) === 'open') order.push(node)
      state.set(name, 'done')
      continue
    }
    state.set(name, 'open')
    for (const { name: from } of dataInputs(node)) {
      if (state.get(from) === 'open') throw unsupported(node, 'a loop')
      if (!state.has(from)) stack.push(from)
    }
  }
  return order
}

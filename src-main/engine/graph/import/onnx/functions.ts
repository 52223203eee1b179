import { MaskscopeError } from '#shared/domain/errors.ts'
import type { OnnxAttribute, OnnxFunction, OnnxModel, OnnxNode } from '../../onnx-format/schema.ts'
import { nameOf, unsupported } from './attributes.ts'

/** Nodes that functions inside of functions may come to. */
const MOST_NODES = 50_000
const DEEPEST_CALL = 20

/** ONNX's own operators are in the domain '', which may also be written out. */
export function domainOf(domain: string): string {
  return domain === 'ai.onnx' ? '' : domain
}

/**
 * The model's nodes with the bodies of its own functions in place of the nodes that call them.
 * @throws UnsupportedNode for a function of another operator set; MaskscopeError 'input' where functions call themselves or come to too many nodes
 */
export function withoutFunctions(model: OnnxModel, opset: number): OnnxNode[] {
  const functions = new Map(model.functions.map((f) => [`${domainOf(f.domain)}:${f.name}`, f]))
  const result: OnnxNode[] = []
  for (const node of model.graph.nodes) place(node, 0)
  return result

  function place(node: OnnxNode, depth: number): void {
    const domain = domainOf(node.domain)
    const body = functions.get(`${domain}:${node.opType}`)
    if (!body) {
      if (result.length >= MOST_NODES) throw tooMuch(node, `comes to more than ${MOST_NODES} nodes`)
      result.push(domain === node.domain ? node : { ...node, domain })
      return
    }
    if (depth >= DEEPEST_CALL) throw tooMuch(node, `calls functions more than ${DEEPEST_CALL} levels deep`)
    const own = body.opsets.find((o) => domainOf(o.domain) === '')?.version
    if (own !== undefined && own !== opset) throw unsupported(node, `a function of operator set ${own} in a model of ${opset}`)
    for (const inner of inlined(node, body)) place(inner, depth + 1)
  }
}

/** The body with the caller's values and attributes; inner names get the caller's name in front. */
function inlined(caller: OnnxNode, body: OnnxFunction): OnnxNode[] {
  const prefix = nameOf(caller)
  const names = new Map<string, string>([['', '']])
  for (const [i, name] of body.inputs.entries()) names.set(name, caller.inputs[i] ?? '')
  for (const [i, name] of body.outputs.entries()) if (caller.outputs[i]) names.set(name, caller.outputs[i])
  const rename = (name: string): string => names.get(name) ?? `${prefix}/${name}`
  return body.nodes.map((node) => ({
    ...node,
    name: `${prefix}/${nameOf(node)}`,
    inputs: node.inputs.map(rename),
    outputs: node.outputs.map(rename),
    attributes: node.attributes.flatMap((a) => bound(a, caller)),
  }))
}

function bound(attribute: OnnxAttribute, caller: OnnxNode): OnnxAttribute[] {
  if (attribute.reference === '') return [attribute]
  const given = caller.attributes.find((a) => a.name === attribute.reference)
  return given ? [{ ...given, name: attribute.name }] : []
}

function tooMuch(node: OnnxNode, what: string): MaskscopeError {
  return new MaskscopeError('input', `Node ${nameOf(node)} (${node.opType}) of the model ${what}. Export the model without functions.`, { subject: nameOf(node) })
}

import { MaskscopeError } from '#shared/domain/errors.ts'
import { UnsupportedNode } from '../../build.ts'
import { sizePerImage } from '../../graph.ts'
import type { OnnxNode } from '../../onnx-format/schema.ts'
import { activationNodes } from './activation-nodes.ts'
import { arithmeticNodes } from './arithmetic-nodes.ts'
import { attentionNodes } from './attention-nodes.ts'
import { constantNodes } from './constant-nodes.ts'
import type { NodeImporter, OnnxContext } from './context.ts'
import { nameOf, unsupported } from './attributes.ts'
import { dataNodes } from './data-nodes.ts'
import { linearNodes } from './linear-nodes.ts'
import { logicNodes } from './logic-nodes.ts'
import { normalisationNodes } from './normalisation-nodes.ts'
import { padNodes } from './pad-nodes.ts'
import { poolNodes } from './pool-nodes.ts'
import { reduceNodes } from './reduce-nodes.ts'
import { resizeNodes } from './resize-nodes.ts'
import { shapeNodes } from './shape-nodes.ts'
import { softmaxNodes } from './softmax-nodes.ts'
import { staticValue } from './static-values.ts'
import type { Known, OnnxValue } from './value.ts'

const importers: Readonly<Record<string, NodeImporter>> = {
  ...shapeNodes, ...dataNodes, ...constantNodes, ...logicNodes, ...padNodes, ...linearNodes, ...normalisationNodes, ...poolNodes, ...activationNodes,
  ...arithmeticNodes, ...reduceNodes, ...softmaxNodes, ...resizeNodes, ...attentionNodes,
}

/** Elements of one image's value at one node: 2 GB. */
const LARGEST_ACTIVATION = 2 ** 29

/** Whether there is an importer. Operators on shapes alone have none: they are computed at import. */
export function isKnownOperator(node: OnnxNode): boolean {
  return node.domain === '' && Object.hasOwn(importers, node.opType)
}

/** Values by name; weights are read when a node first needs them. */
export interface Values {
  get(name: string): OnnxValue | undefined
  set(name: string, value: OnnxValue): void
}

/**
 * Imports one node and gives its outputs their values.
 * @throws UnsupportedNode, or MaskscopeError 'input' naming the node where it contradicts itself
 */
export function importNode(node: OnnxNode, values: Values, context: OnnxContext): void {
  const inputs = node.inputs.map((name) => (name === '' ? undefined : valueOf(node, name, values)))
  const results = guarded(node, () => [resultsOf(node, inputs, context)].flat())
  for (const [i, name] of node.outputs.entries()) {
    if (name === '') continue
    const value = results[i]
    if (value) values.set(name, checked(node, value, context))
  }
}

function valueOf(node: OnnxNode, name: string, values: Values): OnnxValue {
  const value = values.get(name)
  if (!value) throw unsupported(node, `it reads ${name}, an output that is not computed`)
  return value
}

function resultsOf(node: OnnxNode, inputs: readonly (OnnxValue | undefined)[], context: OnnxContext): OnnxValue | (OnnxValue | undefined)[] {
  if (inputs.length > 0 && inputs.every((v) => v === undefined || v.kind === 'known')) {
    const known = staticValue(node, inputs as readonly (Known | undefined)[], context)
    if (known) return known
  }
  if (!isKnownOperator(node)) throw unsupported(node)
  return importers[node.opType]!(node, inputs, context)
}

/** Whatever a damaged file leads to, the error names the node. */
function guarded<T>(node: OnnxNode, work: () => T): T {
  try {
    return work()
  } catch (error) {
    if (error instanceof MaskscopeError || error instanceof UnsupportedNode) throw error
    throw inconsistent(node, (error as Error).message, error)
  }
}

function checked(node: OnnxNode, value: OnnxValue, context: OnnxContext): OnnxValue {
  if (value.kind === 'known') return value
  const shape = context.builder.shapeOf(value.ref)
  if (!shape.every(Number.isSafeInteger) || !(sizePerImage(shape) <= LARGEST_ACTIVATION)) {
    throw inconsistent(node, `its output would be [${shape.join(', ')}]`)
  }
  return value
}

function inconsistent(node: OnnxNode, why: string, cause?: unknown): MaskscopeError {
  const name = nameOf(node)
  return new MaskscopeError('input', `Node ${name} (${node.opType}) of the model is inconsistent: ${why}. Export the model again.`, { subject: name, cause })
}

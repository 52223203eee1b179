import { MaskscopeError } from '#shared/domain/errors.ts'
import { createBuilder } from '../../build.ts'
import type { Graph } from '../../graph.ts'
import type { OnnxModel } from '../../onnx-format/schema.ts'
import { elementTypes } from '../../onnx-format/schema.ts'
import { nameOf } from './attributes.ts'
import { createOnnxContext, NeedsKnown } from './context.ts'
import { importNode } from './import-nodes.ts'
import { givenInputs } from './model-input.ts'
import { prepared } from './prepare.ts'
import { neededNodes } from './sort.ts'
import type { ElementType, Known } from './value.ts'

export interface OnnxParts {
  /** Stored as ONNX has them; `input` and `output` are empty: there may be several. */
  readonly graph: Graph
  readonly inputs: readonly { name: string; node: string; type: ElementType }[]
  /** The node that holds an output, or its value where no input enters it. */
  readonly outputs: readonly ({ name: string; node: string; type: ElementType } | { name: string; known: Known })[]
}

/** Inputs that must be known before the model can be imported. */
export interface MissingValues {
  readonly needs: readonly string[]
}

/**
 * Any model, with inputs and outputs of any shape and no batch: for the ONNX project's test cases.
 * @param known values of inputs that carry shapes, axes or scales
 * @throws UnsupportedNode, MaskscopeError as `importOnnx`
 */
export function importOnnxParts(model: OnnxModel, { known }: { known: ReadonlyMap<string, Known> }): OnnxParts | MissingValues {
  const builder = createBuilder()
  const parts = prepared(model, Number.MAX_SAFE_INTEGER / 4, {})
  let current = ''
  const context = createOnnxContext(builder, { opset: parts.opset, fixedBatch: null, current: () => current, elements: parts.elements, external: {} })
  const values = parts.values()
  const given = givenInputs(model)
  const inputs: { name: string; node: string; type: ElementType }[] = []
  for (const input of given) {
    const bound = known.get(input.name)
    const dims = input.type?.tensor?.shape?.dims
    const shape = dims?.flatMap((d) => (d.value !== undefined && d.value >= 0 ? [d.value] : []))
    const type = input.type?.tensor?.elementType ?? elementTypes.float
    if (bound) values.set(input.name, bound)
    else {
      if (!shape || shape.length !== dims?.length) throw new MaskscopeError('input', `Input ${input.name} of the model has no fixed shape.`, { subject: input.name })
      const node = builder.add(input.name, { op: 'input' }, [], shape)
      inputs.push({ name: input.name, node, type })
      values.set(input.name, context.value(node, undefined, type))
    }
  }
  const names = model.graph.outputs.map((o) => o.name)
  const nodes = neededNodes(parts.nodes, names, new Set([...parts.weights, ...given.map((i) => i.name)]))
  try {
    for (const node of nodes) {
      current = nameOf(node)
      importNode(node, values, context)
    }
  } catch (error) {
    if (error instanceof NeedsKnown && error.sources.length > 0) return { needs: error.sources }
    throw error
  }
  const outputs = names.map((name) => {
    const value = values.get(name)
    if (!value) throw new MaskscopeError('input', `Output ${name} of the model is not computed.`, { subject: name })
    if (value.kind === 'known') return { name, known: value }
    current = name
    return { name, node: context.natural(value), type: value.type }
  })
  return { graph: builder.finish('', ''), inputs, outputs }
}

import { UnsupportedNode } from '#engine/graph/build.ts'
import { givenInputs } from '#engine/graph/import/onnx/model-input.ts'
import { importOnnxParts, type OnnxParts } from '#engine/graph/import/onnx/onnx-parts.ts'
import type { ElementType, Known } from '#engine/graph/import/onnx/value.ts'
import type { OnnxModel, OnnxTensor } from '#engine/graph/onnx-format/schema.ts'
import { elementTypes } from '#engine/graph/onnx-format/schema.ts'
import { tensorValues, typeName } from '#engine/graph/onnx-format/tensor.ts'
import { runProgram } from '#engine/graph/tfjs/program.ts'
import type { DataSet, NodeCase } from './cases.ts'

const tolerance = 1e-4

interface Found {
  shape: readonly number[]
  type: ElementType
  data: ArrayLike<number>
}

/**
 * Imports the case and runs all its data through TF.js.
 * @returns what is wrong; null where shapes, types and values of all outputs agree
 */
export async function check({ model, sets }: NodeCase): Promise<string | null> {
  if (sets.length === 0) return 'there is no data'
  for (const set of sets) {
    try {
      const found = await computed(model, set)
      for (const [i, output] of model.graph.outputs.entries()) {
        const wrong = difference(found[i]!, set.outputs[i]!)
        if (wrong) return `output ${output.name}: ${wrong}`
      }
    } catch (error) {
      return error instanceof UnsupportedNode ? `not imported: ${error.message}` : (error as Error).message
    }
  }
  return null
}

/** Values of all outputs. What must be known before the graph can be built, such as shapes and axes, is bound from the data. */
async function computed(stated: OnnxModel, { inputs }: DataSet): Promise<Found[]> {
  const given = givenInputs(stated)
  if (given.length !== inputs.length) throw new Error(`${inputs.length} inputs are given to a model that takes ${given.length}`)
  const data = new Map(given.map(({ name }, i) => [name, knownOf(inputs[i]!)]))
  const model = withShapes(stated, data)
  const parts = importedWith(model, data)
  const values = new Map(parts.inputs.map(({ name, node }) => [node, Float32Array.from(data.get(name)!.data)]))
  const names = parts.outputs.flatMap((output) => ('node' in output ? [output.node] : []))
  const results = await runProgram(parts.graph.nodes, values, names)
  return parts.outputs.map((output): Found => {
    if ('known' in output) return output.known
    return { ...results[names.indexOf(output.node)]!, type: output.type }
  })
}

function importedWith(model: OnnxModel, data: ReadonlyMap<string, Known>): OnnxParts {
  const known = new Map<string, Known>()
  for (;;) {
    const parts = importOnnxParts(model, { known })
    if (!('needs' in parts)) return parts
    const more = parts.needs.filter((name) => !known.has(name))
    if (more.length === 0) throw new Error(`${parts.needs.join(', ')} must be known and is`)
    for (const name of more) known.set(name, data.get(name)!)
  }
}

const knownOf = (tensor: OnnxTensor): Known => ({ kind: 'known', ...tensorValues(tensor) })

/** The model with the shapes that its inputs have here. */
function withShapes(model: OnnxModel, data: ReadonlyMap<string, Known>): OnnxModel {
  const inputs = model.graph.inputs.map((input) => {
    const value = data.get(input.name)
    if (!value) return input
    const dims = value.shape.map((n) => ({ value: n, name: undefined }))
    return { ...input, type: { tensor: { elementType: value.type, shape: { dims } } } }
  })
  return { ...model, graph: { ...model.graph, inputs } }
}

function difference(found: Found, expected: OnnxTensor): string | null {
  const wanted = tensorValues(expected)
  if (found.type !== wanted.type) return `is ${typeName(found.type)}, expected ${typeName(wanted.type)}`
  if (found.shape.join() !== wanted.shape.join()) return `has the shape [${found.shape.join(', ')}], expected [${wanted.shape.join(', ')}]`
  const exact = wanted.type !== elementTypes.float
  for (let i = 0; i < wanted.data.length; i++) {
    const [a, b] = [found.data[i]!, wanted.data[i]!]
    if (Object.is(a, b) || a === b) continue
    if (exact || !(Math.abs(a - b) <= tolerance + tolerance * Math.abs(b))) return `element ${i} is ${a}, expected ${b}`
  }
  return found.data.length === wanted.data.length ? null : `has ${found.data.length} elements, expected ${wanted.data.length}`
}

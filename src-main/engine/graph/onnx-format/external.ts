import { MaskscopeError } from '#shared/domain/errors.ts'
import type { OnnxModel, OnnxTensor } from './schema.ts'
import { externalPart } from './tensor.ts'

/**
 * The files beside the model that hold weights, as relative paths with '/'.
 * @throws MaskscopeError 'input' naming tensor and file, where a path is absolute or leads out of the model's folder
 */
export function externalLocations(model: OnnxModel): string[] {
  const found = new Set<string>()
  for (const tensor of tensorsOf(model)) {
    if (tensor.dataLocation !== 1) continue
    const { location } = externalPart(tensor)
    if (!isBelow(location)) {
      throw new MaskscopeError('input', `Tensor ${tensor.name} of the model keeps its data in ${location}, which is not a file beside the model or in a folder below it. Do not open this model unless you trust it; save it again with its data beside it.`, { subject: tensor.name })
    }
    found.add(location)
  }
  return [...found]
}

/** Weights, and the tensors in attributes of nodes. */
export function* tensorsOf(model: OnnxModel): Generator<OnnxTensor> {
  yield* model.graph.initializers
  for (const node of [...model.graph.nodes, ...model.functions.flatMap((f) => f.nodes)]) {
    for (const attribute of node.attributes) {
      if (attribute.t) yield attribute.t
      yield* attribute.tensors
    }
  }
}

/** Nothing that any system would read as another folder, drive, device or stream. */
function isBelow(location: string): boolean {
  if (/[\\:\u0000-\u001f]/.test(location) || location.startsWith('/') || location.startsWith('~')) return false
  return location.split('/').every((part) => part !== '..' && part !== '')
}

import { MaskscopeError } from '#shared/domain/errors.ts'
import type { OnnxModel, OnnxNode, OnnxTensor } from '../../onnx-format/schema.ts'
import { externalLocations, tensorsOf } from '../../onnx-format/external.ts'
import { declaredBytes, tensorValues } from '../../onnx-format/tensor.ts'
import { domainOf, withoutFunctions } from './functions.ts'
import { nameOf } from './attributes.ts'
import type { Values } from './import-nodes.ts'
import type { OnnxValue } from './value.ts'

const OLDEST_OPSET = 7
/** Operators that operator sets up to 7 changed; the others can be read in older files too. */
const changedUntilOldest = new Set([
  'Add', 'And', 'AveragePool', 'BatchNormalization', 'Cast', 'Concat', 'Div', 'Dropout', 'Equal', 'Gemm', 'Greater', 'GRU', 'Less', 'LSTM', 'Mul', 'Or',
  'Pad', 'Pow', 'PRelu', 'Reshape', 'RNN', 'Split', 'Sub', 'Tile', 'Upsample', 'Xor',
])
/** The newest operator set whose changes the importers know. */
export const NEWEST_OPSET = 26

/** What any import of a model starts from. */
export interface Prepared {
  readonly opset: number
  readonly nodes: readonly OnnxNode[]
  /** Names of the weights. */
  readonly weights: ReadonlySet<string>
  /** Weights, read when first asked for, and what is set. */
  values(): Values
  /** Elements that may be computed at import: what weights may need, and room for shape arithmetic. */
  readonly elements: number
}

/**
 * @throws MaskscopeError 'input' where the file's parts do not fit together, before anything large is allocated
 */
export function prepared(model: OnnxModel, fileBytes: number, external: Readonly<Record<string, Uint8Array>>): Prepared {
  const opset = opsetOf(model)
  if (model.graph.sparseInitializers.length > 0) {
    const name = model.graph.sparseInitializers[0]!.values?.name ?? ''
    throw new MaskscopeError('input', `The model keeps weight ${name} in sparse form, which cannot be read. Export it with dense weights.`, { subject: name })
  }
  externalLocations(model)
  const elements = checkSizes(model, fileBytes + Object.values(external).reduce((sum, file) => sum + file.length, 0))
  const tensors = new Map<string, OnnxTensor>()
  for (const tensor of model.graph.initializers) {
    if (tensors.has(tensor.name)) throw new MaskscopeError('input', `The model holds two weights named ${tensor.name}. Export it again.`, { subject: tensor.name })
    tensors.set(tensor.name, tensor)
  }
  const read = new Map<string, OnnxValue>()
  return {
    opset,
    nodes: withoutFunctions(model, opset),
    weights: new Set(tensors.keys()),
    elements,
    values() {
      const computed = new Map<string, OnnxValue>()
      return {
        get(name) {
          const found = computed.get(name) ?? read.get(name)
          const tensor = tensors.get(name)
          if (found || !tensor) return found
          const value: OnnxValue = { kind: 'known', ...tensorValues(tensor, external) }
          read.set(name, value)
          return value
        },
        set: (name, value) => void computed.set(name, value),
      }
    },
  }
}

function opsetOf(model: OnnxModel): number {
  const opset = model.opsets.find((o) => domainOf(o.domain) === '')?.version ?? 1
  if (opset >= OLDEST_OPSET) return opset
  const changed = model.graph.nodes.find((node) => changedUntilOldest.has(node.opType))
  if (!changed) return OLDEST_OPSET
  throw new MaskscopeError('input', `The model uses ONNX operator set ${opset}, in which ${changed.opType} (node ${nameOf(changed)}) meant something else; ${OLDEST_OPSET} and later are read. Convert it with onnx.version_converter, or export it again.`, { subject: nameOf(changed) })
}

/** A small file cannot state weights larger than itself and its data files, or point at the same data many times. */
function checkSizes(model: OnnxModel, available: number): number {
  let declared = 0
  let elements = 0
  for (const tensor of tensorsOf(model)) {
    declared += declaredBytes(tensor)
    elements += tensor.dims.reduce((product, n) => product * n, 1)
    if (declared > 2 * available) {
      throw new MaskscopeError('input', `Tensor ${tensor.name} of the model has the shape [${tensor.dims.join(', ')}], but the model's files hold ${available} bytes in all. Download or export the model again.`, { subject: tensor.name })
    }
  }
  return 4 * elements + 2 ** 28
}

import { MaskscopeError } from '#shared/domain/errors.ts'
import type { OnnxModel, ValueInfo } from '../../onnx-format/schema.ts'
import { elementTypes } from '../../onnx-format/schema.ts'
import { typeName } from '../../onnx-format/tensor.ts'

/** The model's image input as the file states it. */
export interface ImageInput {
  readonly name: string
  /** How the file has an image's axes; without a batch the model takes one image as it is. */
  readonly layout: 'NCHW' | 'NHWC' | 'CHW' | 'HWC'
  readonly height: number
  readonly width: number
  readonly channels: number
  /** What the file fixes the batch to; null where it leaves it open. */
  readonly batch: number | null
  readonly elementType: number
}

type Size = number | string

/** The inputs that are given at each run: those without a weight of the same name. */
export function givenInputs(model: OnnxModel): ValueInfo[] {
  const weights = new Set(model.graph.initializers.map((t) => t.name))
  return model.graph.inputs.filter((i) => !weights.has(i.name))
}

/** Numbers where the file fixes them, else names. */
export function statedShape(input: ValueInfo): Size[] | null {
  return input.type?.tensor?.shape?.dims.map((d) => (d.value !== undefined && d.value > 0 ? d.value : d.name || '?')) ?? null
}

/**
 * Height, width and channels of the one image that the model takes.
 * @throws MaskscopeError 'input' where it takes something else
 */
export function onnxInputShape(model: OnnxModel): ImageInput {
  const inputs = givenInputs(model)
  if (inputs.length !== 1) {
    throw new MaskscopeError('input', `The model has ${inputs.length} inputs (${inputs.map((i) => i.name).join(', ') || 'none'}); a classifier of one image is needed.`, { subject: 'input' })
  }
  const [input] = inputs
  const elementType = input!.type?.tensor?.elementType ?? 0
  if (elementType !== elementTypes.float && elementType !== elementTypes.float16 && elementType !== elementTypes.double) {
    throw refused(input!, `takes numbers of type ${typeName(elementType)}`, 'Export it with an input of float32 numbers.')
  }
  return imageOf(input!, elementType)
}

function imageOf(input: ValueInfo, elementType: number): ImageInput {
  const shape = statedShape(input)
  if (!shape || (shape.length !== 4 && shape.length !== 3)) {
    throw refused(input, `takes ${shape ? `an input of [${shape.join(', ')}]` : 'an input of no stated shape'}`, 'Images as [batch, channels, height, width] are needed. Choose an image classifier.')
  }
  const [batch, ...image] = shape.length === 4 ? shape : [1, ...shape]
  const first = image[0] === 1 || image[0] === 3
  const last = image[2] === 1 || image[2] === 3
  if (!first && !last) {
    throw refused(input, `takes an input of [${shape.join(', ')}]`, 'Grey (1) or RGB (3) images are needed, and the number of channels must be fixed in the file. Export it with a fixed input size.')
  }
  const [channels, height, width] = first ? image : [image[2], image[0], image[1]]
  if (typeof height !== 'number' || typeof width !== 'number') {
    throw refused(input, `takes an input of [${shape.join(', ')}], whose height or width is not fixed`, 'Export it with a fixed input size; only the batch may be left open.')
  }
  const axes = first ? 'CHW' : 'HWC'
  return {
    name: input.name, layout: shape.length === 4 ? `N${axes}` : axes, height, width, channels: channels as number,
    batch: typeof batch === 'number' ? batch : null, elementType,
  }
}

function refused(input: ValueInfo, what: string, advice: string): MaskscopeError {
  return new MaskscopeError('input', `The model ${what} (${input.name}). ${advice}`, { subject: 'input' })
}

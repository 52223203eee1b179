import { MaskscopeError } from '#shared/domain/errors.ts'
import type { Ref } from '../../build.ts'
import { createBuilder, UnsupportedNode } from '../../build.ts'
import type { Graph } from '../../graph.ts'
import { weightsOf } from '../../graph.ts'
import { readOnnx } from '../../onnx-format/read.ts'
import type { OnnxModel, OnnxNode } from '../../onnx-format/schema.ts'
import { elementTypes } from '../../onnx-format/schema.ts'
import { typeName } from '../../onnx-format/tensor.ts'
import { nameOf } from './attributes.ts'
import type { OnnxContext } from './context.ts'
import { createOnnxContext } from './context.ts'
import { importNode } from './import-nodes.ts'
import type { ImageInput } from './model-input.ts'
import { onnxInputShape } from './model-input.ts'
import { layoutNote } from './notes.ts'
import type { Prepared } from './prepare.ts'
import { NEWEST_OPSET, prepared } from './prepare.ts'
import { reshaped, said } from './reshape.ts'
import { neededNodes } from './sort.ts'
import type { OnnxValue } from './value.ts'
import { BATCH, naturalOrder } from './value.ts'

/** An ONNX file and the files that hold its weights, by the location that it states. */
export interface OnnxFiles {
  readonly bytes: Uint8Array
  readonly external: Readonly<Record<string, Uint8Array>>
}

/**
 * The frozen graph of an ONNX image classifier, for batches of any size where the file allows it.
 * @throws UnsupportedNode where the graph cannot express a node; MaskscopeError 'input' where the model is broken or does not take
 * images.
 */
export function importOnnx(files: OnnxFiles): Graph {
  const model = readOnnx(files.bytes)
  const input = onnxInputShape(model)
  const parts = prepared(model, files.bytes.length, files.external)
  if (input.layout === 'CHW' || input.layout === 'HWC') return importWith(model, parts, input, files, true)
  try {
    return importWith(model, parts, input, files, false)
  } catch (error) {
    if (!(error instanceof UnsupportedNode || error instanceof MaskscopeError) || (input.batch ?? 1) !== 1) throw error
    try {
      return importWith(model, parts, input, files, true)
    } catch {
      throw error
    }
  }
}

function importWith(model: OnnxModel, parts: Prepared, input: ImageInput, files: OnnxFiles, oneByOne: boolean): Graph {
  const builder = createBuilder()
  let current = input.name
  const context = createOnnxContext(builder, {
    opset: parts.opset, fixedBatch: oneByOne ? null : input.batch, current: () => current, elements: parts.elements, external: files.external,
  })
  const { ref, value } = addInput(input, oneByOne, context)
  const values = parts.values()
  values.set(input.name, value)
  const output = chosenOutput(model, parts.nodes, context)
  const nodes = neededNodes(parts.nodes, [output], new Set([...parts.weights, input.name]))
  for (const node of nodes) {
    current = nameOf(node)
    importNode(node, values, context)
  }
  current = output
  const logits = classScores(output, values.get(output), oneByOne, context)
  addNotes(model, parts, input, nodes, oneByOne, context)
  const graph = builder.finish(ref, logits)
  checkWeights(graph)
  const note = layoutNote(nodes, graph)
  return { ...graph, notes: note === null ? graph.notes : [...graph.notes, note], ...(oneByOne ? { oneByOne } : {}) }
}

/** Weights may also be computed at import. Constants may be infinite: a mask of attention is. */
function checkWeights(graph: Graph): void {
  for (const node of graph.nodes) {
    for (const { data } of weightsOf(node)) {
      for (let i = 0; i < data.length; i++) {
        const value = data[i]!
        if (Number.isFinite(value) || (node.op === 'constant' && !Number.isNaN(value))) continue
        throw new MaskscopeError('input', `Node ${node.name} of the model has the weight ${value}; a model with such weights cannot be explained. Export or train it again.`, { subject: node.name })
      }
    }
  }
}

function addInput(input: ImageInput, oneByOne: boolean, context: OnnxContext): { ref: Ref; value: OnnxValue } {
  const { builder } = context
  const { name, layout, height, width, channels } = input
  const ref = builder.add(name, { op: 'input' }, [], [oneByOne ? 1 : -1, height, width, channels])
  if (layout === 'NCHW') return { ref, value: context.value(ref, [0, 2, 3, 1]) }
  if (layout === 'NHWC') return { ref, value: context.value(ref) }
  const image = builder.part(name, 'image', { op: 'reshape' }, [ref], [height, width, channels])
  return { ref, value: context.value(image, layout === 'CHW' ? [1, 2, 0] : naturalOrder(3)) }
}

/** Where there are several outputs, one that a softmax computes, else the first. */
function chosenOutput(model: OnnxModel, nodes: readonly OnnxNode[], context: OnnxContext): string {
  const names = model.graph.outputs.map((o) => o.name)
  if (names.length === 0) throw new MaskscopeError('input', 'The model states no output. Export it again.')
  if (names.length === 1) return names[0]!
  const softmax = names.find((name) => nodes.some((n) => n.outputs.includes(name) && (n.opType === 'Softmax' || n.opType === 'LogSoftmax')))
  const chosen = softmax ?? names[0]!
  context.note(`The model has ${names.length} outputs (${names.join(', ')}); ${chosen} is taken as the class scores.`)
  return chosen
}

/** [batch, classes], whatever axes of one element the file has beside them. */
function classScores(output: string, value: OnnxValue | undefined, oneByOne: boolean, context: OnnxContext): Ref {
  if (!value || value.kind === 'known') {
    throw new MaskscopeError('input', `The model's output ${output} does not depend on the image. Choose an image classifier.`, { subject: output })
  }
  const batch = oneByOne ? 1 : BATCH
  const shape = context.shape(value)
  const total = shape.reduce((product, n) => product * n, 1)
  const classes = total / batch
  const large = shape.filter((n) => n !== 1 && n !== batch)
  if (!Number.isInteger(classes) || large.length > 1 || (!oneByOne && shape.find((n) => n !== 1) !== BATCH)) {
    throw new MaskscopeError('input', `The model's output ${output} is [${said(shape)}]; a classifier gives one number per class. Choose an image classifier, or export the part that ends in the class scores.`, { subject: output })
  }
  const last: OnnxNode = { name: output, opType: 'Reshape', domain: '', inputs: [], outputs: [], attributes: [] }
  const matrix = shape.length === 2 && shape[0] === batch ? value : reshaped(last, value, [batch, classes], context, 'classes')
  return context.natural(matrix)
}

function addNotes(model: OnnxModel, parts: Prepared, input: ImageInput, nodes: readonly OnnxNode[], oneByOne: boolean, context: OnnxContext): void {
  const unread = parts.nodes.length - nodes.length
  if (parts.opset > NEWEST_OPSET) context.note(`The model uses ONNX operator set ${parts.opset}, which is newer than this version knows (${NEWEST_OPSET}); operators are read as in ${NEWEST_OPSET}.`)
  if (input.elementType !== elementTypes.float) context.note(`The model takes numbers of type ${typeName(input.elementType)}; it is run with float32.`)
  if (unread > 0) context.note(`${unread} ${unread === 1 ? 'node' : 'nodes'} of the file that the class scores do not need ${unread === 1 ? 'is' : 'are'} left out.`)
  if (oneByOne) context.note('The file is made for one image at a time, so images are run one after the other.')
  else if (input.batch !== null) context.note(`The file is made for batches of ${input.batch}; batches of any size are run.`)
  if (model.functions.length > 0) context.note(`${model.functions.length} functions of the file are written out.`)
}

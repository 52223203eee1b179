import { withoutFunctions } from '#engine/graph/import/onnx/functions.ts'
import { isKnownOperator } from '#engine/graph/import/onnx/import-nodes.ts'
import { givenInputs } from '#engine/graph/import/onnx/model-input.ts'
import type { OnnxModel, OnnxNode, OnnxTensor, ValueInfo } from '#engine/graph/onnx-format/schema.ts'
import { elementTypes } from '#engine/graph/onnx-format/schema.ts'
import { tensorValues, typeName } from '#engine/graph/onnx-format/tensor.ts'

/** What image classifiers use: these are in scope whether or not the importer knows them. */
const operators = new Set([
  'Conv', 'ConvTranspose', 'Gemm', 'MatMul', 'BatchNormalization', 'LayerNormalization', 'GroupNormalization', 'InstanceNormalization', 'LRN',
  'Relu', 'LeakyRelu', 'PRelu', 'Elu', 'Clip', 'Sigmoid', 'HardSigmoid', 'HardSwish', 'Gelu', 'Erf', 'Tanh', 'Softmax', 'LogSoftmax', 'Exp',
  'Sqrt', 'Pow', 'Neg', 'Reciprocal', 'Add', 'Sub', 'Mul', 'Div', 'Sum', 'Max', 'Min', 'MaxPool', 'AveragePool', 'GlobalAveragePool',
  'GlobalMaxPool', 'ReduceMean', 'ReduceSum', 'Concat', 'Split', 'Slice', 'Gather', 'Reshape', 'Flatten', 'Squeeze', 'Unsqueeze', 'Transpose',
  'Expand', 'Pad', 'Resize', 'Identity', 'Dropout', 'Constant', 'ConstantOfShape', 'Shape', 'Cast', 'Where',
])

/** Positions of inputs that carry shapes, axes, indices, conditions, scales, exponents or types: any type will do there. The others are data. */
const carriers: Readonly<Record<string, readonly number[]>> = {
  Reshape: [1], Expand: [1], ConstantOfShape: [0], Tile: [1], Upsample: [1], Resize: [1, 2, 3], Pad: [1, 3], Slice: [1, 2, 3, 4], Split: [1],
  Squeeze: [1], Unsqueeze: [1], Gather: [1], GatherElements: [1], GatherND: [1], Where: [0], Dropout: [1, 2], Pow: [1], CastLike: [1],
  ReduceMean: [1], ReduceSum: [1], ReduceMax: [1], ReduceMin: [1], ReduceProd: [1], ReduceL1: [1], ReduceL2: [1], ReduceLogSum: [1],
  ReduceLogSumExp: [1], ReduceSumSquare: [1],
}

const outputTypes: ReadonlySet<number> = new Set([elementTypes.float, elementTypes.double, elementTypes.int32, elementTypes.int64, elementTypes.bool])
const largestRank = 4

/**
 * Why a case is out of scope: its operator, element type or rank, or that it is random. Null where it is in scope.
 * @param inputs reads the data of the model's inputs, in order; asked for only where it matters
 */
export function outOfScope(model: OnnxModel, inputs: () => readonly OnnxTensor[]): string | null {
  const nodes = withoutFunctions(model, model.opsets.find((o) => o.domain === '' || o.domain === 'ai.onnx')?.version ?? 1)
  const foreign = nodes.find((node) => !(node.domain === '' && operators.has(node.opType)) && !isKnownOperator(node))
  if (foreign) return `operator ${foreign.domain === '' ? '' : `${foreign.domain}.`}${foreign.opType}`
  const given = givenInputs(model)
  for (const input of given) {
    const reason = rankOf(input) ?? (isData(input.name, nodes) ? typeOf(input, new Set([elementTypes.float])) : typeOf(input, null))
    if (reason) return `input ${reason}`
  }
  for (const output of model.graph.outputs) {
    const reason = typeOf(output, outputTypes)
    if (reason) return `output ${reason}`
  }
  if (!nodes.some((node) => node.opType === 'Dropout' && node.inputs[2])) return null
  const data = inputs()
  return isRandom(nodes, new Map(given.map((input, i) => [input.name, data[i]!]))) ? 'random training dropout' : null
}

/** Whether any node reads it as data. What no node reads is data. */
function isData(name: string, nodes: readonly OnnxNode[]): boolean {
  const uses = nodes.flatMap((node) => node.inputs.flatMap((input, position) => (input === name ? [{ node, position }] : [])))
  return uses.length === 0 || uses.some(({ node, position }) => !(carriers[node.opType]?.includes(position) ?? false))
}

function typeOf(info: ValueInfo, allowed: ReadonlySet<number> | null): string | null {
  const type = info.type?.tensor?.elementType
  if (type === undefined || type === 0) return `${info.name} is no tensor`
  if (allowed === null ? type !== elementTypes.string : allowed.has(type)) return null
  return `${info.name} has the element type ${typeName(type)}`
}

function rankOf(info: ValueInfo): string | null {
  const rank = info.type?.tensor?.shape?.dims.length ?? 0
  return rank > largestRank ? `${info.name} has rank ${rank}` : null
}

function isRandom(nodes: readonly OnnxNode[], data: ReadonlyMap<string, OnnxTensor>): boolean {
  const first = (name: string | undefined): number | undefined => {
    const tensor = name ? data.get(name) : undefined
    return tensor && tensorValues(tensor).data[0]
  }
  return nodes.some((node) => node.opType === 'Dropout' && first(node.inputs[2]) === 1 && first(node.inputs[1]) !== 0)
}

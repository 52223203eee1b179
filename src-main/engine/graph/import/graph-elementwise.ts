import type { Binary, Unary } from '../graph.ts'
import type { NodeImporter } from './graph-context.ts'
import { numberOf, unsupported } from './graph-nodes.ts'

const unaries: Record<string, Unary> = {
  Relu: { kind: 'relu', max: null }, Relu6: { kind: 'relu', max: 6 }, Elu: { kind: 'elu', alpha: 1 }, Selu: { kind: 'selu' },
  Sigmoid: { kind: 'sigmoid' }, Tanh: { kind: 'tanh' }, Softplus: { kind: 'softplus' }, Softsign: { kind: 'softsign' }, Exp: { kind: 'exp' },
  Log: { kind: 'log' }, Sqrt: { kind: 'sqrt' }, Rsqrt: { kind: 'rsqrt' }, Square: { kind: 'square' }, Abs: { kind: 'abs' },
  Neg: { kind: 'negate' }, Reciprocal: { kind: 'reciprocal' }, Inv: { kind: 'reciprocal' }, Erf: { kind: 'erf' },
}

const binaries: Record<string, Binary> = {
  Add: 'add', AddV2: 'add', Sub: 'subtract', Mul: 'multiply', RealDiv: 'divide', Div: 'divide', Maximum: 'maximum', Minimum: 'minimum',
  Pow: 'power', SquaredDifference: 'squaredDifference',
}

export const elementwiseNodes: Record<string, NodeImporter> = {
  LeakyRelu: (node, inputs, context) =>
    context.add(node, { op: 'unary', function: { kind: 'leakyRelu', alpha: numberOf(node, 'alpha', 0.2) } }, [inputs[0]!]),
  Prelu: (node, inputs, context) => context.add(node, { op: 'prelu', alpha: context.known(node, inputs[1], 'the slope') }, [inputs[0]!]),
  ClipByValue(node, inputs, context) {
    const [min, max] = [context.known(node, inputs[1], 'the lower bound'), context.known(node, inputs[2], 'the upper bound')]
    return context.add(node, { op: 'unary', function: { kind: 'clip', min: min.data[0]!, max: max.data[0]! } }, [inputs[0]!])
  },
  Softmax: (node, inputs, context) => context.add(node, { op: 'softmax', log: false }, [inputs[0]!]),
  LogSoftmax: (node, inputs, context) => context.add(node, { op: 'softmax', log: true }, [inputs[0]!]),
  LRN: (node, inputs, context) =>
    context.add(node, {
      op: 'lrn', radius: numberOf(node, 'depth_radius', 5), bias: numberOf(node, 'bias', 1), alpha: numberOf(node, 'alpha', 1), beta: numberOf(node, 'beta', 0.5),
    }, [inputs[0]!]),
  AddN(node, inputs, context) {
    if (inputs.length === 1) return inputs[0]!
    const sum = inputs.slice(0, -1).reduce((a, b, i) => ({
      ref: context.builder.part(node.name, `sum${i}`, { op: 'binary', function: 'add' }, [context.ref(node, a), context.ref(node, b)]),
    }))
    return context.add(node, { op: 'binary', function: 'add' }, [sum, inputs[inputs.length - 1]!])
  },
  /** To float nothing changes; integer arithmetic on activations is not ours. */
  Cast(node, inputs) {
    const type = node.attr?.['DstT']?.type
    if (type !== undefined && type !== 'DT_FLOAT' && type !== 1 && type !== 'DT_HALF') throw unsupported(node, `to ${String(type)}`)
    return inputs[0]!
  },
}

for (const [op, f] of Object.entries(unaries)) {
  elementwiseNodes[op] = (node, inputs, context) => context.add(node, { op: 'unary', function: f }, [inputs[0]!])
}
for (const [op, f] of Object.entries(binaries)) {
  elementwiseNodes[op] = (node, inputs, context) => context.add(node, { op: 'binary', function: f }, inputs.slice(0, 2))
}
for (const op of ['Identity', 'StopGradient', 'PreventGradient', 'CheckNumerics', 'Snapshot', 'PlaceholderWithDefault']) {
  elementwiseNodes[op] = (node, inputs, { builder }) => {
    const [value] = inputs
    return 'ref' in value! ? { ref: builder.alias(node.name, value.ref) } : value!
  }
}

import { createBuilder, normalisation, pads, type GraphBuilder, type Ref } from '#engine/graph/build.ts'
import type { Graph, Weight } from '#engine/graph/graph.ts'
import { simplify } from '#engine/graph/simplify/simplify.ts'
import type { Preprocessing } from '#shared/domain/model.ts'
import type { Layer, Network } from './layers.ts'

export const plainPreprocessing: Preprocessing = {
  fit: 'squash', cropFraction: 1, resizeFilter: 'bilinear', range: [0, 1], mean: [0], std: [1], channelOrder: 'rgb',
}

/** The network as our executors run it: folded like any imported model. */
export function graphOf(network: Network): Graph {
  const builder = createBuilder()
  const refs = new Map<string, Ref>()
  const shape = [-1, network.side, network.side, 3]
  refs.set('image', builder.add('image', { op: 'input' }, [], shape))
  for (const layer of network.layers) refs.set(layer.name, addLayer(builder, network, layer, layer.inputs.map((name) => refs.get(name)!)))
  const output = refs.get(network.layers[network.layers.length - 1]!.name)!
  return simplify(builder.finish(refs.get('image')!, output), { preprocessing: plainPreprocessing, head: 'softmax', labels: null }).graph
}

function addLayer(builder: GraphBuilder, network: Network, layer: Layer, inputs: readonly Ref[]): Ref {
  const { name } = layer
  const values = (parameter: string): Float32Array | null => {
    const found = layer.parameters.find((p) => p.name === parameter)
    return found ? network.weights.subarray(found.offset, found.offset + found.shape.reduce((a, b) => a * b)) : null
  }
  const vector = (parameter: string): Weight | null => {
    const data = values(parameter)
    return data && { shape: [data.length], data }
  }
  switch (layer.kind) {
    case 'conv': {
      const { channels, out, size, stride, pad, groups } = layer
      const around = {
        strides: [stride, stride] as const, dilations: [1, 1] as const, pads: pads([pad, pad], [pad, pad]), bias: vector('bias'), activation: null,
      }
      const perGroup = channels / groups
      const filter = toLast(values('weight')!, out, perGroup, size * size)
      if (groups > 1 && groups === channels) {
        return builder.add(name, { op: 'depthwiseConv2d', filter: { shape: [size, size, channels, out / channels], data: filter }, ...around }, inputs)
      }
      return builder.add(name, { op: 'conv2d', filter: { shape: [size, size, perGroup, out], data: filter }, groups, ...around }, inputs)
    }
    case 'norm': {
      const [scale, shift, mean, variance] = ['weight', 'bias', 'running_mean', 'running_var'].map(vector)
      return builder.add(name, normalisation(layer.channels, mean!, variance!, scale!, shift!, 1e-5), inputs)
    }
    case 'relu':
      return builder.add(name, { op: 'unary', function: { kind: 'relu', max: layer.max } }, inputs)
    case 'add':
      return builder.add(name, { op: 'binary', function: 'add' }, inputs)
    case 'maxPool': {
      const { size, stride, pad } = layer
      return builder.add(name, { op: 'pool', kind: 'max', size: [size, size], strides: [stride, stride], pads: pads([pad, pad], [pad, pad]), countPadding: false }, inputs)
    }
    case 'mean':
      return builder.add(name, { op: 'reduce', function: 'mean', axes: [1, 2], keepDims: false }, inputs)
    case 'dense': {
      const { channels, out } = layer
      const matrix = { shape: [channels, out], data: toLast(values('weight')!, out, channels, 1) }
      return builder.add(name, { op: 'dense', matrix, bias: vector('bias'), activation: null }, inputs)
    }
  }
}

/** [out, in, places] to [places, in, out] */
function toLast(weight: Float32Array, out: number, channels: number, places: number): Float32Array {
  const turned = new Float32Array(weight.length)
  for (let o = 0, from = 0; o < out; o++) {
    for (let c = 0; c < channels; c++) for (let p = 0; p < places; p++) turned[(p * channels + c) * out + o] = weight[from++]!
  }
  return turned
}

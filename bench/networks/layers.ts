import { createRandom } from '#shared/random/random.ts'

/** A network as PyTorch and our graph can both be built from it; what a layer reads is named, images are `image`. */
export interface Network {
  name: 'small' | 'mobilenetV2' | 'resnet18'
  /** Height and width of the images, which have three channels. */
  side: number
  layers: readonly Layer[]
  /** Of all layers, in the order of `parameters`. */
  weights: Float32Array
}

export type Layer = { name: string; inputs: readonly string[]; parameters: readonly Parameter[] } & Kind

type Kind =
  /** weight [out, in / groups, size, size], and a bias where it is stated */
  | { kind: 'conv'; channels: number; out: number; size: number; stride: number; pad: number; groups: number }
  /** Batch normalisation in evaluation mode: weight, bias, running_mean, running_var; ε = 1e-5. */
  | { kind: 'norm'; channels: number }
  | { kind: 'relu'; max: number | null }
  | { kind: 'add' }
  | { kind: 'maxPool'; size: number; stride: number; pad: number }
  /** Over height and width, to [channels]. */
  | { kind: 'mean' }
  /** weight [out, in], bias */
  | { kind: 'dense'; channels: number; out: number }

export interface Parameter {
  /** As PyTorch calls it. */
  name: 'weight' | 'bias' | 'running_mean' | 'running_var'
  shape: readonly number[]
  /** Where it begins in the weights, in numbers. */
  offset: number
}

export interface NetworkBuilder {
  /** @param linearInput no ReLU before it: its inputs have twice the energy per weight */
  conv(input: string, out: number, options: { size: number; stride?: number; groups?: number; bias?: boolean; linearInput?: boolean }): string
  norm(input: string, gain?: number): string
  relu(input: string, max?: number | null): string
  add(a: string, b: string): string
  maxPool(input: string, size: number, stride: number, pad: number): string
  mean(input: string): string
  dense(input: string, out: number): string
  finish(): Pick<Network, 'layers' | 'weights'>
}

/** Random weights by a seed, scaled (He) so that activations keep their size from layer to layer. */
export function createNetworkBuilder(seed: string): NetworkBuilder {
  const layers: Layer[] = []
  const parts: Float32Array[] = []
  const channelsOf = new Map([['image', 3]])
  const random = createRandom(1, 'network', seed)
  let length = 0

  function parameter(name: Parameter['name'], shape: readonly number[], draw: () => number): Parameter {
    const data = Float32Array.from({ length: shape.reduce((a, b) => a * b) }, draw)
    const offset = length
    parts.push(data)
    length += data.length
    return { name, shape, offset }
  }
  function layer(inputs: readonly string[], channels: number, parameters: readonly Parameter[], kind: Kind): string {
    const name = `${kind.kind}${layers.length}`
    layers.push({ name, inputs, parameters, ...kind })
    channelsOf.set(name, channels)
    return name
  }
  const around = (centre: number, spread: number) => (): number => centre + spread * (2 * random.uniform() - 1)

  return {
    conv(input, out, { size, stride = 1, groups = 1, bias = false, linearInput = false }) {
      const channels = channelsOf.get(input)!
      const scale = Math.sqrt((linearInput ? 1 : 2) / ((channels / groups) * size * size))
      const parameters = [parameter('weight', [out, channels / groups, size, size], () => scale * random.normal())]
      if (bias) parameters.push(parameter('bias', [out], around(0, 0.1)))
      return layer([input], out, parameters, { kind: 'conv', channels, out, size, stride, pad: (size - 1) / 2, groups })
    },
    norm(input, gain = 1) {
      const channels = channelsOf.get(input)!
      const parameters = [
        parameter('weight', [channels], around(gain, 0.1 * gain)), parameter('bias', [channels], around(0, 0.1)),
        parameter('running_mean', [channels], around(0, 0.1)), parameter('running_var', [channels], around(1, 0.2)),
      ]
      return layer([input], channels, parameters, { kind: 'norm', channels })
    },
    relu: (input, max = null) => layer([input], channelsOf.get(input)!, [], { kind: 'relu', max }),
    add: (a, b) => layer([a, b], channelsOf.get(a)!, [], { kind: 'add' }),
    maxPool: (input, size, stride, pad) => layer([input], channelsOf.get(input)!, [], { kind: 'maxPool', size, stride, pad }),
    mean: (input) => layer([input], channelsOf.get(input)!, [], { kind: 'mean' }),
    dense(input, out) {
      const channels = channelsOf.get(input)!
      const scale = Math.sqrt(1 / channels)
      const parameters = [parameter('weight', [out, channels], () => scale * random.normal()), parameter('bias', [out], around(0, 0.1))]
      return layer([input], out, parameters, { kind: 'dense', channels, out })
    },
    finish() {
      const weights = new Float32Array(length)
      let at = 0
      for (const part of parts) {
        weights.set(part, at)
        at += part.length
      }
      return { layers, weights }
    },
  }
}

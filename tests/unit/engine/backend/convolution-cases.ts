import * as tf from '@tensorflow/tfjs-core'
import '@tensorflow/tfjs-backend-cpu'
import { convolvedSize, explicitPads, toExplicitPadding, type ExplicitPadding, type Pads, type Pair } from '#engine/backend/padding.ts'
import { createRandom, type Random } from '#shared/random/random.ts'

/** A random convolution with its input, filter and output gradient. */
export interface ConvolutionCase {
  name: string
  inputShape: [number, number, number, number]
  filterShape: [number, number, number, number]
  strides: Pair
  dilations: Pair
  padding: 'same' | 'valid' | ExplicitPadding
  pads: Pads
  x: Float32Array
  filter: Float32Array
  dy: Float32Array
  dyShape: [number, number, number, number]
}

export function convolutionCases(count: number, depthwise: boolean): ConvolutionCase[] {
  const random = createRandom(20, depthwise ? 'depthwise' : 'conv')
  const cases: ConvolutionCase[] = []
  while (cases.length < count) {
    const made = makeCase(random, depthwise)
    if (made) cases.push(made)
  }
  return cases
}

function makeCase(random: Random, depthwise: boolean): ConvolutionCase | undefined {
  const pick = <T>(items: readonly T[]): T => items[random.below(items.length)]!
  const kernel: Pair = random.below(4) === 0 ? [pick([1, 2, 3, 5, 7]), pick([1, 2, 3, 5, 7])] : repeat(pick([1, 2, 3, 5, 7]))
  const dilated = random.below(4) === 0
  const strides: Pair = dilated ? [1, 1] : random.below(4) === 0 ? [pick([1, 2, 3]), pick([1, 2, 3])] : repeat(pick([1, 2, 3]))
  const dilations: Pair = dilated ? [pick([1, 2, 3]), pick([2, 3])] : [1, 1]
  const size: Pair = [1 + random.below(17), 1 + random.below(17)]
  const kind = pick(['same', 'valid', 'explicit'] as const)
  const padding = kind === 'explicit'
    ? toExplicitPadding({ top: random.below(4), bottom: random.below(4), left: random.below(4), right: random.below(4) })
    : kind
  const pads = explicitPads(size, kernel, strides, dilations, padding)
  const [outHeight, outWidth] = convolvedSize(size, kernel, strides, dilations, pads)
  if (outHeight < 1 || outWidth < 1) return undefined
  const count = 1 + random.below(3)
  const channels = pick([1, 2, 3, 4, 5, 8, 9])
  const last = depthwise ? pick([1, 1, 2, 3]) : pick([1, 2, 3, 4, 7, 8, 12])
  const dyShape: [number, number, number, number] = [count, outHeight, outWidth, depthwise ? channels * last : last]
  const inputShape: [number, number, number, number] = [count, ...size, channels]
  const filterShape: [number, number, number, number] = [...kernel, channels, last]
  const fill = (shape: number[]): Float32Array => Float32Array.from({ length: shape.reduce((a, b) => a * b) }, () => random.normal())
  const name = `${depthwise ? 'depthwise' : 'conv'} x ${inputShape.join('×')} w ${filterShape.join('×')} s ${strides.join(',')} ` +
    `d ${dilations.join(',')} ${typeof padding === 'string' ? padding : JSON.stringify(padding.slice(1, 3))}`
  return {
    name, inputShape, filterShape, strides, dilations, padding, pads, dyShape,
    x: fill(inputShape), filter: fill(filterShape), dy: fill(dyShape),
  }
}

function repeat(value: number): Pair {
  return [value, value]
}

/** Largest difference over the largest magnitude of the expected values. */
export function relativeError(actual: ArrayLike<number>, expected: ArrayLike<number>): number {
  if (actual.length !== expected.length) return Infinity
  let difference = 0
  let magnitude = 1e-30
  for (let i = 0; i < expected.length; i++) {
    if (!Number.isFinite(actual[i]!)) return Infinity
    difference = Math.max(difference, Math.abs(actual[i]! - expected[i]!))
    magnitude = Math.max(magnitude, Math.abs(expected[i]!))
  }
  return difference === 0 ? 0 : difference / magnitude
}

/** Forward value and both gradients by the cpu backend's undilated kernels, with dilated filters filled up with zeros. */
export async function reference(c: ConvolutionCase, depthwise: boolean): Promise<{ y: Float32Array; dx: Float32Array; dw: Float32Array }> {
  await tf.setBackend('cpu')
  const [kh, kw, a, b] = c.filterShape
  const [dh, dw] = c.dilations
  const wideShape: [number, number, number, number] = [(kh - 1) * dh + 1, (kw - 1) * dw + 1, a, b]
  const wide = new Float32Array(wideShape.reduce((p, q) => p * q))
  for (let i = 0; i < kh; i++) {
    for (let j = 0; j < kw; j++) {
      wide.set(c.filter.subarray((i * kw + j) * a * b, (i * kw + j + 1) * a * b), (i * dh * wideShape[1] + j * dw) * a * b)
    }
  }
  return tf.tidy(() => {
    const x = tf.tensor4d(c.x, c.inputShape)
    const filter = tf.tensor4d(wide, wideShape)
    const dy = tf.tensor4d(c.dy, c.dyShape)
    const attrs = { strides: [...c.strides], dilations: [1, 1], pad: toExplicitPadding(c.pads), dataFormat: 'NHWC' }
    const run = (name: string, inputs: tf.NamedTensorMap, extra: object): tf.Tensor =>
      tf.engine().runKernel(name, inputs, { ...attrs, ...extra } as unknown as tf.NamedAttrMap) as tf.Tensor
    const kind = depthwise ? 'DepthwiseConv2dNative' : 'Conv2D'
    const wideGradient = run(`${kind}BackpropFilter`, { x, dy }, { filterShape: wideShape }).dataSync()
    const gradient = new Float32Array(c.filter.length)
    for (let i = 0; i < kh; i++) {
      for (let j = 0; j < kw; j++) {
        const from = (i * dh * wideShape[1] + j * dw) * a * b
        gradient.set(wideGradient.subarray(from, from + a * b), (i * kw + j) * a * b)
      }
    }
    return {
      y: run(kind, { x, filter }, {}).dataSync() as Float32Array,
      dx: run(`${kind}BackpropInput`, { dy, filter }, { inputShape: c.inputShape }).dataSync() as Float32Array,
      dw: gradient,
    }
  })
}

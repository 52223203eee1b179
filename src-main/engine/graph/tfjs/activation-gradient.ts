import * as tf from '@tensorflow/tfjs-core'
import type { KernelFunc, Tensor, TensorInfo } from '@tensorflow/tfjs-core'
import type { ReluRule } from '../../classifier/classifier.ts'
import { eluGradient, leakyReluGradient, reluGradient, sigmoidGradient } from '../../backend/activation-gradients.ts'
import type { WasmBackend } from '../../backend/wasm-memory.ts'
import type { Unary } from '../graph.ts'
import { run } from './kernels.ts'

/** Activations that a convolution or dense kernel of TF.js can apply itself; their gradient follows from their output. */
export const fusedKinds = ['relu', 'leakyRelu', 'elu', 'sigmoid'] as const
export type FusedKind = (typeof fusedKinds)[number]
export type FusedActivation = Extract<Unary, { kind: 'relu' | 'leakyRelu' | 'elu' }> | { readonly kind: 'sigmoid' }

/** Whether the backends' fused kernels can apply it. */
export function isFusable(activation: Unary): boolean {
  if (activation.kind === 'relu') return activation.max === null || activation.max === 6
  return slopeFollowsFromOutput(activation)
}

/** Whether the activation's slope is known from its output. */
export function slopeFollowsFromOutput(activation: Unary): activation is FusedActivation {
  switch (activation.kind) {
    case 'relu':
      return true
    case 'leakyRelu':
      // a slope of zero or less would not let the output tell the side
      return activation.alpha > 0
    case 'elu':
      return activation.alpha === 1
    default:
      return activation.kind === 'sigmoid'
  }
}

/** TF.js's name of a fused activation, and its slope. */
export function fusedAttributes(activation: Unary | null): { activation: string; leakyreluAlpha?: number } {
  if (!activation) return { activation: 'linear' }
  switch (activation.kind) {
    case 'relu':
      return { activation: activation.max === 6 ? 'relu6' : 'relu' }
    case 'leakyRelu':
      return { activation: 'leakyrelu', leakyreluAlpha: activation.alpha }
    default:
      return { activation: activation.kind }
  }
}

const kernelName = 'MaskscopeActivationGradient'
interface Attributes {
  kind: FusedKind
  /** relu: its limit (Infinity for none); leakyRelu: its slope. */
  value: number
  guided: boolean
}

/**
 * dy times the activation's slope, known from the activation's output y; in one pass over memory where the backend lets
 * us at it. `guided` also drops negative gradients at ReLUs (Springenberg et al., 2015).
 */
export function activationGradient(dy: Tensor, y: Tensor, activation: FusedActivation, rule: ReluRule): Tensor {
  const guided = rule === 'guided' && activation.kind === 'relu'
  const value = activation.kind === 'relu' ? (activation.max ?? Infinity) : activation.kind === 'leakyRelu' ? activation.alpha : 0
  if (tf.getKernel(kernelName, tf.getBackend())) return run(kernelName, { dy, y }, { kind: activation.kind, value, guided })
  return tf.tidy(() => {
    const positive = tf.greater(y, 0)
    switch (activation.kind) {
      case 'relu': {
        const inside = value === Infinity ? positive : tf.logicalAnd(positive, tf.less(y, value))
        return tf.where(guided ? tf.logicalAnd(inside, tf.greater(dy, 0)) : inside, dy, tf.zerosLike(dy))
      }
      case 'leakyRelu':
        return tf.where(positive, dy, tf.mul(dy, value))
      case 'elu':
        return tf.where(positive, dy, tf.mul(dy, tf.add(y, 1)))
      case 'sigmoid':
        return tf.mul(tf.mul(dy, y), tf.sub(1, y))
    }
  })
}

function fill(out: Float32Array, dy: Float32Array, y: Float32Array, { kind, value, guided }: Attributes): void {
  const n = out.length
  switch (kind) {
    case 'relu':
      if (guided) for (let i = 0; i < n; i++) out[i] = y[i]! > 0 && y[i]! < value && dy[i]! > 0 ? dy[i]! : 0
      else if (value === Infinity) for (let i = 0; i < n; i++) out[i] = y[i]! > 0 ? dy[i]! : 0
      else for (let i = 0; i < n; i++) out[i] = y[i]! > 0 && y[i]! < value ? dy[i]! : 0
      return
    case 'leakyRelu':
      for (let i = 0; i < n; i++) out[i] = y[i]! > 0 ? dy[i]! : dy[i]! * value
      return
    case 'elu':
      for (let i = 0; i < n; i++) out[i] = y[i]! > 0 ? dy[i]! : dy[i]! * (y[i]! + 1)
      return
    case 'sigmoid':
      for (let i = 0; i < n; i++) out[i] = dy[i]! * y[i]! * (1 - y[i]!)
  }
}

/** Registers the one-pass kernel on the backends whose memory is ours to read; doing it twice does no harm. */
export function registerActivationGradient(): void {
  if (tf.getKernel(kernelName, 'wasm')) return
  const onWasm: KernelFunc = ({ inputs, attrs, backend }) => {
    const { dy, y } = inputs as { dy: TensorInfo; y: TensorInfo }
    const { kind, value, guided } = attrs as unknown as Attributes
    const wasm = backend as WasmBackend
    switch (kind) {
      case 'relu':
        return reluGradient(wasm, dy, y, value, guided)
      case 'leakyRelu':
        return leakyReluGradient(wasm, dy, y, value)
      case 'elu':
        return eluGradient(wasm, dy, y)
      case 'sigmoid':
        return sigmoidGradient(wasm, dy, y)
    }
  }
  const onCpu: KernelFunc = ({ inputs, attrs, backend }) => {
    const { dy, y } = inputs as { dy: TensorInfo; y: TensorInfo }
    const cpu = backend as { data: { get(id: object): { values: Float32Array } }; makeTensorInfo(shape: number[], dtype: string, values: Float32Array): TensorInfo }
    const out = new Float32Array(cpu.data.get(dy.dataId).values.length)
    fill(out, cpu.data.get(dy.dataId).values, cpu.data.get(y.dataId).values, attrs as unknown as Attributes)
    return cpu.makeTensorInfo(dy.shape, 'float32', out)
  }
  tf.registerKernel({ kernelName, backendName: 'wasm', kernelFunc: onWasm })
  tf.registerKernel({ kernelName, backendName: 'cpu', kernelFunc: onCpu })
}

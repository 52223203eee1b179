import type { TensorInfo } from '@tensorflow/tfjs-core'
import { instantiate } from '../../web-assembly.ts'
import { simdBinary } from './binary.ts'
import type { WasmBackend } from '../wasm-memory.ts'

/** A pointer into the WASM backend's heap, from `pointer`. */
export type Pointer = number

/** The exports of kernels.as, documented there; sizes and indices are whole numbers, booleans 0 or 1. */
export interface Simd {
  reluGradient(dy: Pointer, y: Pointer, out: Pointer, n: number, limit: number, guided: number): void
  leakyReluGradient(dy: Pointer, y: Pointer, out: Pointer, n: number, slope: number): void
  eluGradient(dy: Pointer, y: Pointer, out: Pointer, n: number): void
  sigmoidGradient(dy: Pointer, y: Pointer, out: Pointer, n: number): void
  interleave(
    part: Pointer, dx: Pointer, count: number, partHeight: number, partWidth: number, partChannels: number, first: number,
    height: number, width: number, channels: number, top: number, left: number, sh: number, sw: number, multiplier: number,
  ): void
  maxPoolGradient(
    x: Pointer, y: Pointer, dy: Pointer, dx: Pointer, count: number, height: number, width: number, channels: number,
    outHeight: number, outWidth: number, kh: number, kw: number, sh: number, sw: number, dh: number, dw: number,
    padTop: number, padLeft: number,
  ): void
  averagePoolGradient(
    dy: Pointer, dx: Pointer, count: number, height: number, width: number, channels: number,
    outHeight: number, outWidth: number, kh: number, kw: number, sh: number, sw: number, padTop: number, padLeft: number,
  ): void
  depthwiseFilterGradient(
    x: Pointer, dy: Pointer, filter: Pointer, count: number, height: number, width: number, channels: number,
    outHeight: number, outWidth: number, kh: number, kw: number, sh: number, sw: number, dh: number, dw: number,
    padTop: number, padLeft: number,
  ): void
  depthwiseInputGradient(
    dy: Pointer, filter: Pointer, dx: Pointer, count: number, height: number, width: number, channels: number,
    outHeight: number, outWidth: number, kh: number, kw: number, sh: number, sw: number, padTop: number, padLeft: number,
  ): void
  matrixProduct(
    a: Pointer, b: Pointer, out: Pointer, panel: Pointer, batch: number, m: number, k: number, n: number, aPitch: number, bPitch: number,
    aRow: number, aColumn: number, bRow: number, bColumn: number,
  ): void
  gated(kind: number, x: Pointer, out: Pointer, n: number): void
  gatedGradient(kind: number, dy: Pointer, x: Pointer, out: Pointer, n: number): void
  copyRuns(source: Pointer, target: Pointer, rows: number, n: number, sourcePitch: number, targetPitch: number): void
}

const instances = new WeakMap<WasmBackend, Simd>()

/** Our SIMD kernels on this backend's heap. */
export function simd(backend: WasmBackend): Simd {
  let instance = instances.get(backend)
  if (!instance) {
    instance = instantiate(simdBinary, backend.wasm.asm.memory) as Simd
    instances.set(backend, instance)
  }
  return instance
}

export function pointer(backend: WasmBackend, info: TensorInfo): Pointer {
  return backend.getMemoryOffset(info.dataId)
}

import { backend_util, slice_util, util, type NamedTensorInfoMap, type TensorInfo } from '@tensorflow/tfjs-core'
import { pointer, simd } from './simd/simd.ts'
import { replaceKernel, stockKernel } from './stock.ts'
import type { WasmBackend } from './wasm-memory.ts'

/**
 * Joining and cutting tensors on WASM. The stock kernels copy run by run in JavaScript, and its Slice first copies the
 * whole tensor; networks with branches, and the gradients of padding and joining, do little else.
 */

/** Puts ours in the place of the stock kernels, which still serve strings, booleans and empty tensors. */
export function registerCopyKernels(): void {
  replaceKernel('Concat', ({ inputs, attrs, backend }) => {
    // TF.js passes a list here, whatever its types say
    const parts = inputs as unknown as TensorInfo[]
    if (!isCopyable(parts)) return stockKernel('Concat')({ inputs, attrs: attrs!, backend })
    const axis = util.parseAxisParam(attrs!['axis'] as number, parts[0]!.shape)[0]!
    backend_util.assertParamsConsistent(parts.map(({ shape }) => shape), axis)
    return concatenated(backend as WasmBackend, parts, axis)
  })
  replaceKernel('Slice', ({ inputs, attrs, backend }) => {
    const x = only(inputs)
    const [begin, size] = slice_util.parseSliceParams(x, attrs!['begin'] as number[], attrs!['size'] as number[]) as [number[], number[]]
    if (!isCopyable([x]) || size.includes(0)) return stockKernel('Slice')({ inputs, attrs: attrs!, backend })
    return sliced(backend as WasmBackend, x, begin, size)
  })
  replaceKernel('SplitV', ({ inputs, attrs, backend }) => {
    const x = only(inputs)
    const axis = util.parseAxisParam(attrs!['axis'] as number, x.shape)[0]!
    const sizes = backend_util.prepareSplitSize(x as Parameters<typeof backend_util.prepareSplitSize>[0], attrs!['numOrSizeSplits'] as number[], axis)
    if (!isCopyable([x]) || sizes.includes(0)) return stockKernel('SplitV')({ inputs, attrs: attrs!, backend })
    return split(backend as WasmBackend, x, sizes, axis)
  })
}

function only(inputs: NamedTensorInfoMap): TensorInfo {
  return inputs['x']!
}

/** Values of 4 bytes, which our copies move. */
function isCopyable(infos: readonly TensorInfo[]): boolean {
  return infos.every(({ dtype, shape }) => (dtype === 'float32' || dtype === 'int32') && !shape.includes(0))
}

/** @param parts of one type, equal in all dimensions but `axis`, which is ≥ 0 */
function concatenated(backend: WasmBackend, parts: readonly TensorInfo[], axis: number): TensorInfo {
  const first = parts[0]!
  const shape = [...first.shape]
  shape[axis] = parts.reduce((sum, part) => sum + part.shape[axis]!, 0)
  const out = backend.makeOutput(shape, first.dtype)
  const outer = product(shape.slice(0, axis))
  const pitch = product(shape.slice(axis))
  let target = pointer(backend, out)
  for (const part of parts) {
    const run = product(part.shape.slice(axis))
    simd(backend).copyRuns(pointer(backend, part), target, outer, run, run, pitch)
    target += run * 4
  }
  return out
}

/** The block of x from `begin`, of `size`, both given for every dimension. */
function sliced(backend: WasmBackend, x: TensorInfo, begin: readonly number[], size: readonly number[]): TensorInfo {
  const out = backend.makeOutput([...size], x.dtype)
  const { shape } = x
  const strides = shape.map((_, axis) => product(shape.slice(axis + 1)))
  // Up to the last dimension that is cut the values lie in one run; the dimension before it counts the runs.
  let cut = shape.length - 1
  while (cut > 0 && begin[cut] === 0 && size[cut] === shape[cut]) cut--
  const run = product(size.slice(cut))
  const rows = cut > 0 ? size[cut - 1]! : 1
  const rowPitch = cut > 0 ? strides[cut - 1]! : run
  const source = pointer(backend, x) + 4 * begin.reduce((sum, first, axis) => sum + first * strides[axis]!, 0)
  let target = pointer(backend, out)
  const blocks = product(size.slice(0, Math.max(0, cut - 1)))
  const index = new Array<number>(Math.max(0, cut - 1)).fill(0)
  for (let block = 0; block < blocks; block++) {
    const offset = index.reduce((sum, i, axis) => sum + i * strides[axis]!, 0)
    simd(backend).copyRuns(source + 4 * offset, target, rows, run, rowPitch, run)
    target += 4 * rows * run
    for (let axis = index.length - 1; axis >= 0 && ++index[axis]! === size[axis]; axis--) index[axis] = 0
  }
  return out
}

/** x cut along `axis` into blocks of these sizes. */
function split(backend: WasmBackend, x: TensorInfo, sizes: readonly number[], axis: number): TensorInfo[] {
  let first = 0
  return sizes.map((length) => {
    const part = sliced(backend, x, x.shape.map((_, a) => (a === axis ? first : 0)), x.shape.map((n, a) => (a === axis ? length : n)))
    first += length
    return part
  })
}

function product(sizes: readonly number[]): number {
  return sizes.reduce((a, b) => a * b, 1)
}

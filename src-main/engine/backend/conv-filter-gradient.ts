import type { NamedAttrMap, TensorInfo } from '@tensorflow/tfjs-core'
import type { Geometry } from './conv-input-gradient.ts'
import { forwardConvolution, stockKernel } from './stock.ts'
import { allocate, cropped, free, reshaped, shape4, type Shape4, type WasmBackend } from './wasm-memory.ts'

/**
 * Gradient of a convolution with respect to its filter, on WASM, as one forward convolution:
 * dW[i, j, ci, co] = Σ x[n, oy·s + i·d − p, …, ci] · dy[n, oy, ox, co]. The images take the place of the channels: x as
 * [Cin, H, W, N] is convolved with dy as the filter [H', W', N, Cout]; stride and dilation change places.
 * @param x [N, H, W, Cin]
 * @param dy [N, H', W', Cout]
 * @param filterShape [kh, kw, Cin, Cout]
 * @returns [kh, kw, Cin, Cout]
 */
export function filterGradient(
  backend: WasmBackend,
  x: TensorInfo,
  dy: TensorInfo,
  filterShape: Shape4,
  geometry: Geometry,
): TensorInfo {
  const [kh, kw, cin, cout] = filterShape
  const [, outHeight, outWidth] = shape4(dy)
  const [count, height, width] = shape4(x)
  const { strides, dilations, pads } = geometry
  // The rows and columns of the padded input that the outputs reach, no more and no less.
  const extentDown = (outHeight - 1) * strides[0] + (kh - 1) * dilations[0] + 1
  const extentAcross = (outWidth - 1) * strides[1] + (kw - 1) * dilations[1] + 1
  const after = { bottom: extentDown - height - pads.top, right: extentAcross - width - pads.left }

  if (kh === 1 && kw === 1) return pointwiseFilterGradient(backend, x, dy, filterShape, { ...geometry, pads: { ...pads, ...after } })

  const cut = { top: 0, left: 0, bottom: Math.max(0, -after.bottom), right: Math.max(0, -after.right) }
  if (cut.bottom >= height || cut.right >= width) {
    // the outputs see nothing but padding
    const zero = allocate(backend, filterShape)
    backend.typedArrayFromHeap(zero).fill(0)
    return zero
  }
  const whole = cut.bottom + cut.right === 0
  const source = whole ? x : cropped(backend, x, cut)
  const images = transposed(backend, source, [3, 1, 2, 0])
  if (!whole) free(backend, source)
  const filter = transposed(backend, dy, [1, 2, 0, 3])
  const gradient = forwardConvolution(backend, 'Conv2D', images, reshaped(filter, [outHeight, outWidth, count, cout]), {
    strides: dilations,
    dilations: strides,
    pads: { top: pads.top, left: pads.left, bottom: Math.max(0, after.bottom), right: Math.max(0, after.right) },
  })
  const result = transposed(backend, reshaped(gradient, [cin, kh, kw, cout]), [1, 2, 0, 3])
  free(backend, images, filter, gradient)
  return result
}

/** For 1×1 filters: the matrix product xᵀ·dy, as a 1×1 convolution whose channels are the positions of all images. */
function pointwiseFilterGradient(
  backend: WasmBackend, x: TensorInfo, dy: TensorInfo, filterShape: Shape4, geometry: Geometry,
): TensorInfo {
  const [, , cin, cout] = filterShape
  const [count, outHeight, outWidth] = shape4(dy)
  const { strides, pads } = geometry
  const direct = strides[0] === 1 && strides[1] === 1 && pads.top === 0 && pads.left === 0 && pads.bottom === 0 && pads.right === 0
  const seen = direct ? x : sampled(backend, x, [count, outHeight, outWidth, cin], geometry)
  const positions = count * outHeight * outWidth
  const images = transposed(backend, reshaped(seen, [positions, cin]), [1, 0])
  if (!direct) free(backend, seen)
  const gradient = forwardConvolution(
    backend,
    'Conv2D',
    reshaped(images, [1, cin, 1, positions]),
    reshaped(dy, [1, 1, positions, cout]),
    { strides: [1, 1], dilations: [1, 1], pads: { top: 0, bottom: 0, left: 0, right: 0 } },
  )
  free(backend, images)
  return { ...gradient, shape: [1, 1, cin, cout] }
}

/** The input positions that a 1×1 convolution with strides and pads looks at, 0 in the padding. */
function sampled(backend: WasmBackend, x: TensorInfo, shape: Shape4, geometry: Geometry): TensorInfo {
  const [count, outHeight, outWidth, channels] = shape
  const [, height, width] = shape4(x)
  const out = allocate(backend, shape)
  const from = backend.typedArrayFromHeap(x)
  const to = backend.typedArrayFromHeap(out)
  let target = 0
  for (let n = 0; n < count; n++) {
    for (let oy = 0; oy < outHeight; oy++) {
      const row = oy * geometry.strides[0] - geometry.pads.top
      for (let ox = 0; ox < outWidth; ox++, target += channels) {
        const column = ox * geometry.strides[1] - geometry.pads.left
        const inside = row >= 0 && row < height && column >= 0 && column < width
        const source = ((n * height + row) * width + column) * channels
        if (inside) to.set(from.subarray(source, source + channels), target)
        else to.fill(0, target, target + channels)
      }
    }
  }
  return out
}

function transposed(backend: WasmBackend, x: TensorInfo, perm: number[]): TensorInfo {
  return stockKernel('Transpose')({ inputs: { x }, attrs: { perm } as unknown as NamedAttrMap, backend }) as TensorInfo
}

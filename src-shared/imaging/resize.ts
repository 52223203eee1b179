/**
 * Antialiased separable resampling: the filter's support grows with the reduction, as in Pillow and libvips, pixel
 * centres lie at half integers, and the weights that remain at the edges are normalised to sum to one.
 */
export const resizeFilters = ['lanczos3', 'bicubic', 'bilinear', 'box'] as const
export type ResizeFilter = (typeof resizeFilters)[number]

/** A part of a picture, in its pixels; whole numbers within the picture. */
export interface Region {
  left: number
  top: number
  width: number
  height: number
}

/** For each output pixel: the first input pixel and the weights from there on. */
interface Taps {
  first: Int32Array
  /** [outputs, length], zero beyond a pixel's own taps. */
  weights: Float32Array
  length: number
}

/**
 * A region of an interleaved picture resized to width × height. Rows are filtered first, one by one, and only those that
 * the columns still need are held, so memory depends on the output's size, not on the picture's.
 * @param pixels row-major, `channels` per pixel, e.g. 8-bit RGB
 * @param scale multiplies every value, e.g. 1/255
 * @returns row-major, [height, width, channels]; values can pass the input's range a little (lanczos3, bicubic)
 */
export function resize(
  pixels: { width: number; data: Uint8Array | Float32Array; channels: number },
  region: Region,
  size: { width: number; height: number },
  filter: ResizeFilter,
  scale = 1,
): Float32Array {
  const { channels } = pixels
  const across = tapsOf(region.width, size.width, filter)
  const down = tapsOf(region.height, size.height, filter)
  const rowLength = size.width * channels
  const out = new Float32Array(size.height * rowLength)
  // A ring of filtered rows, as many as one output row reads.
  const ring = new Float32Array(down.length * rowLength)
  let filtered = 0
  for (let y = 0; y < size.height; y++) {
    const first = down.first[y]!
    const end = Math.min(first + down.length, region.height)
    for (filtered = Math.max(filtered, first); filtered < end; filtered++) {
      const source = ((region.top + filtered) * pixels.width + region.left) * channels
      const target = (filtered % down.length) * rowLength
      filterRow(pixels.data, source, ring, target, channels, size.width, across, region.width)
    }
    const to = out.subarray(y * rowLength, (y + 1) * rowLength)
    for (let row = first; row < end; row++) {
      const weight = down.weights[y * down.length + row - first]! * scale
      if (weight === 0) continue
      const from = (row % down.length) * rowLength
      for (let i = 0; i < rowLength; i++) to[i]! += weight * ring[from + i]!
    }
  }
  return out
}

function filterRow(
  from: Uint8Array | Float32Array, source: number, to: Float32Array, target: number,
  channels: number, width: number, taps: Taps, limit: number,
): void {
  const { first, weights, length } = taps
  for (let x = 0; x < width; x++) {
    const start = first[x]!
    const count = Math.min(length, limit - start)
    const base = source + start * channels
    if (channels === 3) {
      let r = 0
      let g = 0
      let b = 0
      for (let k = 0, i = base, w = x * length; k < count; k++, i += 3, w++) {
        const weight = weights[w]!
        r += weight * from[i]!
        g += weight * from[i + 1]!
        b += weight * from[i + 2]!
      }
      to[target + x * 3] = r
      to[target + x * 3 + 1] = g
      to[target + x * 3 + 2] = b
    } else {
      for (let c = 0; c < channels; c++) {
        let sum = 0
        for (let k = 0; k < count; k++) sum += weights[x * length + k]! * from[base + k * channels + c]!
        to[target + x * channels + c] = sum
      }
    }
  }
}

const supports: Record<ResizeFilter, number> = { lanczos3: 3, bicubic: 2, bilinear: 1, box: 0.5 }

function tapsOf(inputs: number, outputs: number, filter: ResizeFilter): Taps {
  const ratio = inputs / outputs
  const stretch = Math.max(1, ratio)
  const support = supports[filter] * stretch
  const length = Math.min(inputs, Math.ceil(support) * 2 + 1)
  const first = new Int32Array(outputs)
  const weights = new Float32Array(outputs * length)
  for (let o = 0; o < outputs; o++) {
    const centre = (o + 0.5) * ratio
    const start = Math.min(Math.max(0, Math.floor(centre - support + 0.5)), inputs - 1)
    const end = Math.max(start + 1, Math.min(inputs, Math.floor(centre + support + 0.5)))
    const own = Array.from({ length: end - start }, (_, k) => kernel(filter, (start + k + 0.5 - centre) / stretch))
    const sum = own.reduce((a, b) => a + b, 0)
    first[o] = start
    own.forEach((w, k) => (weights[o * length + k] = w / sum))
  }
  return { first, weights, length }
}

function kernel(filter: ResizeFilter, at: number): number {
  const x = Math.abs(at)
  switch (filter) {
    case 'box':
      // half open, so that a border between two pixels belongs to one of them
      return at > -0.5 && at <= 0.5 ? 1 : 0
    case 'bilinear':
      return Math.max(0, 1 - x)
    case 'bicubic':
      // Keys with a = −1/2 (Catmull–Rom), as Pillow and libvips have it
      if (x < 1) return (1.5 * x - 2.5) * x * x + 1
      return x < 2 ? ((-0.5 * x + 2.5) * x - 4) * x + 2 : 0
    case 'lanczos3':
      return x < 3 ? sinc(x) * sinc(x / 3) : 0
  }
}

function sinc(x: number): number {
  if (x === 0) return 1
  const angle = Math.PI * x
  return Math.sin(angle) / angle
}

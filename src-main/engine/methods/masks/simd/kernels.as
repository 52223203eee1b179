// The mask's own arithmetic, in AssemblyScript with SIMD, compiled by scripts/build/simd.js to binary.ts. Every `usize` is a
// pointer: to float32 values where nothing else is said. All else is a count, a size or an index, not a number of bytes.
// Rooms are rounded up to whole vectors, so elementwise kernels need no tail: what lies there is never read.

// @ts-ignore: decorator
@inline const F: usize = 4
// @ts-ignore: decorator
@inline const D: usize = 8

/**
 * e^x, to 1e-9 of its value: x = k·ln 2 + r, and a polynomial of r. Adding 1.5·2^52 rounds to a whole number and leaves it in
 * the lowest bits, from where it goes into the exponent.
 */
// @ts-ignore: decorator
@inline
function exponential(x: v128): v128 {
  const whole = f64x2.splat(6755399441055744)
  const bounded = f64x2.pmax(f64x2.splat(-700), f64x2.pmin(f64x2.splat(700), x))
  const shifted = f64x2.add(f64x2.mul(bounded, f64x2.splat(1.4426950408889634)), whole)
  const r = f64x2.sub(bounded, f64x2.mul(f64x2.sub(shifted, whole), f64x2.splat(0.6931471805599453)))
  let p = f64x2.splat(1.0 / 40320)
  p = f64x2.add(f64x2.mul(p, r), f64x2.splat(1.0 / 5040))
  p = f64x2.add(f64x2.mul(p, r), f64x2.splat(1.0 / 720))
  p = f64x2.add(f64x2.mul(p, r), f64x2.splat(1.0 / 120))
  p = f64x2.add(f64x2.mul(p, r), f64x2.splat(1.0 / 24))
  p = f64x2.add(f64x2.mul(p, r), f64x2.splat(1.0 / 6))
  p = f64x2.add(f64x2.mul(p, r), f64x2.splat(0.5))
  p = f64x2.add(f64x2.mul(p, r), f64x2.splat(1))
  p = f64x2.add(f64x2.mul(p, r), f64x2.splat(1))
  return i64x2.add(p, i64x2.shl(shifted, 52))
}

/** out = 1 / (1 + e^(v·steepness)) */
export function sigmoid(v: usize, out: usize, n: usize, steepness: f64): void {
  const factor = f64x2.splat(steepness)
  const one = f64x2.splat(1)
  for (let i: usize = 0; i < n * F; i += 8) {
    const x = f64x2.mul(f64x2.promote_low_f32x4(v128.load64_zero(v + i)), factor)
    const y = f64x2.div(one, f64x2.add(one, exponential(x)))
    v128.store64_lane(out + i, f32x4.demote_f64x2_zero(y), 0)
  }
}

/** out += dy · y · (1 − y) · factor */
export function sigmoidPullBack(y: usize, dy: usize, out: usize, n: usize, factor: f32): void {
  const one = f32x4.splat(1)
  const by = f32x4.splat(factor)
  for (let i: usize = 0; i < n * F; i += 16) {
    const value = v128.load(y + i)
    const slope = f32x4.mul(f32x4.mul(value, f32x4.sub(one, value)), by)
    v128.store(out + i, f32x4.add(v128.load(out + i), f32x4.mul(v128.load(dy + i), slope)))
  }
}

/**
 * One run of pixels of a masked image: out = fill + kept·(image − fill), kept = base + sign·mask. Image and mask run by
 * `step` pixels, 1 or −1.
 */
export function compose(
  image: usize, mask: usize, fill: usize, out: usize, count: i32, channels: i32, step: i32, base: f32, sign: f32,
): void {
  let k = 0
  if (channels == 3 && step == 1) {
    const base4 = f32x4.splat(base)
    const sign4 = f32x4.splat(sign)
    for (; k + 4 <= count; k += 4, mask += 16, image += 48, fill += 48, out += 48) {
      const kept = f32x4.add(base4, f32x4.mul(sign4, v128.load(mask)))
      blend(image, fill, out, v128.shuffle<f32>(kept, kept, 0, 0, 0, 1))
      blend(image + 16, fill + 16, out + 16, v128.shuffle<f32>(kept, kept, 1, 1, 2, 2))
      blend(image + 32, fill + 32, out + 32, v128.shuffle<f32>(kept, kept, 2, 3, 3, 3))
    }
  }
  const next = <isize>step * <isize>F
  for (; k < count; k++, mask += next) {
    const kept = base + sign * load<f32>(mask)
    for (let c: usize = 0; c < <usize>channels * F; c += F) {
      const behind = load<f32>(fill + c)
      store<f32>(out + c, behind + kept * (load<f32>(image + c) - behind))
    }
    image += next * channels
    fill += <usize>channels * F
    out += <usize>channels * F
  }
}

// @ts-ignore: decorator
@inline
function blend(image: usize, fill: usize, out: usize, kept: v128): void {
  const behind = v128.load(fill)
  v128.store(out, f32x4.add(behind, f32x4.mul(kept, f32x4.sub(v128.load(image), behind))))
}

/** The way back of such a run: maskGradient += factor · Σ over channels of gradient·(image − fill). */
export function pullBack(
  image: usize, maskGradient: usize, fill: usize, gradient: usize, count: i32, channels: i32, step: i32, factor: f32,
): void {
  let k = 0
  if (channels == 3 && step == 1) {
    const by = f32x4.splat(factor)
    for (; k + 4 <= count; k += 4, maskGradient += 16, image += 48, fill += 48, gradient += 48) {
      const a = f32x4.mul(v128.load(gradient), f32x4.sub(v128.load(image), v128.load(fill)))
      const b = f32x4.mul(v128.load(gradient, 16), f32x4.sub(v128.load(image, 16), v128.load(fill, 16)))
      const c = f32x4.mul(v128.load(gradient, 32), f32x4.sub(v128.load(image, 32), v128.load(fill, 32)))
      // From pixel after pixel to one vector for each channel.
      const first = v128.shuffle<f32>(v128.shuffle<f32>(a, b, 0, 3, 6, 6), c, 0, 1, 2, 5)
      const second = v128.shuffle<f32>(v128.shuffle<f32>(a, b, 1, 4, 7, 7), c, 0, 1, 2, 6)
      const third = v128.shuffle<f32>(v128.shuffle<f32>(a, b, 2, 5, 5, 5), c, 0, 1, 4, 7)
      const sum = f32x4.add(f32x4.add(first, second), third)
      v128.store(maskGradient, f32x4.add(v128.load(maskGradient), f32x4.mul(by, sum)))
    }
  }
  const next = <isize>step * <isize>F
  for (; k < count; k++, maskGradient += next) {
    let sum: f32 = 0
    for (let c: usize = 0; c < <usize>channels * F; c += F) sum += load<f32>(gradient + c) * (load<f32>(image + c) - load<f32>(fill + c))
    store<f32>(maskGradient, load<f32>(maskGradient) + factor * sum)
    image += next * channels
    fill += <usize>channels * F
    gradient += <usize>channels * F
  }
}

/**
 * A window of a texture: out[y, x, c] = texture[rows[y] + columns[x] + c], both in bytes (int32), then moved so that each
 * channel has the mean `wanted` (float64), and cut to [0, 1]. `out` has room for 12 values more.
 */
export function drawWindow(
  texture: usize, rows: usize, columns: usize, out: usize, height: i32, width: i32, channels: i32, wanted: usize,
): void {
  const pixel = <usize>channels * F
  const end = out + <usize>height * <usize>width * pixel
  const count = <f64>height * <f64>width
  if (channels == 3) {
    let sums = f64x2.splat(0)
    let third: f64 = 0
    let o = out
    for (let y = 0; y < height; y++) {
      const row = texture + load<i32>(rows + (<usize>y << 2))
      for (let x = 0; x < width; x++, o += 12) {
        const from = row + load<i32>(columns + (<usize>x << 2))
        // Four values for three: the next pixel overwrites the last.
        const value = v128.load(from)
        v128.store(o, value)
        sums = f64x2.add(sums, f64x2.promote_low_f32x4(value))
        third += f32x4.extract_lane(value, 2)
      }
    }
    const a = <f32>(load<f64>(wanted) - f64x2.extract_lane(sums, 0) / count)
    const b = <f32>(load<f64>(wanted + D) - f64x2.extract_lane(sums, 1) / count)
    const c = <f32>(load<f64>(wanted + 2 * D) - third / count)
    const abca = f32x4(a, b, c, a)
    const bcab = f32x4(b, c, a, b)
    const cabc = f32x4(c, a, b, c)
    for (o = out; o < end; o += 48) {
      v128.store(o, toUnit(v128.load(o), abca))
      v128.store(o, toUnit(v128.load(o, 16), bcab), 16)
      v128.store(o, toUnit(v128.load(o, 32), cabc), 32)
    }
    return
  }
  for (let c: usize = 0; c < <usize>channels; c++) {
    let sum: f64 = 0
    let o = out + c * F
    for (let y = 0; y < height; y++) {
      const row = texture + c * F + load<i32>(rows + (<usize>y << 2))
      for (let x = 0; x < width; x++, o += pixel) {
        const value = load<f32>(row + load<i32>(columns + (<usize>x << 2)))
        store<f32>(o, value)
        sum += value
      }
    }
    const by = <f32>(load<f64>(wanted + c * D) - sum / count)
    for (o = out + c * F; o < end; o += pixel) store<f32>(o, min<f32>(1, max<f32>(0, load<f32>(o) + by)))
  }
}

// @ts-ignore: decorator
@inline
function toUnit(values: v128, by: v128): v128 {
  return f32x4.pmin(f32x4.splat(1), f32x4.pmax(f32x4.splat(0), f32x4.add(values, by)))
}

/** out = source · matrixᵀ, row by row; begin and offset int32, weights float64 (imaging/banded.ts). */
export function alongRows(begin: usize, offset: usize, weights: usize, rows: i32, columns: i32, source: usize, height: i32, out: usize): void {
  for (let y = 0; y < height; y++, source += <usize>columns * F) {
    for (let r: usize = 0; r < <usize>rows; r++, out += F) {
      const end = weights + <usize>load<i32>(offset + (r + 1) * F) * D
      let from = source + <usize>load<i32>(begin + r * F) * F
      let sum: f64 = 0
      for (let k = weights + <usize>load<i32>(offset + r * F) * D; k < end; k += D, from += F) sum += load<f64>(k) * load<f32>(from)
      store<f32>(out, <f32>sum)
    }
  }
}

/** out = matrix · source, whole rows at a time. */
export function alongColumns(begin: usize, offset: usize, weights: usize, rows: i32, source: usize, width: i32, out: usize): void {
  const pitch = <usize>width * F
  for (let r: usize = 0; r < <usize>rows; r++, out += pitch) {
    const start = weights + <usize>load<i32>(offset + r * F) * D
    const end = weights + <usize>load<i32>(offset + (r + 1) * F) * D
    const top = source + <usize>load<i32>(begin + r * F) * pitch
    let x: usize = 0
    for (; x + 16 <= pitch; x += 16) {
      let sum = f32x4.splat(0)
      let from = top + x
      for (let k = start; k < end; k += D, from += pitch) sum = f32x4.add(sum, f32x4.mul(f32x4.splat(<f32>load<f64>(k)), v128.load(from)))
      v128.store(out + x, sum)
    }
    for (; x < pitch; x += F) {
      let sum: f32 = 0
      let from = top + x
      for (let k = start; k < end; k += D, from += pitch) sum += <f32>load<f64>(k) * load<f32>(from)
      store<f32>(out + x, sum)
    }
  }
}

/** weight·mean|map + offset|; adds its subgradient, 0 where map = −offset. */
export function sparsity(map: usize, gradient: usize, n: usize, offset: f64, weight: f64): f64 {
  const slope = <f32>(weight / <f64>n)
  let sum: f64 = 0
  for (let i: usize = 0; i < n * F; i += F) {
    const value = <f64>load<f32>(map + i) + offset
    sum += abs(value)
    store<f32>(gradient + i, load<f32>(gradient + i) + (value > 0 ? slope : value < 0 ? -slope : <f32>0))
  }
  return (weight * sum) / <f64>n
}

/**
 * weight·mean((K∗map)²), K the k×k high-pass with the centre k² − 1 and the rest −1, where it fits; adds the gradient,
 * 2·weight/n·K∗(K∗map) with K∗map embedded in zeros.
 * @param response room for (height + k − 1)·(width + k − 1) float64
 * @param room for height·width + width + k − 1 float64
 */
export function smoothness(map: usize, gradient: usize, height: i32, width: i32, k: i32, weight: f64, response: usize, room: usize): f64 {
  const outHeight = height - k + 1
  const outWidth = width - k + 1
  const around = k - 1
  const pitch = width + around
  const wide = room + <usize>pitch * D
  memory.fill(response, 0, <usize>((height + around) * pitch) * D)
  for (let i: usize = 0; i < <usize>(height * width); i++) store<f64>(wide + i * D, load<f32>(map + i * F))
  const inner = response + <usize>(around * pitch + around) * D
  highPass(wide, height, width, k, room, inner, pitch)
  let total: f64 = 0
  for (let y = 0; y < outHeight; y++) {
    for (let x = 0; x < outWidth; x++) {
      const value = load<f64>(inner + <usize>(y * pitch + x) * D)
      total += value * value
    }
  }
  const count = <f64>outHeight * <f64>outWidth
  highPass(response, height + around, pitch, k, room, wide, width)
  const slope = (2 * weight) / count
  for (let i: usize = 0; i < <usize>(height * width); i++) {
    store<f32>(gradient + i * F, <f32>(<f64>load<f32>(gradient + i * F) + slope * load<f64>(wide + i * D)))
  }
  return (weight * total) / count
}

/** out[y, x] = k²·source[y + c, x + c] − Σ of the k×k window from (y, x), all float64; `column`: room for one row. */
function highPass(source: usize, height: i32, width: i32, k: i32, column: usize, out: usize, outPitch: i32): void {
  const pitch = <usize>width * D
  const outWidth = <usize>(width - k + 1) * D
  const window = <usize>k * pitch
  const centre = <usize>((k - 1) >> 1)
  const area = <f64>(k * k)
  const area2 = f64x2.splat(area)
  for (let x: usize = 0; x < pitch; x += D) {
    let sum: f64 = 0
    for (let d: usize = 0; d < window - pitch; d += pitch) sum += load<f64>(source + x + d)
    store<f64>(column + x, sum)
  }
  for (let y = 0; y + k <= height; y++, source += pitch, out += <usize>outPitch * D) {
    // `column` holds the sums over k rows while this row is written, and loses the first of them after it.
    const last = source + window - pitch
    for (let x: usize = 0; x < pitch; x += D) store<f64>(column + x, load<f64>(column + x) + load<f64>(last + x))
    const middle = source + centre * pitch + centre * D
    let x: usize = 0
    for (; x + 16 <= outWidth; x += 16) {
      let sum = v128.load(column + x)
      for (let d: usize = D; d < <usize>k * D; d += D) sum = f64x2.add(sum, v128.load(column + x + d))
      v128.store(out + x, f64x2.sub(f64x2.mul(area2, v128.load(middle + x)), sum))
    }
    for (; x < outWidth; x += D) {
      let sum: f64 = 0
      for (let d: usize = 0; d < <usize>k * D; d += D) sum += load<f64>(column + x + d)
      store<f64>(out + x, area * load<f64>(middle + x) - sum)
    }
    for (x = 0; x < pitch; x += D) store<f64>(column + x, load<f64>(column + x) - load<f64>(source + x))
  }
}

/** One step of RMSProp: s = .9·s + .1·g², values −= rate·g / √(s + 1e-10). */
export function rmsProp(values: usize, gradient: usize, meanSquare: usize, n: usize, rate: f32): void {
  const keep = f32x4.splat(0.9)
  const take = f32x4.splat(0.1)
  const small = f32x4.splat(1e-10)
  const by = f32x4.splat(rate)
  for (let i: usize = 0; i < n * F; i += 16) {
    const slope = v128.load(gradient + i)
    const square = f32x4.add(f32x4.mul(keep, v128.load(meanSquare + i)), f32x4.mul(take, f32x4.mul(slope, slope)))
    v128.store(meanSquare + i, square)
    const change = f32x4.div(f32x4.mul(by, slope), f32x4.sqrt(f32x4.add(square, small)))
    v128.store(values + i, f32x4.sub(v128.load(values + i), change))
  }
}

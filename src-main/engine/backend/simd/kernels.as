// Kernels bound by memory, in AssemblyScript with SIMD, compiled by scripts/build/simd.js to binary.ts. They work on the
// heap of TF.js's WASM backend: every `usize` is a pointer to float32 values in NHWC order. They keep no memory of
// their own. Every other number is a count, a size or an index, not a number of bytes.

// @ts-ignore: decorator
@inline const F: usize = 4

/** out = dy where 0 < y < limit, else 0; with `guided`, also 0 where dy is negative. n values each. */
export function reluGradient(dy: usize, y: usize, out: usize, n: usize, limit: f32, guided: bool): void {
  const zero = f32x4.splat(0)
  const top = f32x4.splat(limit)
  const floor = f32x4.splat(guided ? 0 : -Infinity)
  const end = n * F
  let i: usize = 0
  for (; i + 16 <= end; i += 16) {
    const value = v128.load(y + i)
    const gradient = v128.load(dy + i)
    let inside = v128.and(f32x4.gt(value, zero), f32x4.lt(value, top))
    inside = v128.and(inside, f32x4.gt(gradient, floor))
    v128.store(out + i, v128.and(gradient, inside))
  }
  for (; i < end; i += F) {
    const value = load<f32>(y + i)
    const gradient = load<f32>(dy + i)
    const inside = value > 0 && value < limit && (!guided || gradient > 0)
    store<f32>(out + i, inside ? gradient : 0)
  }
}

/** out = dy where y > 0, else dy · slope. */
export function leakyReluGradient(dy: usize, y: usize, out: usize, n: usize, slope: f32): void {
  const zero = f32x4.splat(0)
  const factor = f32x4.splat(slope)
  const end = n * F
  let i: usize = 0
  for (; i + 16 <= end; i += 16) {
    const gradient = v128.load(dy + i)
    const positive = f32x4.gt(v128.load(y + i), zero)
    v128.store(out + i, v128.bitselect(gradient, f32x4.mul(gradient, factor), positive))
  }
  for (; i < end; i += F) {
    const gradient = load<f32>(dy + i)
    store<f32>(out + i, load<f32>(y + i) > 0 ? gradient : gradient * slope)
  }
}

/** out = dy where y > 0, else dy · (y + 1): the exponential linear unit with α = 1. */
export function eluGradient(dy: usize, y: usize, out: usize, n: usize): void {
  const zero = f32x4.splat(0)
  const one = f32x4.splat(1)
  const end = n * F
  let i: usize = 0
  for (; i + 16 <= end; i += 16) {
    const gradient = v128.load(dy + i)
    const value = v128.load(y + i)
    v128.store(out + i, v128.bitselect(gradient, f32x4.mul(gradient, f32x4.add(value, one)), f32x4.gt(value, zero)))
  }
  for (; i < end; i += F) {
    const gradient = load<f32>(dy + i)
    const value = load<f32>(y + i)
    store<f32>(out + i, value > 0 ? gradient : gradient * (value + 1))
  }
}

/** out = dy · y · (1 − y). */
export function sigmoidGradient(dy: usize, y: usize, out: usize, n: usize): void {
  const one = f32x4.splat(1)
  const end = n * F
  let i: usize = 0
  for (; i + 16 <= end; i += 16) {
    const value = v128.load(y + i)
    v128.store(out + i, f32x4.mul(f32x4.mul(v128.load(dy + i), value), f32x4.sub(one, value)))
  }
  for (; i < end; i += F) {
    const value = load<f32>(y + i)
    store<f32>(out + i, load<f32>(dy + i) * value * (1 - value))
  }
}

/**
 * Writes one phase of a strided gradient to its places: dx[n, top + q·sh, left + r·sw, c] = part[n, q, r, first + c],
 * or, with a multiplier m > 1, the sum of part[…, first + c·m … first + c·m + m − 1].
 */
export function interleave(
  part: usize, dx: usize, count: i32, partHeight: i32, partWidth: i32, partChannels: i32, first: i32,
  height: i32, width: i32, channels: i32, top: i32, left: i32, sh: i32, sw: i32, multiplier: i32,
): void {
  const bytes = <usize>channels * F
  const step = <usize>partChannels * F
  for (let n = 0; n < count; n++) {
    for (let q = 0, row = top; q < partHeight && row < height; q++, row += sh) {
      let source = part + ((<usize>(n * partHeight + q) * partWidth) * partChannels + first) * F
      let target = dx + (<usize>((n * height + row) * width + left)) * bytes
      for (let column = left; column < width; column += sw) {
        if (multiplier == 1) copy(source, target, bytes)
        else {
          let from = source
          for (let c: usize = 0; c < bytes; c += F) {
            let sum: f32 = 0
            for (let m = 0; m < multiplier; m++, from += F) sum += load<f32>(from)
            store<f32>(target + c, sum)
          }
        }
        source += step
        target += <usize>sw * bytes
      }
    }
  }
}

// @ts-ignore: decorator
@inline
function copy(source: usize, target: usize, bytes: usize): void {
  let i: usize = 0
  for (; i + 16 <= bytes; i += 16) v128.store(target + i, v128.load(source + i))
  for (; i < bytes; i += F) store<f32>(target + i, load<f32>(source + i))
}

/**
 * Gradient of max pooling: each output's gradient goes to the first input of its window, row by row, that equals the
 * output. dx must hold zeros. Windows may overlap and reach over the edges.
 */
export function maxPoolGradient(
  x: usize, y: usize, dy: usize, dx: usize, count: i32, height: i32, width: i32, channels: i32,
  outHeight: i32, outWidth: i32, kh: i32, kw: i32, sh: i32, sw: i32, dh: i32, dw: i32, padTop: i32, padLeft: i32,
): void {
  const bytes = <usize>channels * F
  const rowBytes = <usize>width * bytes
  for (let n = 0; n < count; n++) {
    const image = <usize>n * height * rowBytes
    for (let oy = 0; oy < outHeight; oy++) {
      for (let ox = 0; ox < outWidth; ox++) {
        const out = <usize>((n * outHeight + oy) * outWidth + ox) * bytes
        let c: usize = 0
        for (; c + 16 <= bytes; c += 16) {
          const top = v128.load(y + out + c)
          let open = v128.load(dy + out + c)
          for (let i = 0; i < kh; i++) {
            const row = oy * sh + i * dh - padTop
            if (row < 0 || row >= height) continue
            for (let j = 0; j < kw; j++) {
              const column = ox * sw + j * dw - padLeft
              if (column < 0 || column >= width) continue
              const at = image + <usize>row * rowBytes + <usize>column * bytes + c
              const here = f32x4.eq(v128.load(x + at), top)
              v128.store(dx + at, f32x4.add(v128.load(dx + at), v128.and(open, here)))
              open = v128.andnot(open, here)
            }
          }
        }
        for (; c < bytes; c += F) {
          const top = load<f32>(y + out + c)
          let open = true
          for (let i = 0; i < kh && open; i++) {
            const row = oy * sh + i * dh - padTop
            if (row < 0 || row >= height) continue
            for (let j = 0; j < kw && open; j++) {
              const column = ox * sw + j * dw - padLeft
              if (column < 0 || column >= width) continue
              const at = image + <usize>row * rowBytes + <usize>column * bytes + c
              if (load<f32>(x + at) == top) {
                store<f32>(dx + at, load<f32>(dx + at) + load<f32>(dy + out + c))
                open = false
              }
            }
          }
        }
      }
    }
  }
}

/**
 * Gradient of average pooling: each output's gradient, divided by the number of inputs in its window, goes to them all.
 * dx must hold zeros. Padding is not counted, as in TF.js's forward.
 */
export function averagePoolGradient(
  dy: usize, dx: usize, count: i32, height: i32, width: i32, channels: i32,
  outHeight: i32, outWidth: i32, kh: i32, kw: i32, sh: i32, sw: i32, padTop: i32, padLeft: i32,
): void {
  const bytes = <usize>channels * F
  const rowBytes = <usize>width * bytes
  for (let n = 0; n < count; n++) {
    const image = dx + <usize>n * height * rowBytes
    for (let oy = 0; oy < outHeight; oy++) {
      const firstRow = max(0, oy * sh - padTop)
      const endRow = min(height, oy * sh - padTop + kh)
      for (let ox = 0; ox < outWidth; ox++) {
        const firstColumn = max(0, ox * sw - padLeft)
        const endColumn = min(width, ox * sw - padLeft + kw)
        const share: f32 = <f32>1 / <f32>((endRow - firstRow) * (endColumn - firstColumn))
        const shares = f32x4.splat(share)
        const out = dy + <usize>((n * outHeight + oy) * outWidth + ox) * bytes
        for (let row = firstRow; row < endRow; row++) {
          let at = image + <usize>row * rowBytes + <usize>firstColumn * bytes
          for (let column = firstColumn; column < endColumn; column++, at += bytes) {
            let c: usize = 0
            for (; c + 16 <= bytes; c += 16) {
              v128.store(at + c, f32x4.add(v128.load(at + c), f32x4.mul(v128.load(out + c), shares)))
            }
            for (; c < bytes; c += F) store<f32>(at + c, load<f32>(at + c) + load<f32>(out + c) * share)
          }
        }
      }
    }
  }
}

/**
 * Gradient of a depthwise convolution (multiplier 1) with respect to its filter: dw[i, j, c] = Σ x[n, oy·sh + i·dh − top,
 * ox·sw + j·dw − left, c] · dy[n, oy, ox, c]. The filter's gradient must hold zeros.
 */
export function depthwiseFilterGradient(
  x: usize, dy: usize, filter: usize, count: i32, height: i32, width: i32, channels: i32,
  outHeight: i32, outWidth: i32, kh: i32, kw: i32, sh: i32, sw: i32, dh: i32, dw: i32, padTop: i32, padLeft: i32,
): void {
  const bytes = <usize>channels * F
  const xStep = <usize>sw * bytes
  for (let n = 0; n < count; n++) {
    for (let oy = 0; oy < outHeight; oy++) {
      const dyRow = dy + <usize>((n * outHeight + oy) * outWidth) * bytes
      for (let i = 0; i < kh; i++) {
        const row = oy * sh + i * dh - padTop
        if (row < 0 || row >= height) continue
        const xRow = x + <usize>((n * height + row) * width) * bytes
        for (let j = 0; j < kw; j++) {
          const shift = j * dw - padLeft
          const first = shift >= 0 ? 0 : (-shift + sw - 1) / sw
          const last = width - 1 - shift
          if (last < 0) continue
          const end = min(outWidth, last / sw + 1)
          const target = filter + <usize>(i * kw + j) * bytes
          let c: usize = 0
          for (; c + 16 <= bytes; c += 16) {
            let source = xRow + <usize>(first * sw + shift) * bytes + c
            let gradient = dyRow + <usize>first * bytes + c
            let sum = f32x4.splat(0)
            for (let ox = first; ox < end; ox++, source += xStep, gradient += bytes) {
              sum = f32x4.add(sum, f32x4.mul(v128.load(source), v128.load(gradient)))
            }
            v128.store(target + c, f32x4.add(v128.load(target + c), sum))
          }
          for (; c < bytes; c += F) {
            let source = xRow + <usize>(first * sw + shift) * bytes + c
            let gradient = dyRow + <usize>first * bytes + c
            let sum: f32 = 0
            for (let ox = first; ox < end; ox++, source += xStep, gradient += bytes) {
              sum += load<f32>(source) * load<f32>(gradient)
            }
            store<f32>(target + c, load<f32>(target + c) + sum)
          }
        }
      }
    }
  }
}

/** Copies `rows` runs of `n` values; the runs begin `sourcePitch` and `targetPitch` values apart. */
export function copyRuns(source: usize, target: usize, rows: usize, n: usize, sourcePitch: usize, targetPitch: usize): void {
  for (let row: usize = 0; row < rows; row++) {
    copy(source, target, n * F)
    source += sourcePitch * F
    target += targetPitch * F
  }
}

/**
 * Gradient of a strided depthwise convolution (multiplier 1, no dilation) with respect to its input:
 * dx[n, row, column, c] = Σ dy[n, oy, ox, c] · w[i, j, c] over the taps with oy·sh + i − top = row and ox·sw + j − left =
 * column.
 */
export function depthwiseInputGradient(
  dy: usize, filter: usize, dx: usize, count: i32, height: i32, width: i32, channels: i32,
  outHeight: i32, outWidth: i32, kh: i32, kw: i32, sh: i32, sw: i32, padTop: i32, padLeft: i32,
): void {
  const bytes = <usize>channels * F
  const rowBytes = <usize>outWidth * bytes
  const filterRow = <usize>kw * bytes
  let target = dx
  for (let n = 0; n < count; n++) {
    const image = dy + <usize>(n * outHeight) * rowBytes
    for (let row = 0; row < height; row++) {
      // The tap i meets the output row (row + padTop − i) / sh: every sh-th tap, and only rows that exist.
      let firstTap = (row + padTop) % sh
      let top = (row + padTop) / sh
      if (top >= outHeight) {
        firstTap += (top - outHeight + 1) * sh
        top = outHeight - 1
      }
      for (let column = 0; column < width; column++, target += bytes) {
        let leftTap = (column + padLeft) % sw
        let left = (column + padLeft) / sw
        if (left >= outWidth) {
          leftTap += (left - outWidth + 1) * sw
          left = outWidth - 1
        }
        const corner = image + <usize>top * rowBytes + <usize>left * bytes
        let c: usize = 0
        for (; c + 16 <= bytes; c += 16) {
          let sum = f32x4.splat(0)
          for (let i = firstTap, oy = top, line = corner + c; i < kh && oy >= 0; i += sh, oy--, line -= rowBytes) {
            let weight = filter + <usize>i * filterRow + <usize>leftTap * bytes + c
            for (let j = leftTap, ox = left, at = line; j < kw && ox >= 0; j += sw, ox--, at -= bytes) {
              sum = f32x4.add(sum, f32x4.mul(v128.load(at), v128.load(weight)))
              weight += <usize>sw * bytes
            }
          }
          v128.store(target + c, sum)
        }
        for (; c < bytes; c += F) {
          let sum: f32 = 0
          for (let i = firstTap, oy = top, line = corner + c; i < kh && oy >= 0; i += sh, oy--, line -= rowBytes) {
            let weight = filter + <usize>i * filterRow + <usize>leftTap * bytes + c
            for (let j = leftTap, ox = left, at = line; j < kw && ox >= 0; j += sw, ox--, at -= bytes) {
              sum += load<f32>(at) * load<f32>(weight)
              weight += <usize>sw * bytes
            }
          }
          store<f32>(target + c, sum)
        }
      }
    }
  }
}

/**
 * Matrix products of a batch: out[i, j] = Σ A[i, p] · B[p, j], i < m, p < k, j < n, with `out` row-major and the operands'
 * elements the given numbers of values apart, so that either may lie transposed. `panel` has room for 8·k values.
 */
export function matrixProduct(
  a: usize, b: usize, out: usize, panel: usize, batch: i32, m: i32, k: i32, n: i32, aPitch: i32, bPitch: i32,
  aRow: i32, aColumn: i32, bRow: i32, bColumn: i32,
): void {
  for (let index = 0; index < batch; index++) {
    for (let j = 0; j < n; j += 8) {
      packPanel(b + (<usize>j * bColumn) * F, panel, k, min(8, n - j), bRow, bColumn)
      let i = 0
      for (; i + 4 <= m; i += 4) fourRows(a + (<usize>i * aRow) * F, panel, out + (<usize>i * n + j) * F, k, n, min(8, n - j), aRow, aColumn)
      for (; i < m; i++) oneRow(a + (<usize>i * aRow) * F, panel, out + (<usize>i * n + j) * F, k, min(8, n - j), aColumn)
    }
    a += <usize>aPitch * F
    b += <usize>bPitch * F
    out += <usize>m * n * F
  }
}

/** Eight columns of B side by side, row after row; columns past the last are zeros. */
function packPanel(b: usize, panel: usize, k: i32, columns: i32, bRow: i32, bColumn: i32): void {
  const step = <usize>bRow * F
  if (columns == 8 && bColumn == 1) {
    for (let p = 0; p < k; p++, b += step, panel += 32) {
      v128.store(panel, v128.load(b))
      v128.store(panel, v128.load(b, 16), 16)
    }
    return
  }
  for (let p = 0; p < k; p++, b += step, panel += 32) {
    for (let c = 0; c < 8; c++) {
      store<f32>(panel + <usize>c * F, c < columns ? load<f32>(b + (<usize>c * bColumn) * F) : 0)
    }
  }
}

// @ts-ignore: decorator
@inline
function fourRows(a: usize, panel: usize, out: usize, k: i32, n: i32, columns: i32, aRow: i32, aColumn: i32): void {
  const row = <usize>aRow * F
  const step = <usize>aColumn * F
  let a0 = a
  let a1 = a + row
  let a2 = a1 + row
  let a3 = a2 + row
  let c00 = f32x4.splat(0), c01 = f32x4.splat(0), c10 = f32x4.splat(0), c11 = f32x4.splat(0)
  let c20 = f32x4.splat(0), c21 = f32x4.splat(0), c30 = f32x4.splat(0), c31 = f32x4.splat(0)
  for (let p = 0; p < k; p++, panel += 32) {
    const left = v128.load(panel)
    const right = v128.load(panel, 16)
    let x = v128.load32_splat(a0)
    c00 = f32x4.add(c00, f32x4.mul(x, left))
    c01 = f32x4.add(c01, f32x4.mul(x, right))
    x = v128.load32_splat(a1)
    c10 = f32x4.add(c10, f32x4.mul(x, left))
    c11 = f32x4.add(c11, f32x4.mul(x, right))
    x = v128.load32_splat(a2)
    c20 = f32x4.add(c20, f32x4.mul(x, left))
    c21 = f32x4.add(c21, f32x4.mul(x, right))
    x = v128.load32_splat(a3)
    c30 = f32x4.add(c30, f32x4.mul(x, left))
    c31 = f32x4.add(c31, f32x4.mul(x, right))
    a0 += step
    a1 += step
    a2 += step
    a3 += step
  }
  const line = <usize>n * F
  storeColumns(out, c00, c01, columns)
  storeColumns(out + line, c10, c11, columns)
  storeColumns(out + 2 * line, c20, c21, columns)
  storeColumns(out + 3 * line, c30, c31, columns)
}

// @ts-ignore: decorator
@inline
function oneRow(a: usize, panel: usize, out: usize, k: i32, columns: i32, aColumn: i32): void {
  const step = <usize>aColumn * F
  let c0 = f32x4.splat(0), c1 = f32x4.splat(0)
  for (let p = 0; p < k; p++, panel += 32, a += step) {
    const x = v128.load32_splat(a)
    c0 = f32x4.add(c0, f32x4.mul(x, v128.load(panel)))
    c1 = f32x4.add(c1, f32x4.mul(x, v128.load(panel, 16)))
  }
  storeColumns(out, c0, c1, columns)
}

/** The first `columns` of eight values. */
function storeColumns(out: usize, left: v128, right: v128, columns: i32): void {
  if (columns == 8) {
    v128.store(out, left)
    v128.store(out, right, 16)
    return
  }
  if (columns >= 4) v128.store(out, left)
  else {
    if (columns > 0) store<f32>(out, f32x4.extract_lane(left, 0))
    if (columns > 1) store<f32>(out, f32x4.extract_lane(left, 1), 4)
    if (columns > 2) store<f32>(out, f32x4.extract_lane(left, 2), 8)
    return
  }
  if (columns > 4) store<f32>(out, f32x4.extract_lane(right, 0), 16)
  if (columns > 5) store<f32>(out, f32x4.extract_lane(right, 1), 20)
  if (columns > 6) store<f32>(out, f32x4.extract_lane(right, 2), 24)
}

/** e^x to within two units in the last place; 0 below −87, about 2e38 above 88. */
// @ts-ignore: decorator
@inline
function exponential(x: v128): v128 {
  const inside = f32x4.min(f32x4.max(x, f32x4.splat(-87)), f32x4.splat(88))
  // x = n·ln 2 + r with |r| ≤ ln(2)/2, the logarithm in two parts; then a polynomial in r (Cephes)
  const n = f32x4.nearest(f32x4.mul(inside, f32x4.splat(1.4426950408889634)))
  const r = f32x4.sub(f32x4.sub(inside, f32x4.mul(n, f32x4.splat(0.693359375))), f32x4.mul(n, f32x4.splat(-2.12194440e-4)))
  let p = f32x4.splat(1.9875691500e-4)
  p = f32x4.add(f32x4.mul(p, r), f32x4.splat(1.3981999507e-3))
  p = f32x4.add(f32x4.mul(p, r), f32x4.splat(8.3334519073e-3))
  p = f32x4.add(f32x4.mul(p, r), f32x4.splat(4.1665795894e-2))
  p = f32x4.add(f32x4.mul(p, r), f32x4.splat(1.6666665459e-1))
  p = f32x4.add(f32x4.mul(p, r), f32x4.splat(5.0000001201e-1))
  p = f32x4.add(f32x4.add(f32x4.mul(f32x4.mul(p, r), r), r), f32x4.splat(1))
  const power = i32x4.shl(i32x4.add(i32x4.trunc_sat_f32x4_s(n), i32x4.splat(127)), 23)
  return f32x4.mul(p, power)
}

// @ts-ignore: decorator
@inline
function sigmoid(x: v128): v128 {
  return f32x4.div(f32x4.splat(1), f32x4.add(f32x4.splat(1), exponential(f32x4.neg(x))))
}

/** Φ(x) of the normal distribution, to 1e-7 (Abramowitz and Stegun, 7.1.26); `bell` is e^(−x²/2). */
// @ts-ignore: decorator
@inline
function normalBelow(x: v128, bell: v128): v128 {
  const size = f32x4.mul(f32x4.abs(x), f32x4.splat(0.7071067811865476))
  const t = f32x4.div(f32x4.splat(1), f32x4.add(f32x4.splat(1), f32x4.mul(size, f32x4.splat(0.3275911))))
  let p = f32x4.splat(1.061405429)
  p = f32x4.add(f32x4.mul(p, t), f32x4.splat(-1.453152027))
  p = f32x4.add(f32x4.mul(p, t), f32x4.splat(1.421413741))
  p = f32x4.add(f32x4.mul(p, t), f32x4.splat(-0.284496736))
  p = f32x4.add(f32x4.mul(p, t), f32x4.splat(0.254829592))
  const above = f32x4.mul(f32x4.mul(f32x4.mul(p, t), bell), f32x4.splat(0.5))
  return v128.bitselect(f32x4.sub(f32x4.splat(1), above), above, f32x4.gt(x, f32x4.splat(0)))
}

/** Twice √(2/π)·(x + 0.044715·x³): the tanh form of the Gaussian unit is x·σ of it. */
// @ts-ignore: decorator
@inline
function doubledCubic(x: v128): v128 {
  const inner = f32x4.add(f32x4.mul(f32x4.mul(x, x), f32x4.splat(0.044715)), f32x4.splat(1))
  return f32x4.mul(f32x4.mul(x, inner), f32x4.splat(1.5957691216057308))
}

// @ts-ignore: decorator
@inline
function bellOf(x: v128): v128 {
  return exponential(f32x4.mul(f32x4.mul(x, x), f32x4.splat(-0.5)))
}

/** What x is multiplied with. Kinds: 0 Gaussian, 1 its tanh form, 2 x·σ(x), 3 hard swish. */
// @ts-ignore: decorator
@inline
function gateOf(kind: i32, x: v128): v128 {
  if (kind == 0) return normalBelow(x, bellOf(x))
  if (kind == 1) return sigmoid(doubledCubic(x))
  if (kind == 2) return sigmoid(x)
  const line = f32x4.min(f32x4.max(f32x4.add(x, f32x4.splat(3)), f32x4.splat(0)), f32x4.splat(6))
  return f32x4.mul(line, f32x4.splat(0.16666667))
}

/** gate + x·gate'. */
// @ts-ignore: decorator
@inline
function slopeOf(kind: i32, x: v128): v128 {
  if (kind == 0) {
    const bell = bellOf(x)
    return f32x4.add(normalBelow(x, bell), f32x4.mul(f32x4.mul(x, bell), f32x4.splat(0.3989422804014327)))
  }
  if (kind == 3) {
    const inside = v128.and(f32x4.ge(x, f32x4.splat(-3)), f32x4.le(x, f32x4.splat(3)))
    return f32x4.add(gateOf(3, x), v128.and(f32x4.mul(x, f32x4.splat(0.16666667)), inside))
  }
  // with e = e^−u: σ(u) = 1/(1 + e), and 1 − σ(u) = e·σ(u) without cancellation
  const e = exponential(f32x4.neg(kind == 1 ? doubledCubic(x) : x))
  const s = f32x4.div(f32x4.splat(1), f32x4.add(f32x4.splat(1), e))
  let bend = f32x4.mul(f32x4.mul(x, s), f32x4.mul(e, s))
  if (kind == 1) {
    const inner = f32x4.add(f32x4.mul(f32x4.mul(x, x), f32x4.splat(0.134145)), f32x4.splat(1))
    bend = f32x4.mul(bend, f32x4.mul(inner, f32x4.splat(1.5957691216057308)))
  }
  return f32x4.add(s, bend)
}

// @ts-ignore: decorator
@inline
function gateAll(kind: i32, x: usize, out: usize, end: usize): void {
  let i: usize = 0
  for (; i + 16 <= end; i += 16) {
    const value = v128.load(x + i)
    v128.store(out + i, f32x4.mul(value, gateOf(kind, value)))
  }
  for (; i < end; i += F) {
    const value = v128.load32_splat(x + i)
    store<f32>(out + i, f32x4.extract_lane(f32x4.mul(value, gateOf(kind, value)), 0))
  }
}

// @ts-ignore: decorator
@inline
function gateAllGradients(kind: i32, dy: usize, x: usize, out: usize, end: usize): void {
  let i: usize = 0
  for (; i + 16 <= end; i += 16) v128.store(out + i, f32x4.mul(v128.load(dy + i), slopeOf(kind, v128.load(x + i))))
  for (; i < end; i += F) store<f32>(out + i, load<f32>(dy + i) * f32x4.extract_lane(slopeOf(kind, v128.load32_splat(x + i)), 0))
}

/** out = x · gate(x); see `gateOf` for the kinds. */
export function gated(kind: i32, x: usize, out: usize, n: usize): void {
  if (kind == 0) gateAll(0, x, out, n * F)
  else if (kind == 1) gateAll(1, x, out, n * F)
  else if (kind == 2) gateAll(2, x, out, n * F)
  else gateAll(3, x, out, n * F)
}

/** out = dy · d(x · gate(x))/dx. */
export function gatedGradient(kind: i32, dy: usize, x: usize, out: usize, n: usize): void {
  if (kind == 0) gateAllGradients(0, dy, x, out, n * F)
  else if (kind == 1) gateAllGradients(1, dy, x, out, n * F)
  else if (kind == 2) gateAllGradients(2, dy, x, out, n * F)
  else gateAllGradients(3, dy, x, out, n * F)
}

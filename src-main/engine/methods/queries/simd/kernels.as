// Masks in their small form laid over an image, and sums over enlarged masks, in AssemblyScript with SIMD, compiled by
// scripts/build/simd.js to binary.ts. Every `usize` is a pointer: to float32 values where nothing else is said. All else is a count,
// a size or an index, not a number of bytes. Rooms are rounded up to whole vectors, so elementwise kernels need no tail: what lies
// there is never read.

// @ts-ignore: decorator
@inline const F: usize = 4
// @ts-ignore: decorator
@inline const D: usize = 8

/**
 * Cells [cellsHeight, cellsWidth] enlarged by interpolation: out[y, x] lies between two rows and two columns of cells.
 * @param rows of each output row the first of its two cells (int32); `columns` likewise
 * @param rowShares what the second one counts; `columnShares` likewise
 * @param between room for cellsHeight·width
 */
export function enlarge(
  cells: usize, cellsHeight: i32, cellsWidth: i32, rows: usize, rowShares: usize, columns: usize, columnShares: usize,
  between: usize, out: usize, height: i32, width: i32,
): void {
  const pitch = <usize>width * F
  // One cell alone has no second.
  const right: usize = cellsWidth > 1 ? F : 0
  let to = between
  for (let y = 0; y < cellsHeight; y++, cells += <usize>cellsWidth * F) {
    for (let x: usize = 0; x < pitch; x += F, to += F) {
      const from = cells + <usize>load<i32>(columns + x) * F
      const a = load<f32>(from)
      store<f32>(to, a + load<f32>(columnShares + x) * (load<f32>(from + right) - a))
    }
  }
  const below: usize = cellsHeight > 1 ? pitch : 0
  for (let y: usize = 0; y < <usize>height * F; y += F, out += pitch) {
    const row = between + <usize>load<i32>(rows + y) * pitch
    const part = load<f32>(rowShares + y)
    const part4 = f32x4.splat(part)
    let x: usize = 0
    for (; x + 16 <= pitch; x += 16) {
      const a = v128.load(row + x)
      v128.store(out + x, f32x4.add(a, f32x4.mul(part4, f32x4.sub(v128.load(row + below + x), a))))
    }
    for (; x < pitch; x += F) {
      const a = load<f32>(row + x)
      store<f32>(out + x, a + part * (load<f32>(row + below + x) - a))
    }
  }
}

/** out[i] = values[labels[i]]; labels int32. */
export function spread(labels: usize, values: usize, out: usize, n: usize): void {
  for (let i: usize = 0; i < n * F; i += F) store<f32>(out + i, load<f32>(values + <usize>load<i32>(labels + i) * F))
}

/** out = fill + kept·(image − fill), kept = base + sign·mask, for each pixel. */
export function compose(image: usize, mask: usize, fill: usize, out: usize, pixels: i32, channels: i32, base: f32, sign: f32): void {
  let k = 0
  const base4 = f32x4.splat(base)
  const sign4 = f32x4.splat(sign)
  if (channels == 3) {
    for (; k + 4 <= pixels; k += 4, mask += 16, image += 48, fill += 48, out += 48) {
      const kept = f32x4.add(base4, f32x4.mul(sign4, v128.load(mask)))
      blend(image, fill, out, v128.shuffle<f32>(kept, kept, 0, 0, 0, 1))
      blend(image + 16, fill + 16, out + 16, v128.shuffle<f32>(kept, kept, 1, 1, 2, 2))
      blend(image + 32, fill + 32, out + 32, v128.shuffle<f32>(kept, kept, 2, 3, 3, 3))
    }
  } else if (channels == 1) {
    for (; k + 4 <= pixels; k += 4, mask += 16, image += 16, fill += 16, out += 16) {
      blend(image, fill, out, f32x4.add(base4, f32x4.mul(sign4, v128.load(mask))))
    }
  }
  for (; k < pixels; k++, mask += F) {
    const kept = base + sign * load<f32>(mask)
    for (let c = 0; c < channels; c++, image += F, fill += F, out += F) {
      const behind = load<f32>(fill)
      store<f32>(out, behind + kept * (load<f32>(image) - behind))
    }
  }
}

// @ts-ignore: decorator
@inline
function blend(image: usize, fill: usize, out: usize, kept: v128): void {
  const behind = v128.load(fill)
  v128.store(out, f32x4.add(behind, f32x4.mul(kept, f32x4.sub(v128.load(image), behind))))
}

/** The image with a box of it replaced by the fill, or the fill with a box of the image: the box lies within, `pitch` values a row. */
export function box(outside: usize, inside: usize, out: usize, height: i32, pitch: i32, top: i32, bottom: i32, left: i32, right: i32): void {
  const row = <usize>pitch * F
  memory.copy(out, outside, <usize>height * row)
  const from = <usize>left * F
  for (let y = <usize>top; y < <usize>bottom; y++) memory.copy(out + y * row + from, inside + y * row + from, <usize>(right - left) * F)
}

/**
 * What a weight per mask gathers, pixel by pixel, all float64: five planes of `n` sums, of m, m·w, m², m²·w and m²·w², m the mask.
 */
export function gather(mask: usize, weight: f64, sums: usize, n: usize): void {
  const plane = n * D
  const w = f64x2.splat(weight)
  let i: usize = 0
  for (; i + 2 <= n; i += 2, mask += 8, sums += 16) {
    const m = f64x2.promote_low_f32x4(v128.load64_zero(mask))
    const mw = f64x2.mul(m, w)
    add(sums, m)
    add(sums + plane, mw)
    add(sums + 2 * plane, f64x2.mul(m, m))
    add(sums + 3 * plane, f64x2.mul(m, mw))
    add(sums + 4 * plane, f64x2.mul(mw, mw))
  }
  for (; i < n; i++, mask += F, sums += D) {
    const m = <f64>load<f32>(mask)
    const mw = m * weight
    store<f64>(sums, load<f64>(sums) + m)
    store<f64>(sums + plane, load<f64>(sums + plane) + mw)
    store<f64>(sums + 2 * plane, load<f64>(sums + 2 * plane) + m * m)
    store<f64>(sums + 3 * plane, load<f64>(sums + 3 * plane) + m * mw)
    store<f64>(sums + 4 * plane, load<f64>(sums + 4 * plane) + mw * mw)
  }
}

// @ts-ignore: decorator
@inline
function add(to: usize, values: v128): void {
  v128.store(to, f64x2.add(v128.load(to), values))
}

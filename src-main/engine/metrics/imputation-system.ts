/**
 * The system of equations of ROAD's imputation: row by row it reads Σw·x − Σw·x_neighbour = 0 over the neighbours inside the image,
 * which is symmetric and positive, so conjugate gradients solve it. They start from the solution of the same system at half the size and
 * are preconditioned by one cycle over all sizes, so that nothing need be carried far: some ten rounds for any size.
 */
export interface System {
  height: number
  width: number
  /** 1 where a pixel is sought, 0 where it is known; with a border of one pixel of zeros around it. */
  sought: Uint8Array
  /** Sum of the weights of the neighbours inside the image, with the same border. */
  diagonal: Float64Array
  /** For each row the first place that is sought and the place after the last, in the bordered array; equal where there is none. */
  spans: Int32Array
  count: number
  /** Room for one bordered array. */
  scratch: Float64Array
  /** At half the size; null where it would be too small, or everything is known there. */
  coarse: System | null
}

const beside = 1 / 6
const corner = 1 / 12
/** Below this many pixels on the shorter side there is no coarser system. */
const smallest = 8

/** @param removed 1 where a pixel is sought, H·W; not everywhere */
export function createSystem(removed: Uint8Array, height: number, width: number): System {
  const row = width + 2
  const sought = new Uint8Array(row * (height + 2))
  const diagonal = new Float64Array(sought.length)
  const spans = new Int32Array(2 * height)
  let count = 0
  for (let y = 0; y < height; y++) {
    const down = (y > 0 ? 1 : 0) + (y < height - 1 ? 1 : 0)
    let [first, last] = [0, 0]
    for (let x = 0; x < width; x++) {
      const across = (x > 0 ? 1 : 0) + (x < width - 1 ? 1 : 0)
      const i = (y + 1) * row + x + 1
      diagonal[i] = beside * (down + across) + corner * down * across
      if (removed[y * width + x] !== 1) continue
      sought[i] = 1
      count++
      if (last === 0) first = i
      last = i + 1
    }
    spans[2 * y] = first
    spans[2 * y + 1] = last
  }
  return { height, width, sought, diagonal, spans, count, scratch: new Float64Array(sought.length), coarse: coarser(removed, height, width) }
}

/** A coarse pixel is known where one of its four is. */
function coarser(removed: Uint8Array, height: number, width: number): System | null {
  if (Math.min(height, width) < 2 * smallest) return null
  const [h, w] = [Math.ceil(height / 2), Math.ceil(width / 2)]
  const out = new Uint8Array(h * w).fill(1)
  removed.forEach((gone, i) => {
    if (gone !== 1) out[(Math.floor(i / width) >> 1) * w + ((i % width) >> 1)] = 0
  })
  return out.includes(1) ? createSystem(out, h, w) : null
}

/**
 * In place: the pixels that are sought are computed, whatever they held.
 * @param plane H·W
 * @param tolerance root mean square of the residual
 */
export function solve(system: System, plane: Float64Array, tolerance: number): void {
  guess(system, plane)
  const { height, width, sought, spans, count } = system
  const row = width + 2
  const x = new Float64Array(sought.length)
  for (let y = 0; y < height; y++) x.set(plane.subarray(y * width, (y + 1) * width), (y + 1) * row + 1)
  const residual = new Float64Array(sought.length)
  const product = new Float64Array(sought.length)
  const relaxed = new Float64Array(sought.length)
  // Of known pixels, too: they stand on the right-hand side.
  apply(system, x, product)
  for (let s = 0; s < spans.length; s += 2) for (let i = spans[s]!; i < spans[s + 1]!; i++) residual[i] = -sought[i]! * product[i]!
  relax(system, residual, relaxed)
  const direction = relaxed.slice()
  let along = dot(spans, residual, relaxed)
  const enough = count * tolerance ** 2
  for (let round = 0; round < 1000 && dot(spans, residual, residual) > enough; round++) {
    apply(system, direction, product)
    const step = along / dot(spans, direction, product)
    for (let s = 0; s < spans.length; s += 2) {
      for (let i = spans[s]!; i < spans[s + 1]!; i++) {
        x[i]! += step * direction[i]!
        residual[i] = sought[i]! * (residual[i]! - step * product[i]!)
      }
    }
    relax(system, residual, relaxed)
    const next = dot(spans, residual, relaxed)
    const keep = next / along
    for (let s = 0; s < spans.length; s += 2) for (let i = spans[s]!; i < spans[s + 1]!; i++) direction[i] = relaxed[i]! + keep * direction[i]!
    along = next
  }
  for (let y = 0; y < height; y++) {
    for (let k = 0; k < width; k++) if (sought[(y + 1) * row + k + 1] === 1) plane[y * width + k] = x[(y + 1) * row + k + 1]!
  }
}

/** Of a damped step towards the mean of the neighbours. */
const damping = 0.8
/** Steps where there is nothing coarser. */
const sweeps = 12

/**
 * One cycle from fine to coarse and back, which takes away error of every width: the preconditioner of the conjugate gradients. It is
 * symmetric, as it must be: what it does on the way up mirrors what it does on the way down.
 * @param right the right-hand side, bordered
 * @param out overwritten
 */
function relax(system: System, right: Float64Array, out: Float64Array): void {
  const { diagonal, spans, sought, coarse, scratch } = system
  for (let s = 0; s < spans.length; s += 2) for (let i = spans[s]!; i < spans[s + 1]!; i++) out[i] = (damping * right[i]!) / diagonal[i]!
  for (let k = 0; k < (coarse ? 0 : sweeps); k++) smooth(system, right, out)
  if (!coarse) return
  apply(system, out, scratch)
  for (let s = 0; s < spans.length; s += 2) for (let i = spans[s]!; i < spans[s + 1]!; i++) scratch[i] = sought[i]! * (right[i]! - scratch[i]!)
  const [small, answer] = [new Float64Array(coarse.sought.length), new Float64Array(coarse.sought.length)]
  gatherTo(system, coarse, scratch, small)
  relax(coarse, small, answer)
  spreadFrom(system, coarse, answer, out)
  smooth(system, right, out)
}

function smooth(system: System, right: Float64Array, out: Float64Array): void {
  const { diagonal, spans, sought, scratch } = system
  apply(system, out, scratch)
  for (let s = 0; s < spans.length; s += 2) {
    for (let i = spans[s]!; i < spans[s + 1]!; i++) out[i]! += (sought[i]! * damping * (right[i]! - scratch[i]!)) / diagonal[i]!
  }
}

/** Adds the bilinear enlargement, where a pixel is sought; the nearer coarse pixel has 3/4 in either direction. */
function spreadFrom({ height, width, spans, sought }: System, { width: w }: System, small: Float64Array, out: Float64Array): void {
  const [row, line] = [width + 2, w + 2]
  for (let y = 0; y < height; y++) {
    const base = (y + 1) * row + 1
    const near = ((y >> 1) + 1) * line + 1
    const far = near + (y % 2 === 0 ? -line : line)
    for (let i = spans[2 * y]!; i < spans[2 * y + 1]!; i++) {
      const x = i - base
      const u = x >> 1
      const t = u + (x % 2 === 0 ? -1 : 1)
      out[i]! += (sought[i]! * (9 * small[near + u]! + 3 * (small[far + u]! + small[near + t]!) + small[far + t]!)) / 16
    }
  }
}

/** Its adjoint; coarse pixels that are known get nothing. */
function gatherTo({ height, width, spans }: System, { width: w, sought: wanted }: System, fine: Float64Array, small: Float64Array): void {
  const [row, line] = [width + 2, w + 2]
  for (let y = 0; y < height; y++) {
    const base = (y + 1) * row + 1
    const near = ((y >> 1) + 1) * line + 1
    const far = near + (y % 2 === 0 ? -line : line)
    for (let i = spans[2 * y]!; i < spans[2 * y + 1]!; i++) {
      const x = i - base
      const u = x >> 1
      const t = u + (x % 2 === 0 ? -1 : 1)
      const value = fine[i]! / 16
      small[near + u]! += 9 * value
      small[far + u]! += 3 * value
      small[near + t]! += 3 * value
      small[far + t]! += value
    }
  }
  for (let k = 0; k < small.length; k++) if (wanted[k] === 0) small[k] = 0
}

/** What the search starts from: the solution at half the size, or the mean of what is known. */
function guess({ height, width, sought, coarse }: System, plane: Float64Array): void {
  const row = width + 2
  const known = (y: number, x: number): boolean => sought[(y + 1) * row + x + 1] === 0
  if (!coarse) {
    let sum = 0
    let count = 0
    for (let y = 0; y < height; y++) {
      for (let x = 0; x < width; x++) {
        if (!known(y, x)) continue
        sum += plane[y * width + x]!
        count++
      }
    }
    for (let y = 0; y < height; y++) for (let x = 0; x < width; x++) if (!known(y, x)) plane[y * width + x] = sum / count
    return
  }
  const small = new Float64Array(coarse.height * coarse.width)
  const counts = new Uint8Array(small.length)
  for (let y = 0; y < height; y++) {
    for (let x = 0; x < width; x++) {
      if (!known(y, x)) continue
      const k = (y >> 1) * coarse.width + (x >> 1)
      small[k]! += plane[y * width + x]!
      counts[k]!++
    }
  }
  for (let k = 0; k < small.length; k++) if (counts[k]! > 0) small[k]! /= counts[k]!
  solve(coarse, small, 1e-4)
  for (let y = 0; y < height; y++) {
    for (let x = 0; x < width; x++) if (!known(y, x)) plane[y * width + x] = between(small, coarse, y, x)
  }
}

/** Bilinear, with half-pixel centres. */
function between(small: Float64Array, { height, width }: System, y: number, x: number): number {
  // The nearer coarse pixel has 3/4 in either direction.
  const [v, u] = [y >> 1, x >> 1]
  const w = Math.min(height - 1, Math.max(0, v + (y % 2 === 0 ? -1 : 1)))
  const t = Math.min(width - 1, Math.max(0, u + (x % 2 === 0 ? -1 : 1)))
  return (9 * small[v * width + u]! + 3 * small[w * width + u]! + 3 * small[v * width + t]! + small[w * width + t]!) / 16
}

/** Σw·x − Σw·x_neighbour where a pixel is sought; what lies outside the image is 0 in `x`. */
function apply({ width, diagonal, spans }: System, x: Float64Array, out: Float64Array): void {
  const row = width + 2
  for (let s = 0; s < spans.length; s += 2) {
    for (let i = spans[s]!; i < spans[s + 1]!; i++) {
      const sides = x[i - 1]! + x[i + 1]! + x[i - row]! + x[i + row]!
      const corners = x[i - row - 1]! + x[i - row + 1]! + x[i + row - 1]! + x[i + row + 1]!
      out[i] = diagonal[i]! * x[i]! - beside * sides - corner * corners
    }
  }
}

function dot(spans: Int32Array, a: Float64Array, b: Float64Array): number {
  let sum = 0
  for (let s = 0; s < spans.length; s += 2) for (let i = spans[s]!; i < spans[s + 1]!; i++) sum += a[i]! * b[i]!
  return sum
}

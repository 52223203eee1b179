import { transpose } from '#shared/imaging/banded.ts'
import { interpolationMatrix } from '#shared/imaging/interpolation.ts'
import { applyFast } from '../masks/separable.ts'

/**
 * Masks of a fixed smallest size of detail: every place of a lattice over the image takes the smooth maximum of the parameters
 * around it, each damped by its distance, v_k = m_k·exp(−2·max(0, d_k/σ − ½)²) and m = Σ v·e^{cv} / Σ e^{cv}. The parameters
 * lie over the image; the lattice reaches past it by a margin, so that what spills over the border is counted, too, and a place
 * at the border costs what one in the middle costs.
 */
export interface SmoothMax {
  /** How many parameters. */
  parameters: number
  /** Of the lattice with its margin. */
  height: number
  width: number
  /** Of the part over the image: its size, or less where it is large; a lattice finer than the grid of parameters adds little. */
  inner: { height: number; width: number }
  /** Room for what `apply` leaves for the way back. */
  createTrace(): SmoothMaxTrace
  /** Mask on the lattice, in [0, 1] for parameters in [0, 1]. */
  apply(parameters: Float32Array, trace?: SmoothMaxTrace): Float32Array
  /** @param mask and @param trace what `apply` gave @param gradient with respect to the mask @returns with respect to the parameters */
  pullBack(parameters: Float32Array, mask: Float32Array, trace: SmoothMaxTrace, gradient: Float32Array): Float32Array
  /** The part over the image. */
  crop(mask: Float32Array): Float32Array
  /** That part at the image's size, and the way back to the whole lattice. */
  enlarge(mask: Float32Array): Float32Array
  shrink(gradient: Float32Array): Float32Array
}

export interface SmoothMaxTrace {
  /** e^{cv} of each damped parameter. */
  weights: Float64Array
  /** Their sum around each place. */
  totals: Float64Array
}

/** The published lengths in pixels at 224; they scale with the image. */
export interface SmoothMaxOptions {
  /** Between parameters. */
  step: number
  sigma: number
  margin: number
  /** c */
  coldness: number
}

const latticeSize = 32
/** Past this many σ a parameter counts for less than 5% of itself and is left out. */
const reach = 1.75

export function createSmoothMax(image: { height: number; width: number }, options: SmoothMaxOptions): SmoothMax {
  const { coldness } = options
  const shorter = Math.min(image.height, image.width)
  const scale = shorter / 224
  const [step, sigma, margin] = [options.step * scale, options.sigma * scale, options.margin * scale]
  const pitch = Math.max(1, shorter / latticeSize)
  const inner = { height: Math.round(image.height / pitch), width: Math.round(image.width / pitch) }
  const around = Math.ceil(margin / pitch)
  const [height, width] = [inner.height + 2 * around, inner.width + 2 * around]
  const [rows, columns] = [Math.ceil(image.height / step), Math.ceil(image.width / step)]
  const place = (index: number, count: number, size: number): number => size / 2 + (index + 0.5 - count / 2) * step
  const { first, pairs, cells, damping } = neighbourhoods()
  const up = [interpolationMatrix(inner.height, image.height), interpolationMatrix(inner.width, image.width)] as const
  const down = [transpose(up[0]), transpose(up[1])] as const
  const same = inner.height === image.height && inner.width === image.width

  /**
   * For every place of the lattice the damped parameters around it, pairs[first[i]] to pairs[first[i + 1] − 1]: the parameter cells[t]
   * times damping[t]. Many places see a parameter from the same distance, and share the exponential of it.
   */
  function neighbourhoods(): { first: Int32Array; pairs: Int32Array; cells: Int32Array; damping: Float64Array } {
    const first = new Int32Array(height * width + 1)
    const pairs: number[] = []
    const cells: number[] = []
    const damping: number[] = []
    const known = new Map<string, number>()
    for (let i = 0; i < height * width; i++) {
      const y = ((Math.floor(i / width) - around + 0.5) * image.height) / inner.height
      const x = (((i % width) - around + 0.5) * image.width) / inner.width
      for (let r = 0; r < rows; r++) {
        const dy = place(r, rows, image.height) - y
        if (Math.abs(dy) > reach * sigma) continue
        for (let c = 0; c < columns; c++) {
          const distance = Math.hypot(dy, place(c, columns, image.width) - x) / sigma
          if (distance > reach) continue
          const damped = Math.exp(-2 * Math.max(0, distance - 0.5) ** 2)
          // Equal but for rounding is equal.
          const key = `${r * columns + c} ${damped.toFixed(12)}`
          let term = known.get(key)
          if (term === undefined) {
            known.set(key, (term = cells.length))
            cells.push(r * columns + c)
            damping.push(damped)
          }
          pairs.push(term)
        }
      }
      first[i + 1] = pairs.length
    }
    return { first, pairs: Int32Array.from(pairs), cells: Int32Array.from(cells), damping: Float64Array.from(damping) }
  }

  const createTrace = (): SmoothMaxTrace => ({ weights: new Float64Array(cells.length), totals: new Float64Array(height * width) })

  return {
    parameters: rows * columns, height, width, inner, crop, createTrace,
    apply(parameters, { weights, totals } = createTrace()) {
      const weighted = new Float64Array(cells.length)
      for (let t = 0; t < cells.length; t++) {
        const value = damping[t]! * parameters[cells[t]!]!
        weights[t] = value === 0 ? 1 : Math.exp(coldness * value)
        weighted[t] = weights[t]! * value
      }
      const out = new Float32Array(height * width)
      for (let i = 0; i < out.length; i++) {
        const end = first[i + 1]!
        let total = 0
        let sum = 0
        for (let k = first[i]!; k < end; k++) {
          const term = pairs[k]!
          total += weights[term]!
          sum += weighted[term]!
        }
        totals[i] = total
        // Far out in the margin there may be nothing around.
        if (total > 0) out[i] = sum / total
      }
      return out
    },
    pullBack(parameters, mask, { weights, totals }, gradient) {
      // With p = w/Σw of a place, dm/dv = p·(1 + c·(v − m)); summed over places first, so that each damped parameter counts once.
      const slopes = new Float64Array(cells.length)
      const slopesByMask = new Float64Array(cells.length)
      for (let i = 0; i < mask.length; i++) {
        if (gradient[i] === 0 || totals[i] === 0) continue
        const slope = gradient[i]! / totals[i]!
        const byMask = slope * mask[i]!
        const end = first[i + 1]!
        for (let k = first[i]!; k < end; k++) {
          const term = pairs[k]!
          slopes[term]! += slope
          slopesByMask[term]! += byMask
        }
      }
      const out = new Float64Array(rows * columns)
      for (let t = 0; t < cells.length; t++) {
        const cell = cells[t]!
        const value = damping[t]! * parameters[cell]!
        out[cell]! += damping[t]! * weights[t]! * ((1 + coldness * value) * slopes[t]! - coldness * slopesByMask[t]!)
      }
      return Float32Array.from(out)
    },
    enlarge: (mask) => (same ? crop(mask) : applyFast(up[0], up[1], crop(mask))),
    shrink(gradient) {
      const small = same ? gradient : applyFast(down[0], down[1], gradient)
      const out = new Float32Array(height * width)
      for (let y = 0; y < inner.height; y++) out.set(small.subarray(y * inner.width, (y + 1) * inner.width), (y + around) * width + around)
      return out
    },
  }

  function crop(mask: Float32Array): Float32Array {
    const out = new Float32Array(inner.height * inner.width)
    for (let y = 0; y < inner.height; y++) {
      const from = (y + around) * width + around
      out.set(mask.subarray(from, from + inner.width), y * inner.width)
    }
    return out
  }
}

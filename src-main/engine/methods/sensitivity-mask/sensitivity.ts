/**
 * How the classifier reacts to each cell of a mask: the running mean ḡ of signed estimates of ∂worth/∂m, its standard error
 * se, and s = sqrt(max(0, max(0, ḡ)² − se²)): what of a helpful slope stands out of its noise. Estimates come with weights,
 * because one that was made by hardly moving a cell says little of it.
 */
export interface Sensitivity {
  /** @param weights of each estimate; all 1 where left out */
  add(slopes: Float32Array, weights?: Float32Array): void
  /** Sums over the steps, to be read together with those of other restarts. */
  readonly sums: SensitivitySums
}

export interface SensitivitySums {
  steps: number
  /** Σw, Σw·g, Σw², Σw²·g, Σw²·g² of each cell. */
  w: Float64Array
  wg: Float64Array
  ww: Float64Array
  wwg: Float64Array
  wwgg: Float64Array
}

export function createSensitivity(length: number): Sensitivity {
  const sums: SensitivitySums = {
    steps: 0,
    w: new Float64Array(length), wg: new Float64Array(length),
    ww: new Float64Array(length), wwg: new Float64Array(length), wwgg: new Float64Array(length),
  }
  return {
    sums,
    add(slopes, weights) {
      sums.steps++
      for (let i = 0; i < length; i++) {
        const weight = weights ? weights[i]! : 1
        const slope = slopes[i]!
        sums.w[i]! += weight
        sums.wg[i]! += weight * slope
        sums.ww[i]! += weight * weight
        sums.wwg[i]! += weight * weight * slope
        sums.wwgg[i]! += weight * weight * slope * slope
      }
    },
  }
}

export interface SensitivityMaps {
  /** s */
  sensitivity: Float32Array
  /** se; 0 after a single step, when it is not known. */
  error: Float32Array
}

/**
 * s and se of all restarts together. The error is that of a weighted mean, Σw²(g − ḡ)²/(Σw)², times n/(n − 1) for n steps.
 */
export function readSensitivity(all: readonly SensitivitySums[]): SensitivityMaps {
  const length = all[0]!.w.length
  const steps = all.reduce((sum, { steps }) => sum + steps, 0)
  const correction = steps > 1 ? steps / (steps - 1) : 0
  const sensitivity = new Float32Array(length)
  const error = new Float32Array(length)
  for (let i = 0; i < length; i++) {
    let [w, wg, ww, wwg, wwgg] = [0, 0, 0, 0, 0]
    for (const sums of all) {
      w += sums.w[i]!
      wg += sums.wg[i]!
      ww += sums.ww[i]!
      wwg += sums.wwg[i]!
      wwgg += sums.wwgg[i]!
    }
    if (w === 0) continue
    const mean = wg / w
    const variance = (correction * Math.max(0, wwgg - 2 * mean * wwg + mean * mean * ww)) / (w * w)
    error[i] = Math.sqrt(variance)
    sensitivity[i] = Math.sqrt(Math.max(0, Math.max(0, mean) ** 2 - variance))
  }
  return { sensitivity, error }
}

/** *Weigh*: the price of each cell's area, clip(1/(½ + s/mean s), ¼, 2) rescaled to mean 1: what matters is cheap. */
export function pricesOf(sensitivity: Float32Array): Float32Array {
  const scale = meanOf(sensitivity)
  if (scale === 0) return new Float32Array(sensitivity.length).fill(1)
  const prices = sensitivity.map((s) => clip(1 / (0.5 + s / scale), 0.25, 2))
  const mean = meanOf(prices)
  return prices.map((price) => price / mean)
}

/** *Localise*: the factor of each cell's step, clip(s/mean s, ½, 2): what matters moves faster. */
export function factorsOf(sensitivity: Float32Array): Float32Array {
  const scale = meanOf(sensitivity)
  return sensitivity.map((s) => (scale === 0 ? 1 : clip(s / scale, 0.5, 2)))
}

function meanOf(values: Float32Array): number {
  return values.reduce((sum, value) => sum + value, 0) / values.length
}

function clip(value: number, low: number, high: number): number {
  return Math.min(high, Math.max(low, value))
}

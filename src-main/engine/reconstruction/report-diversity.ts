import type { RealImages } from './report-subjects.ts'

/** How much the real images differ, pixel by pixel. A value is one channel of one pixel. */
export interface RealSpread {
  /** 1 for values that are not the same in all images. */
  varying: Uint8Array
  /** Standard deviations within each class, one per value; null where a class has fewer than two images. */
  ofClass: readonly (Float32Array | null)[]
}

/** Mean standard deviations, of values in [0, 1]; NaN where there is no such pixel. */
export interface Spread {
  /** Of one input's samples, where its mask is below ½. */
  outside: number
  /** Of the same samples, where it is not. */
  inside: number
  /** Of the real images of the class, outside. */
  outsideReal: number
  /** Of the real images of the class, inside. */
  insideReal: number
}

/** @param values per image */
export function realSpread({ images, classes }: RealImages, values: number, classCount: number): RealSpread {
  const varying = new Uint8Array(values)
  const sums = Array.from({ length: classCount }, () => new Float64Array(values))
  const squares = Array.from({ length: classCount }, () => new Float64Array(values))
  const counts = new Int32Array(classCount)
  for (let i = 0; i < classes.length; i++) {
    const own = classes[i]!
    const at = i * values
    for (let v = 0; v < values; v++) if (images[at + v] !== images[v]) varying[v] = 1
    if (own < 0 || own >= classCount) continue
    counts[own]!++
    const [sum, square] = [sums[own]!, squares[own]!]
    for (let v = 0; v < values; v++) {
      const value = images[at + v]!
      sum[v]! += value
      square[v]! += value * value
    }
  }
  const ofClass = Array.from(counts, (count, own) => {
    if (count < 2) return null
    const [sum, square] = [sums[own]!, squares[own]!]
    return Float32Array.from({ length: values }, (_, v) => Math.sqrt(Math.max(0, square[v]! - sum[v]! ** 2 / count) / (count - 1)) / 255)
  })
  return { varying, ofClass }
}

/**
 * The spread of samples of *one* input: those of several inputs together would show how much the inputs differ.
 * @param samples [count, values], count ≥ 2
 * @param mask [values / channels]
 * @param real of the input's class; null where it is not known
 */
export function sampleSpread(samples: Float32Array, count: number, mask: Float32Array, varying: Uint8Array, real: Float32Array | null): Spread {
  const values = varying.length
  const channels = values / mask.length
  const sums = { outside: 0, inside: 0, outsideReal: 0, insideReal: 0 }
  let [outside, inside] = [0, 0]
  for (let v = 0; v < values; v++) {
    if (varying[v] === 0) continue
    const deviation = deviationAt(samples, count, values, v)
    if (mask[Math.floor(v / channels)]! < 0.5) {
      outside++
      sums.outside += deviation
      sums.outsideReal += real ? real[v]! : NaN
    } else {
      inside++
      sums.inside += deviation
      sums.insideReal += real ? real[v]! : NaN
    }
  }
  const mean = (sum: number, n: number): number => (n === 0 ? NaN : sum / n)
  return { outside: mean(sums.outside, outside), inside: mean(sums.inside, inside), outsideReal: mean(sums.outsideReal, outside), insideReal: mean(sums.insideReal, inside) }
}

/** With n − 1 below. */
function deviationAt(samples: Float32Array, count: number, values: number, v: number): number {
  let mean = 0
  for (let k = 0; k < count; k++) mean += samples[k * values + v]!
  mean /= count
  let sum = 0
  for (let k = 0; k < count; k++) sum += (samples[k * values + v]! - mean) ** 2
  return Math.sqrt(sum / (count - 1))
}

/** Means over inputs. An input without such pixels on one side counts nowhere on that side. */
export function meanSpread(spreads: readonly Spread[]): Spread {
  const mean = (of: (spread: Spread) => number): number => {
    const known = spreads.map(of).filter(Number.isFinite)
    return known.length === 0 ? NaN : known.reduce((sum, value) => sum + value, 0) / known.length
  }
  return { outside: mean((s) => s.outside), inside: mean((s) => s.inside), outsideReal: mean((s) => s.outsideReal), insideReal: mean((s) => s.insideReal) }
}

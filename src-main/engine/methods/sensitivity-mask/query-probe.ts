import { compose } from '../masks/compose.ts'
import { drawPlacement, sidesOf } from '../masks/sides.ts'
import { createSmoothing } from '../masks/smoothing.ts'
import { probabilityOf, regularise, worth } from './objective.ts'
import { meanLosses, type Losses, type Probe, type ProbeContext } from './probe.ts'

/**
 * An evolution strategy: pairs of opposite smooth perturbations of u, each pair over its own fill and placement. The
 * direction comes from the centred ranks of the objective, which no outlier can pull; the slopes of the cells from
 * the raw differences, Σ Δworth·Δm / Σ Δm².
 */
export function createQueryProbe(context: ProbeContext): Probe {
  const { frame, image, aim, parametrisation, noises, growth } = context
  const { pairs, mode } = context.settings()
  const sides = sidesOf(mode)
  const draw = smoothNoise(parametrisation.height, parametrisation.width, context.noiseSmoothing)
  let perturbations: Float32Array[] = []
  /** The masks of the step, + and − of each pair in turn. */
  let masks: Float32Array[] = []

  return {
    images: 2 * pairs * sides.length,
    scores: null,
    compose(u, out) {
      const { deviation, shift, growth: radius } = context.settings()
      const v = parametrisation.smooth(u)
      perturbations = []
      masks = []
      let written = 0
      for (let p = 0; p < pairs; p++) {
        const perturbation = draw(() => noises.normal())
        const moved = parametrisation.smooth(perturbation)
        perturbations.push(perturbation)
        const place = drawPlacement(context.placements, shift)
        const fill = context.fill.next()
        growth.next(radius)
        for (const sign of [deviation, -deviation]) {
          const own = parametrisation.squash(besides(v, sign, moved))
          masks.push(own)
          const mask = parametrisation.enlarge(growth.show(own))
          for (const side of sides) compose(frame, image, mask, fill, side, place, out.subarray(written, (written += image.length)))
        }
      }
    },
    read(rows) {
      const values = masks.map((_, k) => sides.reduce((sum, side, j) => sum + worth(rows[k * sides.length + j]!, side, aim) / sides.length, 0))
      const costs = context.costs()
      const losses: Losses[] = masks.map((mask, k) => {
        const terms = regularise(mask, costs)
        return {
          prediction: -values[k]!, ...terms, total: terms.area + terms.variation - values[k]!, probability: probabilityOf(rows[k * sides.length]!, aim),
        }
      })
      const ranks = centredRanks(losses.map(({ total }) => total))
      const direction = new Float32Array(parametrisation.height * parametrisation.width)
      perturbations.forEach((perturbation, p) => {
        const pull = (ranks[2 * p]! - ranks[2 * p + 1]!) / pairs
        for (let i = 0; i < direction.length; i++) direction[i]! += pull * perturbation[i]!
      })
      return { direction, ...slopesOf(values, masks), losses: meanLosses(losses), reacted: values.some((value) => value !== values[0]) }
    },
  }
}

/** Gaussian noise of standard deviation 1 in the middle of the map, smoothed. */
export function smoothNoise(height: number, width: number, smoothing: number): (normal: () => number) => Float32Array {
  const length = height * width
  const gaussian = createSmoothing(height, width, smoothing)
  const middle = new Float32Array(length)
  middle[Math.floor(height / 2) * width + Math.floor(width / 2)] = 1
  const unit = 1 / Math.sqrt(gaussian.adjoint(middle).reduce((sum, weight) => sum + weight * weight, 0))
  // Loops here and in `besides`: drawing and moving masks through closures took as long as a quarter of the classifier's answers.
  return (normal) => {
    const drawn = new Float32Array(length)
    for (let i = 0; i < length; i++) drawn[i] = normal()
    const smooth = gaussian.apply(drawn)
    for (let i = 0; i < length; i++) smooth[i]! *= unit
    return smooth
  }
}

/** v + sign·moved. */
function besides(v: Float32Array, sign: number, moved: Float32Array): Float32Array {
  const sum = new Float32Array(v.length)
  for (let i = 0; i < v.length; i++) sum[i] = v[i]! + sign * moved[i]!
  return sum
}

/** Ranks from −½ (the lowest) to ½; equal values share the mean of their ranks. */
export function centredRanks(values: readonly number[]): Float64Array {
  const order = values.map((_, i) => i).sort((a, b) => values[a]! - values[b]!)
  const ranks = new Float64Array(values.length)
  for (let from = 0; from < order.length; ) {
    let to = from
    while (to < order.length && values[order[to]!] === values[order[from]!]) to++
    const rank = (from + to - 1) / 2 / Math.max(1, order.length - 1) - 0.5
    for (let k = from; k < to; k++) ranks[order[k]!] = rank
    from = to
  }
  return ranks
}

/** ΣΔworth·Δm/ΣΔm² over the pairs; the estimate of a cell counts by ΣΔm², by how far it was moved. */
function slopesOf(values: readonly number[], masks: readonly Float32Array[]): { slopes: Float32Array; weights: Float32Array } {
  const length = masks[0]!.length
  const slopes = new Float32Array(length)
  const weights = new Float32Array(length)
  for (let k = 0; k < masks.length; k += 2) {
    const difference = values[k]! - values[k + 1]!
    const [up, down] = [masks[k]!, masks[k + 1]!]
    for (let i = 0; i < length; i++) {
      const step = up[i]! - down[i]!
      slopes[i]! += difference * step
      weights[i]! += step * step
    }
  }
  for (let i = 0; i < length; i++) slopes[i] = weights[i] === 0 ? 0 : slopes[i]! / weights[i]!
  return { slopes, weights }
}

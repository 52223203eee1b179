import type { GeneratorDescription } from '#shared/domain/reconstruction.ts'
import type { Generator } from './generator.ts'
import { weighted } from './salient.ts'
import { pickBatch, type TrainingSet } from './training-set.ts'

const chunk = 256

/**
 * Mean and standard deviation, per dimension, of latents sampled from the posteriors of each class: the class prior. A class without
 * images has the standard normal.
 */
export async function describeClasses(generator: Generator, set: TrainingSet): Promise<Pick<GeneratorDescription, 'classMeans' | 'classSpreads'>> {
  const { classes, settings: { latent } } = generator.description
  const counts = new Array<number>(classes).fill(0)
  const zeros = (): Float64Array[] => Array.from({ length: classes }, () => new Float64Array(latent))
  const sums = zeros()
  const squares = zeros()
  for (let from = 0; from < set.count; from += chunk) {
    const { images, masks, outcomes } = pickBatch(set, Array.from({ length: Math.min(chunk, set.count - from) }, (_, i) => from + i))
    const { mean, logVariance } = await generator.encode(weighted(images, masks), outcomes)
    outcomes.forEach((outcome, i) => {
      counts[outcome]!++
      for (let k = 0; k < latent; k++) {
        const m = mean[i * latent + k]!
        sums[outcome]![k]! += m
        squares[outcome]![k]! += m * m + Math.exp(logVariance[i * latent + k]!)
      }
    })
  }
  const means = sums.map((sum, c) => Array.from(sum, (value) => (counts[c]! > 0 ? value / counts[c]! : 0)))
  const spreads = squares.map((sum, c) => Array.from(sum, (value, k) => (counts[c]! > 0 ? Math.sqrt(Math.max(0, value / counts[c]! - means[c]![k]! ** 2)) : 1)))
  return { classMeans: means.map((row) => row.map(Math.fround)), classSpreads: spreads.map((row) => row.map(Math.fround)) }
}

import type { Random } from '#shared/random/random.ts'
import type { Posteriors } from './generator.ts'

/**
 * mean + temperature·σ·ε with standard normal ε.
 * @param temperature 0 gives the means, without drawing
 * @param each samples per input
 * @returns [inputs, each, latent]
 */
export function samplePosterior({ mean, logVariance }: Posteriors, latent: number, temperature: number, random: Random, each = 1): Float32Array {
  const inputs = mean.length / latent
  const out = new Float32Array(inputs * each * latent)
  for (let i = 0, at = 0; i < inputs; i++) {
    for (let s = 0; s < each; s++) {
      for (let k = i * latent; k < (i + 1) * latent; k++, at++) {
        out[at] = mean[k]! + (temperature === 0 ? 0 : temperature * Math.exp(logVariance[k]! / 2) * random.normal())
      }
    }
  }
  return out
}

/** Standard normal numbers. */
export function normals(count: number, random: Random): Float32Array {
  return Float32Array.from({ length: count }, () => random.normal())
}

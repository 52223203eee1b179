/**
 * What a report asks, and of what. Images are NHWC in [0, 1] of the generator's size, one after the other; whoever answers may cut
 * them into smaller batches.
 */
export interface ReportSubjects {
  /** Of the latent vectors. */
  latent: number
  /** The class is given to the generator too. */
  conditional: boolean
  /**
   * Salient inputs into the posteriors of their latent vectors.
   * @param salient images × masks
   * @param masks [n, height, width] in [0, 1]
   * @param classes of each, where the generator is conditional
   */
  encode(salient: Float32Array, masks: Float32Array, classes: Int32Array | null): Promise<Posteriors>
  /** Latent vectors [n, latent] into whole images. */
  decode(latents: Float32Array, classes: Int32Array | null): Promise<Float32Array>
  /** The class that the explained classifier gives to each image. */
  classify(images: Float32Array): Promise<Int32Array>
  /** The same of a classifier that was in no loss; null where there is none. */
  judge: ((images: Float32Array) => Promise<Int32Array>) | null
}

/** Diagonal Gaussians, [n, latent] each. */
export interface Posteriors {
  mean: Float32Array
  logVariance: Float32Array
}

/** Images that the generator never saw, with their masks as they were prepared for it. */
export interface TestInputs {
  /** [n, height, width, channels] */
  images: Float32Array
  /** [n, height, width] in [0, 1] */
  masks: Float32Array
  /** The clean predictions of the explained classifier, on the images as it sees them. */
  outcomes: Int32Array
  /** Those of the judge; null where there is none. */
  judged: Int32Array | null
  /** True classes, −1 where one is not known. */
  labels: Int32Array
}

/** Whole images as bytes, 255 for 1, with a class each, −1 where it is not known. */
export interface RealImages {
  /** [n, height, width, channels] */
  images: Uint8Array
  classes: Int32Array
}

export interface ReportData {
  height: number
  width: number
  channels: number
  /** How many classes there are. */
  classes: number
  test: TestInputs
  /** Half A, which the generator was trained on; where true classes are not known, with the clean predictions. */
  seen: RealImages
  /** Half B, as large, of the same source, which the generator never saw. */
  unseen: RealImages
}

export interface ReportSettings {
  seed: number
  /** Of one input. */
  samples: number
  /** Besides 1, which is always there. */
  temperatures: readonly number[]
  /** So many inputs are asked at the other temperatures; all of them at 1. */
  curveImages: number
}

export const reportDefaults: Omit<ReportSettings, 'seed'> = { samples: 16, temperatures: [0, 0.25, 0.5, 0.75, 1, 1.25, 1.5, 2], curveImages: 250 }

/** @returns the salient inputs: each image weighted by its mask */
export function weighted(images: Float32Array, masks: Float32Array, channels: number): Float32Array {
  const salient = new Float32Array(images.length)
  for (let i = 0; i < images.length; i++) salient[i] = images[i]! * masks[Math.floor(i / channels)]!
  return salient
}

/** Latent vectors drawn around posteriors, [n·samples, latent], those of one posterior together. @param noise standard normal, as long */
export function drawn({ mean, logVariance }: Posteriors, noise: Float32Array, temperature: number, latent: number, samples: number): Float32Array {
  const latents = new Float32Array(mean.length * samples)
  for (let i = 0; i < latents.length; i++) {
    const at = Math.floor(i / (samples * latent)) * latent + (i % latent)
    latents[i] = mean[at]! + temperature * Math.exp(logVariance[at]! / 2) * noise[i]!
  }
  return latents
}

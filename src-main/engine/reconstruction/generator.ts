import type { GeneratorDescription, GeneratorSettings } from '#shared/domain/reconstruction.ts'

/** Normal distributions with independent dimensions, one per input. */
export interface Posteriors {
  /** [count, latent] */
  mean: Float32Array
  /** [count, latent] */
  logVariance: Float32Array
}

/** A trained generator. Pictures are at its own size; it is not told the masks, only what they leave. */
export interface Generator {
  readonly settings: GeneratorSettings
  readonly description: GeneratorDescription
  /**
   * @param salient [count, height, width, channels]: images in [0, 1] times their prepared masks (salient.ts)
   * @param classes one per image; needed by a conditional generator, ignored by others
   */
  encode(salient: Float32Array, classes?: ArrayLike<number> | null): Promise<Posteriors>
  /**
   * @param latents [count, latent]
   * @param classes as for `encode`
   * @returns [count, height, width, channels] in [0, 1]
   */
  decode(latents: Float32Array, classes?: ArrayLike<number> | null): Promise<Float32Array>
  dispose(): void
}

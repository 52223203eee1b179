import type { GeneratorDescription, GeneratorSettings } from '#shared/domain/reconstruction.ts'

/** Normal distributions with independent dimensions, one per input. */
export interface Posteriors {
  /** [count, latent] */
  mean: Float32Array
  /** [count, latent] */
  logVariance: Float32Array
}

/** A trained generator. Pictures are at its own size, masks are prepared (`prepareMasks` of salient.ts). */
export interface Generator {
  readonly settings: GeneratorSettings
  readonly description: GeneratorDescription
  /**
   * @param images [count, height, width, channels] in [0, 1]
   * @param masks prepared, [count, height, width]
   * @param classes one per image; needed by a conditional generator, ignored by others
   */
  encode(images: Float32Array, masks: Float32Array, classes?: ArrayLike<number>): Promise<Posteriors>
  /**
   * @param latents [count, latent]
   * @param classes as for `encode`
   * @returns [count, height, width, channels] in [0, 1]
   */
  decode(latents: Float32Array, classes?: ArrayLike<number>): Promise<Float32Array>
  dispose(): void
}

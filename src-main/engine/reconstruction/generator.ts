import { setImmediate as nextTurn } from 'node:timers/promises'
import { tensor, tidy, type Tensor } from '@tensorflow/tfjs-core'
import type { LayersModel } from '@tensorflow/tfjs-layers'
import { MaskscopeError } from '#shared/domain/errors.ts'
import type { GeneratorDescription, GeneratorFiles, GeneratorSettings } from '#shared/domain/reconstruction.ts'
import { classCode } from './class-code.ts'
import { fromFiles } from './files.ts'

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

/** Pixels that go through a network at once, of all channels. */
const valuesPerCall = 64 * 64 * 64

/** @throws MaskscopeError 'input' where the files are no generator's */
export async function loadGenerator({ encoder, decoder, description }: GeneratorFiles): Promise<Generator> {
  const into = await fromFiles(encoder, 'encoder')
  const outOf = await fromFiles(decoder, 'decoder')
  return generatorOf(into, outOf, description)
}

/** The generator that these networks make; it disposes of them. */
export function generatorOf(encoder: LayersModel, decoder: LayersModel, description: GeneratorDescription): Generator {
  const { settings, classes: known } = description
  const { size: { height, width, channels }, latent, conditional } = settings
  const values = height * width * channels
  const perCall = Math.max(1, Math.floor(valuesPerCall / values))

  /** Between the parts messages are read, a cancellation among them. */
  async function inParts(count: number, inputs: (from: number, to: number) => Tensor[], network: LayersModel, take: (answers: Tensor[], from: number) => void): Promise<void> {
    for (let from = 0; from < count; from += perCall) {
      const to = Math.min(count, from + perCall)
      tidy(() => {
        const answer = network.predict(inputs(from, to))
        take(Array.isArray(answer) ? answer : [answer], from)
      })
      await nextTurn()
    }
  }

  function told(classes: ArrayLike<number> | null | undefined, count: number): (from: number, to: number) => Tensor[] {
    if (!conditional) return () => []
    if (!classes || classes.length !== count) {
      throw new MaskscopeError('usage', 'This generator is class-conditional: it must be told the class of each picture.', { subject: 'classes' })
    }
    return (from, to) => [classCode(Array.from({ length: to - from }, (_, k) => classes[from + k]!), known)]
  }

  return {
    settings,
    description,
    async encode(salient, classes) {
      const count = wholeCount(salient.length, values, 'salient input')
      const also = told(classes, count)
      const mean = new Float32Array(count * latent)
      const logVariance = new Float32Array(count * latent)
      await inParts(count, (from, to) => [tensor(salient.subarray(from * values, to * values), [to - from, height, width, channels]), ...also(from, to)], encoder, ([m, v], from) => {
        mean.set(m!.dataSync(), from * latent)
        logVariance.set(v!.dataSync(), from * latent)
      })
      return { mean, logVariance }
    },
    async decode(latents, classes) {
      const count = wholeCount(latents.length, latent, 'latent')
      const also = told(classes, count)
      const pictures = new Float32Array(count * values)
      await inParts(count, (from, to) => [tensor(latents.subarray(from * latent, to * latent), [to - from, latent]), ...also(from, to)], decoder, ([picture], from) => {
        pictures.set(picture!.dataSync(), from * values)
      })
      return pictures
    },
    dispose() {
      encoder.dispose()
      decoder.dispose()
    },
  }
}

function wholeCount(length: number, each: number, what: string): number {
  if (length % each !== 0) throw new MaskscopeError('usage', `A ${what} of this generator has ${each} numbers, and ${length} were given.`, { subject: what })
  return length / each
}

import { setImmediate as nextTurn } from 'node:timers/promises'
import { MaskscopeError } from '#shared/domain/errors.ts'
import type { ClassView, ClassViewRequest, PictureStack, SalientSet, VariationSet } from '#shared/domain/reconstruction.ts'
import type { Classifier } from '../classifier/classifier.ts'
import { viewClass } from './class-view.ts'
import type { Generator } from './generator.ts'
import type { BareReport } from './report-tables.ts'
import { reportOn, type ReportWork } from './report-work.ts'
import { fitSet, weighted } from './salient.ts'
import { vary, type VaryWork } from './variations.ts'

/** What a trained generator is asked. */
export type GenerateWork =
  /** The posteriors of salient inputs. */
  | { kind: 'encode'; set: SalientSet }
  /** `latents` [count, latent]; `classes` one each for a conditional generator. */
  | { kind: 'decode'; latents: Float32Array; classes?: Int32Array }
  | ({ kind: 'vary' } & VaryWork)
  | { kind: 'class-view'; set: SalientSet; request: ClassViewRequest }
  | ({ kind: 'report' } & ReportWork)

export type GenerateResult =
  | { kind: 'encode'; /** [count, latent] */ mean: Float32Array; logVariance: Float32Array }
  | { kind: 'decode'; pictures: PictureStack }
  | { kind: 'vary'; variations: VariationSet }
  | { kind: 'class-view'; view: ClassView }
  | { kind: 'report'; report: BareReport }

/** How far long work is. */
export interface GenerateProgress {
  done: number
  all: number
}

export interface GenerateHands {
  generator: Generator
  /** The explained one. */
  classifier: Classifier
  judge: Classifier | null
  signal: AbortSignal
  tell(progress: GenerateProgress): void
}

/** @throws MaskscopeError 'usage' naming the field, 'cancelled' */
export async function generate(work: GenerateWork, hands: GenerateHands): Promise<GenerateResult> {
  const { generator, classifier, signal, tell } = hands
  switch (work.kind) {
    case 'encode': {
      const { images, masks, outcomes } = fitSet(work.set, generator.settings)
      return { kind: 'encode', ...(await generator.encode(weighted(images, masks), outcomes)) }
    }
    case 'decode': {
      const { settings: { size, latent } } = generator
      return { kind: 'decode', pictures: { ...size, count: work.latents.length / latent, data: await generator.decode(work.latents, work.classes) } }
    }
    case 'vary':
      return { kind: 'vary', variations: await vary(work, generator, classifier) }
    case 'class-view':
      return {
        kind: 'class-view',
        view: await viewClass(work.set, work.request, generator, classifier, async (done, all) => {
          tell({ done, all })
          // Messages, `cancel` among them, are read between turns of the event loop only.
          await nextTurn()
          if (signal.aborted) throw new MaskscopeError('cancelled', 'The class view was cancelled.')
        }),
      }
    case 'report':
      return { kind: 'report', report: await reportOn(work, hands) }
  }
}

import { MaskscopeError } from '#shared/domain/errors.ts'
import type { PictureSize, SalientSet } from '#shared/domain/reconstruction.ts'
import type { Classifier } from '../classifier/classifier.ts'
import { joined } from '../graph/joined.ts'
import { classifyAll } from '../methods/masks/calls.ts'
import type { Generator } from './generator.ts'
import type { RealImages, ReportData, ReportSettings, ReportSubjects } from './report-subjects.ts'
import type { BareReport } from './report-tables.ts'
import { makeReport, type ReportStep } from './report.ts'
import { createResampler } from './resampling.ts'
import { fitImages, fitSet } from './salient.ts'

/** Images at the size of the classifier's input, with a class each, −1 where it is not known. */
export interface RealSet extends PictureSize {
  count: number
  /** [count, height, width, channels]; floats in [0, 1], or bytes from 0 to 255. */
  images: Uint8Array | Float32Array
  classes: Int32Array
}

/** What a report is made of, as it is sent to a worker. */
export interface ReportWork {
  /** Images that the generator never saw. */
  test: SalientSet
  /** The judge's clean predictions of them; null where there is no judge. */
  judged: Int32Array | null
  /** Half A, which the generator was trained on. */
  seen: RealSet
  /** Half B, which it never saw. */
  unseen: RealSet
  settings: ReportSettings
}

interface Hands {
  generator: Generator
  classifier: Classifier
  judge: Classifier | null
  signal: AbortSignal
  tell(progress: ReportStep): void
}

/** Images that a generator encodes or decodes at once. */
const atOnce = 256

/** The report of a generator that is loaded. @throws MaskscopeError 'usage', 'cancelled' */
export async function reportOn({ test, judged, seen, unseen, settings }: ReportWork, { generator, classifier, judge, signal, tell }: Hands): Promise<BareReport> {
  const { size, conditional, latent } = generator.settings
  if (judge && judge.info.input.channels !== size.channels) {
    throw new MaskscopeError('usage', `The judge takes images of ${judge.info.input.channels} channels and the generator makes ${size.channels}; choose another judge.`, { subject: 'judge' })
  }
  const fitted = fitSet(test, generator.settings)
  const data: ReportData = {
    height: size.height, width: size.width, channels: size.channels, classes: classifier.info.classes,
    test: { images: fitted.images, masks: fitted.masks, outcomes: test.outcomes, judged, labels: test.labels ?? new Int32Array(test.count).fill(-1) },
    seen: fitReal(seen, size), unseen: fitReal(unseen, size),
  }
  const values = size.height * size.width * size.channels
  const subjects: ReportSubjects = {
    latent, conditional,
    async encode(salient, _masks, classes) {
      const parts = await inParts(salient.length / values, (from, to) => generator.encode(salient.subarray(from * values, to * values), classes?.subarray(from, to) ?? null))
      return { mean: joined(parts.map(({ mean }) => mean)), logVariance: joined(parts.map(({ logVariance }) => logVariance)) }
    },
    async decode(latents, classes) {
      return joined(await inParts(latents.length / latent, (from, to) => generator.decode(latents.subarray(from * latent, to * latent), classes?.subarray(from, to) ?? null)))
    },
    classify: (images) => topClasses(classifier, images, size),
    judge: judge && ((images) => topClasses(judge, images, size)),
  }
  const steps = makeReport(subjects, data, settings, signal)
  for (;;) {
    const step = await steps.next()
    if (step.done) return step.value
    tell(step.value)
  }
}

/** @param images of the generator's size */
async function topClasses(classifier: Classifier, images: Float32Array, size: PictureSize): Promise<Int32Array> {
  const { input } = classifier.info
  const count = images.length / (size.height * size.width * size.channels)
  const rows = await classifyAll(classifier, input, createResampler(size, input).apply(images, size.channels), count)
  return Int32Array.from(rows, (logits) => logits.indexOf(Math.max(...logits)))
}

function fitReal(set: RealSet, size: PictureSize): RealImages {
  const { images, classes } = set
  const same = set.height === size.height && set.width === size.width && set.channels === size.channels
  if (same && images instanceof Uint8Array) return { images, classes }
  const values = set.height * set.width * set.channels
  const fitted = new Uint8Array(set.count * size.height * size.width * size.channels)
  // Large sets are not turned into floats at once.
  for (let from = 0; from < set.count; from += atOnce) {
    const count = Math.min(atOnce, set.count - from)
    const part = fitImages(images.subarray(from * values, (from + count) * values), set, size)
    fitted.set(Uint8Array.from(part, (value) => Math.round(255 * Math.min(1, Math.max(0, value)))), from * size.height * size.width * size.channels)
  }
  return { images: fitted, classes }
}

async function inParts<T>(count: number, part: (from: number, to: number) => Promise<T>): Promise<T[]> {
  const parts: T[] = []
  for (let from = 0; from < count; from += atOnce) parts.push(await part(from, Math.min(count, from + atOnce)))
  return parts
}

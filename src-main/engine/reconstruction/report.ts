import { setImmediate as nextTurn } from 'node:timers/promises'
import { MaskscopeError } from '#shared/domain/errors.ts'
import type { ReportControls } from '#shared/domain/reconstruction.ts'
import { createRandom } from '#shared/random/random.ts'
import { emptyInput, maskInput, randomInput, realOfClass, salientColour, swapPartners, type ControlInput } from './report-controls.ts'
import { realSpread, sampleSpread, type RealSpread, type Spread } from './report-diversity.ts'
import { nearerToSeen } from './report-memorising.ts'
import { drawn, weighted, type ReportData, type ReportSettings, type ReportSubjects } from './report-subjects.ts'
import { summarise, type BareReport } from './report-tables.ts'

export interface ReportStep {
  /** Inputs. */
  done: number
  all: number
}

/** What is known of each input, one value per input; NaN where there is none. Shares are of 0 and 1, or between. */
export interface InputFindings {
  /** What the explained classifier sees in the reconstruction. */
  seen: number[]
  /** What the judge sees in it; −1 where there is no judge. */
  judged: number[]
  /** Controls, by the explained classifier and by the judge. */
  controls: Record<ControlName, { explained: number[]; judge: number[] }>
  /** By temperature: the share of the input's samples that keep the outcome, and their spread. */
  curve: { temperature: number; accepted: number[]; spread: Spread[] }[]
  nearer: number[]
}

export const controlNames: readonly ControlName[] = ['empty', 'randomMask', 'swapped', 'maskAlone', 'salientUndecoded', 'randomOfClass']
export type ControlName = keyof ReportControls

/** Inputs that are asked together. */
const batch = 32

/**
 * Judges a generator: by what two classifiers make of its reconstructions, and by the same of inputs that hold nothing, or something
 * else. docs/reconstruction.md says what each number is. Each input draws from its own streams, so that batches change nothing.
 * @throws MaskscopeError 'usage' where something is missing, 'cancelled'
 */
export async function* makeReport(subjects: ReportSubjects, data: ReportData, settings: ReportSettings, signal: AbortSignal): AsyncGenerator<ReportStep, BareReport> {
  const { test, seen, unseen } = data
  const all = test.outcomes.length
  const values = data.height * data.width * data.channels
  requireSense(data, values)
  const half = Math.min(seen.classes.length, unseen.classes.length) * values
  const context: Context = {
    subjects, data, settings, values,
    spread: realSpread(seen, values, data.classes), colour: salientColour(test.images, test.masks, data.channels),
    partners: swapPartners(test.outcomes, createRandom(settings.seed, 'report-swap')),
    real: realOfClass(seen.classes, test.outcomes, createRandom(settings.seed, 'report-real')),
  }
  const findings = noFindings([...new Set([...settings.temperatures, 1])].sort((a, b) => a - b))
  for (let from = 0; from < all; from += batch) {
    const indices = Array.from({ length: Math.min(batch, all - from) }, (_, k) => from + k)
    const first = await askSamples(context, findings, indices)
    await askControls(context, findings, indices)
    for (let k = 0; k < indices.length; k++) {
      findings.nearer.push(nearerToSeen(first.subarray(k * values, (k + 1) * values), seen.images.subarray(0, half), unseen.images.subarray(0, half)))
      // Messages, `cancel` among them, are read between turns of the event loop only.
      await nextTurn()
      if (signal.aborted) throw new MaskscopeError('cancelled', 'The report was cancelled.')
    }
    yield { done: from + indices.length, all }
  }
  return summarise(findings, data, settings.seed)
}

interface Context {
  subjects: ReportSubjects
  data: ReportData
  settings: ReportSettings
  /** Of one image. */
  values: number
  spread: RealSpread
  colour: readonly number[]
  partners: Int32Array
  real: Int32Array
}

/** The samples of each input at every temperature. @returns the first of each at temperature 1: the reconstructions */
async function askSamples({ subjects, data, settings, values, spread }: Context, findings: InputFindings, indices: readonly number[]): Promise<Float32Array> {
  const { images, masks, outcomes } = pickTest(data, indices)
  const posteriors = await subjects.encode(weighted(images, masks, data.channels), masks, subjects.conditional ? outcomes : null)
  const noise = noiseOf(indices, subjects.latent, settings)
  const first = new Float32Array(images.length)
  for (const { temperature, accepted, spread: spreads } of findings.curve) {
    const asked = temperature === 1 ? indices.length : indices.filter((i) => i < settings.curveImages).length
    if (asked === 0) continue
    // Without noise all samples are one.
    const samples = temperature === 0 ? 1 : settings.samples
    const some = { mean: posteriors.mean.subarray(0, asked * subjects.latent), logVariance: posteriors.logVariance.subarray(0, asked * subjects.latent) }
    const latents = drawn(some, samples === 1 ? everyNth(noise, subjects.latent, settings.samples) : noise, temperature, subjects.latent, samples)
    const decoded = await subjects.decode(latents, subjects.conditional ? repeated(outcomes.subarray(0, asked), samples) : null)
    const classes = await subjects.classify(decoded)
    const pixels = data.height * data.width
    for (let k = 0; k < asked; k++) {
      const own = classes.subarray(k * samples, (k + 1) * samples)
      accepted.push(own.reduce((sum, found) => sum + (found === outcomes[k] ? 1 : 0), 0) / samples)
      const real = spread.ofClass[outcomes[k]!] ?? null
      if (samples > 1) spreads.push(sampleSpread(decoded.subarray(k * samples * values, (k + 1) * samples * values), samples, masks.subarray(k * pixels, (k + 1) * pixels), spread.varying, real))
      if (temperature !== 1) continue
      findings.seen.push(own[0]!)
      first.set(decoded.subarray(k * samples * values, (k * samples + 1) * values), k * values)
    }
  }
  findings.judged.push(...(subjects.judge ? await subjects.judge(first) : indices.map(() => -1)))
  return first
}

async function askControls(context: Context, findings: InputFindings, indices: readonly number[]): Promise<void> {
  const { subjects, data, settings, values, colour, partners, real } = context
  const { images, masks, outcomes } = pickTest(data, indices)

  /** One sample of each, drawn with the noise of the reconstruction. */
  async function decoded({ salient, masks: given }: ControlInput): Promise<Float32Array> {
    const classes = subjects.conditional ? outcomes : null
    const noise = everyNth(noiseOf(indices, subjects.latent, settings), subjects.latent, settings.samples)
    return subjects.decode(drawn(await subjects.encode(salient, given, classes), noise, 1, subjects.latent, 1), classes)
  }

  /** @param wanted the class that counts, −1 where the control cannot be made */
  async function count(name: ControlName, shown: Float32Array, wanted: Int32Array): Promise<void> {
    const share = (found: Int32Array): number[] => Array.from(found, (own, k) => (wanted[k] === -1 ? NaN : own === wanted[k] ? 1 : 0))
    findings.controls[name].explained.push(...share(await subjects.classify(shown)))
    if (subjects.judge) findings.controls[name].judge.push(...share(await subjects.judge(shown)))
  }

  await count('empty', await decoded(emptyInput(images, data.channels)), outcomes)
  await count('randomMask', await decoded(randomInput(images, masks, data, (k) => createRandom(settings.seed, 'report-mask', indices[k]!))), outcomes)
  await count('maskAlone', await decoded(maskInput(masks, colour)), outcomes)
  await count('salientUndecoded', weighted(images, masks, data.channels), outcomes)
  const sources = indices.map((i) => (partners[i]! < 0 ? i : partners[i]!))
  const others = pickTest(data, sources)
  const followed = Int32Array.from(others.outcomes, (outcome, k) => (partners[indices[k]!]! < 0 ? -1 : outcome))
  await count('swapped', await decoded({ salient: weighted(others.images, others.masks, data.channels), masks: others.masks }), followed)
  const shown = new Float32Array(indices.length * values)
  indices.forEach((i, k) => {
    const at = real[i]! * values
    if (at >= 0) shown.set(Float32Array.from(data.seen.images.subarray(at, at + values), (byte) => byte / 255), k * values)
  })
  await count('randomOfClass', shown, outcomes.map((outcome, k) => (real[indices[k]!]! < 0 ? -1 : outcome)))
}

function pickTest({ test, height, width, channels }: ReportData, indices: readonly number[]): { images: Float32Array; masks: Float32Array; outcomes: Int32Array } {
  const pixels = height * width
  const images = new Float32Array(indices.length * pixels * channels)
  const masks = new Float32Array(indices.length * pixels)
  indices.forEach((i, k) => {
    images.set(test.images.subarray(i * pixels * channels, (i + 1) * pixels * channels), k * pixels * channels)
    masks.set(test.masks.subarray(i * pixels, (i + 1) * pixels), k * pixels)
  })
  return { images, masks, outcomes: Int32Array.from(indices, (i) => test.outcomes[i]!) }
}

/** [inputs, samples, latent], the same at every temperature. */
function noiseOf(indices: readonly number[], latent: number, { seed, samples }: ReportSettings): Float32Array {
  const noise = new Float32Array(indices.length * samples * latent)
  indices.forEach((i, k) => {
    const random = createRandom(seed, 'report-sample', i)
    for (let v = 0; v < samples * latent; v++) noise[k * samples * latent + v] = random.normal()
  })
  return noise
}

/** The first of each input's vectors. */
function everyNth(noise: Float32Array, latent: number, samples: number): Float32Array {
  return Float32Array.from({ length: noise.length / samples }, (_, v) => noise[Math.floor(v / latent) * samples * latent + (v % latent)]!)
}

function repeated(values: Int32Array, times: number): Int32Array {
  return Int32Array.from({ length: values.length * times }, (_, i) => values[Math.floor(i / times)]!)
}

function noFindings(temperatures: readonly number[]): InputFindings {
  const controls = Object.fromEntries(controlNames.map((name) => [name, { explained: [], judge: [] }])) as unknown as InputFindings['controls']
  return { seen: [], judged: [], controls, curve: temperatures.map((temperature) => ({ temperature, accepted: [], spread: [] })), nearer: [] }
}

function requireSense({ height, width, test, seen, unseen }: ReportData, values: number): void {
  const wrong = (what: string): MaskscopeError => new MaskscopeError('usage', what)
  if (test.outcomes.length === 0) throw wrong('The report has no test images; ask for at least one.')
  if (test.images.length !== test.outcomes.length * values || test.masks.length !== test.outcomes.length * height * width) throw new RangeError('Test images, masks and outcomes do not fit each other.')
  if (Math.min(seen.classes.length, unseen.classes.length) === 0) throw wrong('The report needs images that the generator was trained on, and others that it never saw; the data set is too small.')
}

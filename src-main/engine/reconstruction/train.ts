import { MaskscopeError } from '#shared/domain/errors.ts'
import type {
  GeneratorFiles, GeneratorLosses, GeneratorSettings, SalientSet, TrainingCheckpoint, TrainingNews, TrainingSamples,
} from '#shared/domain/reconstruction.ts'
import { createRandom } from '#shared/random/random.ts'
import type { Classifier } from '../classifier/classifier.ts'
import { adamStep, createAdamState, type AdamState } from './adam.ts'
import { describeClasses } from './class-statistics.ts'
import { toFiles } from './files.ts'
import { generatorOf, type Generator } from './generator.ts'
import { buildNetworks, disposeNetworks, drawWeights, putWeights, weightsOf, type Networks } from './networks.ts'
import { normals, samplePosterior } from './sampling.ts'
import { weighted } from './salient.ts'
import { lossAndGradient, lossOf, type StepSubject } from './step.ts'
import { checkTraining } from './training-checks.ts'
import { fingerprintOf, packSet, pickBatch, type TrainingSet } from './training-set.ts'

export interface TrainingTask {
  settings: GeneratorSettings
  set: SalientSet
  /** Measured after every epoch, never trained on. */
  validation: SalientSet | null
  /** To go on from. */
  checkpoint: TrainingCheckpoint | null
  /** The explained one: asked for gradients where gamma > 0. */
  classifier: Classifier | null
  /** Number of classes that outcomes can be. */
  classes: number
  signal: AbortSignal
  /** Awaited before every step, counted from 0 over all epochs. */
  steer(step: number): Promise<unknown>
}

/** What comes at the end of training. */
export interface TrainedGenerator {
  files: GeneratorFiles
  /** After the last epoch. */
  checkpoint: TrainingCheckpoint
}

/** One step; the last of an epoch with the training as it stands then. */
export interface TrainingStep {
  news: TrainingNews
  checkpoint?: TrainingCheckpoint
}

/** Pictures that are shown after every epoch. */
const shown = 8

/**
 * Trains a variational autoencoder (Kingma & Welling, 2014) from salient inputs to full images, on the backend that is active.
 * Whatever is drawn comes from streams named by epoch and step, so a training that goes on from a checkpoint ends with the bytes of
 * one that never stopped.
 * @throws MaskscopeError 'usage' where settings and data do not fit, or a checkpoint belongs to another training; 'run' where a
 * loss is not finite; 'unavailable' where gamma > 0 and the classifier gives no gradients; 'cancelled'
 */
export async function* trainGenerator(task: TrainingTask): AsyncGenerator<TrainingStep, TrainedGenerator, void> {
  const { settings, checkpoint, classes, classifier, signal } = task
  checkTraining(task)
  const set = packSet(task.set, settings)
  const validation = task.validation && task.validation.count > 0 ? packSet(task.validation, settings) : null
  const fingerprint = fingerprintOf(settings, classes, set, validation, settings.gamma > 0 ? classifier!.info.sha256 : null)
  if (checkpoint && checkpoint.fingerprint !== fingerprint) {
    throw new MaskscopeError('usage', 'The checkpoint belongs to a training with other settings or data; begin anew, or give it what it began with.', { subject: 'checkpoint' })
  }
  const networks = buildNetworks(settings, classes)
  try {
    const variables = weightsOf(networks)
    const weights = checkpoint?.weights.slice() ?? drawWeights(variables, settings.seed)
    const adam: AdamState = checkpoint ? { mean: checkpoint.mean.slice(), square: checkpoint.square.slice(), steps: checkpoint.steps } : createAdamState(weights.length)
    if (weights.length !== variables.reduce((sum, { size }) => sum + size, 0)) {
      throw new MaskscopeError('usage', 'The checkpoint is of another network; begin the training anew.', { subject: 'checkpoint' })
    }
    putWeights(variables, weights)
    const subject: StepSubject = { networks, variables, settings, classes, classifier }
    const steps = Math.ceil(set.count / settings.batch)
    const state = (epoch: number): TrainingCheckpoint => ({ epoch, steps: adam.steps, fingerprint, weights: weights.slice(), mean: adam.mean.slice(), square: adam.square.slice() })
    for (let epoch = checkpoint?.epoch ?? 0; epoch < settings.epochs; epoch++) {
      const order = createRandom(settings.seed, 'generator-order', epoch).shuffle(Array.from({ length: set.count }, (_, i) => i))
      const sums = createSums()
      for (let step = 0; step < steps; step++) {
        await task.steer(epoch * steps + step)
        if (signal.aborted) throw new MaskscopeError('cancelled', 'The training was cancelled.')
        const batch = pickBatch(set, order.slice(step * settings.batch, (step + 1) * settings.batch))
        const noise = normals(batch.count * settings.latent, createRandom(settings.seed, 'generator-noise', epoch, step))
        const beta = betaAt(settings, epoch + step / steps)
        const { losses, gradient } = await lossAndGradient(subject, batch, noise, beta)
        if (!Number.isFinite(losses.total)) throw diverged(epoch, step)
        adamStep(weights, gradient, adam, rateAt(settings, (epoch + step / steps) / settings.epochs))
        putWeights(variables, weights)
        sums.add(losses, batch.count)
        const news: TrainingNews = { epoch: epoch + 1, epochs: settings.epochs, step: step + 1, steps, losses, beta }
        if (step + 1 < steps) {
          yield { news }
          continue
        }
        if (weights.some((weight) => !Number.isFinite(weight))) throw diverged(epoch, step)
        const measured = validation && (await validate(subject, validation))
        news.finished = { training: sums.means(), validation: measured, samples: await show(networks, task, validation ?? set) }
        yield { news, checkpoint: state(epoch + 1) }
      }
    }
    const description = { version: 1 as const, settings, classes, trainedOn: set.count, epochs: settings.epochs, pictures: pictureSize(task.set), fingerprint, classMeans: [], classSpreads: [] }
    const described = { ...description, ...(await describeClasses(generatorOf(networks.encoder, networks.decoder, description), set)) }
    return { files: { encoder: await toFiles(networks.encoder), decoder: await toFiles(networks.decoder), description: described }, checkpoint: state(settings.epochs) }
  } finally {
    disposeNetworks(networks)
  }
}

/** beta rises linearly over the first epochs. @param epochs that have gone by, with fractions */
export function betaAt({ beta, warmUp }: Pick<GeneratorSettings, 'beta' | 'warmUp'>, epochs: number): number {
  return warmUp > 0 ? beta * Math.min(1, epochs / warmUp) : beta
}

/** Along half a cosine to 0. @param part of the whole training, 0 to 1 */
export function rateAt({ learningRate }: Pick<GeneratorSettings, 'learningRate'>, part: number): number {
  return (learningRate / 2) * (1 + Math.cos(Math.PI * part))
}

/** One sample per image, the same at every epoch, with the full beta. */
async function validate(subject: StepSubject, set: TrainingSet): Promise<GeneratorLosses> {
  const { settings } = subject
  const sums = createSums()
  const random = createRandom(settings.seed, 'generator-validation')
  for (let from = 0; from < set.count; from += settings.batch) {
    const batch = pickBatch(set, range(from, Math.min(set.count, from + settings.batch)))
    sums.add(await lossOf(subject, batch, normals(batch.count * settings.latent, random), settings.beta), batch.count)
  }
  return sums.means()
}

/** The same images with the same draws at every epoch. */
async function show(networks: Networks, { settings, classes }: TrainingTask, set: TrainingSet): Promise<TrainingSamples> {
  const count = Math.min(shown, set.count)
  const { images, masks, outcomes } = pickBatch(set, Array.from({ length: count }, (_, i) => Math.floor((i * set.count) / count)))
  const generator: Generator = generatorOf(networks.encoder, networks.decoder, { version: 1, settings, classes, trainedOn: 0, epochs: 0, pictures: set.size, fingerprint: '', classMeans: [], classSpreads: [] })
  const salient = weighted(images, masks)
  const random = createRandom(settings.seed, 'generator-samples')
  const latents = samplePosterior(await generator.encode(salient, outcomes), settings.latent, settings.temperature, random)
  const drawn = normals(count * settings.latent, random)
  const stack = (data: Float32Array): TrainingSamples['images'] => ({ ...settings.size, count, data })
  return {
    images: stack(images), salient: stack(salient), reconstructions: stack(await generator.decode(latents, outcomes)), drawn: stack(await generator.decode(drawn, outcomes)),
  }
}

function createSums(): { add(losses: GeneratorLosses, count: number): void; means(): GeneratorLosses } {
  const sums: Record<string, number> = {}
  let images = 0
  return {
    add(losses, count) {
      images += count
      for (const [name, value] of Object.entries(losses)) sums[name] = (sums[name] ?? 0) + value * count
    },
    means: () => Object.fromEntries(Object.entries(sums).map(([name, sum]) => [name, sum / images])) as unknown as GeneratorLosses,
  }
}

function range(from: number, to: number): number[] {
  return Array.from({ length: to - from }, (_, i) => from + i)
}

function pictureSize({ height, width, channels }: SalientSet): GeneratorFiles['description']['pictures'] {
  return { height, width, channels }
}

function diverged(epoch: number, step: number): MaskscopeError {
  return new MaskscopeError('run', `Training failed at step ${step + 1} of epoch ${epoch + 1}: its loss or a weight is no finite number. Lower the learning rate, or check the masks.`, { subject: 'learning-rate' })
}

import { add, exp, mul, sigmoid, tensor, tidy, variableGrads, type Scalar, type Tensor, type Variable } from '@tensorflow/tfjs-core'
import type { GeneratorLosses, GeneratorSettings } from '#shared/domain/reconstruction.ts'
import type { Classifier } from '../classifier/classifier.ts'
import { classCode } from './class-code.ts'
import { klLoss, linearTerm, reconstructionLoss } from './losses.ts'
import { weightCount, type Networks } from './networks.ts'
import { createResampler } from './resampling.ts'
import type { Batch } from './training-set.ts'

export interface StepSubject {
  networks: Networks
  variables: readonly Variable[]
  settings: GeneratorSettings
  classes: number
  /** Asked where gamma > 0. */
  classifier: Classifier | null
}

export interface StepResult {
  losses: GeneratorLosses
  /** With respect to all weights, one variable after the other. */
  gradient: Float32Array
}

/** A batch as tensors; call within a tidy. */
interface Fed {
  pictures: Tensor
  salient: Tensor
  weights: Tensor
  noise: Tensor
  told: Tensor[]
}

/**
 * The loss of a batch, as a mean per image, and its gradient with respect to all weights.
 * @param noise standard normal, [count, latent]
 * @param beta that holds
 */
export async function lossAndGradient(subject: StepSubject, batch: Batch, noise: Float32Array, beta: number): Promise<StepResult> {
  const asked = await askClassifier(subject, batch, noise)
  return within(() => {
    const fed = feed(subject, batch, noise)
    const terms = { reconstruction: 0, kl: 0 }
    const { value, grads } = variableGrads(() => {
      const { mean, logVariance, logits } = pass(subject, fed)
      const reconstruction = mul(reconstructionLoss(logits, fed.pictures, fed.weights), 1 / batch.count) as Scalar
      const kl = mul(klLoss(mean, logVariance), 1 / batch.count) as Scalar
      terms.reconstruction = reconstruction.dataSync()[0]!
      terms.kl = kl.dataSync()[0]!
      const total = add(reconstruction, mul(kl, beta)) as Scalar
      return asked ? (add(total, linearTerm(sigmoid(logits), tensor(asked.slopes, logits.shape))) as Scalar) : total
    }, [...subject.variables])
    value.dispose()
    const gradient = new Float32Array(weightCount(subject.variables))
    let at = 0
    for (const { name, size } of subject.variables) {
      gradient.set(grads[name]!.dataSync(), at)
      at += size
    }
    return { losses: lossesOf(subject.settings, terms, asked, beta), gradient }
  })
}

/** The loss alone. */
export async function lossOf(subject: StepSubject, batch: Batch, noise: Float32Array, beta: number): Promise<GeneratorLosses> {
  const asked = await askClassifier(subject, batch, noise)
  return within(() => {
    const fed = feed(subject, batch, noise)
    const { mean, logVariance, logits } = pass(subject, fed)
    const reconstruction = reconstructionLoss(logits, fed.pictures, fed.weights).dataSync()[0]! / batch.count
    const kl = klLoss(mean, logVariance).dataSync()[0]! / batch.count
    return lossesOf(subject.settings, { reconstruction, kl }, asked, beta)
  })
}

/** A tidy that answers with plain values. */
function within<T>(work: () => T): T {
  let answer: T | undefined
  tidy(() => void (answer = work()))
  return answer!
}

function lossesOf({ gamma }: GeneratorSettings, { reconstruction, kl }: { reconstruction: number; kl: number }, asked: Asked | null, beta: number): GeneratorLosses {
  const total = reconstruction + beta * kl + (asked ? gamma * asked.loss : 0)
  return asked ? { reconstruction, kl, classifier: asked.loss, total } : { reconstruction, kl, total }
}

function feed({ settings: { size, latent, salientWeight }, classes, settings }: StepSubject, { count, images, masks, outcomes }: Batch, noise: Float32Array): Fed {
  const pictures = tensor(images, [count, size.height, size.width, size.channels])
  const mask = tensor(masks, [count, size.height, size.width, 1])
  return {
    pictures,
    salient: mul(pictures, mask),
    weights: add(mul(mask, salientWeight - 1), 1),
    noise: tensor(noise, [count, latent]),
    told: settings.conditional ? [classCode(outcomes, classes)] : [],
  }
}

function pass({ networks }: StepSubject, { salient, noise, told }: Fed): { mean: Tensor; logVariance: Tensor; logits: Tensor } {
  const [mean, logVariance] = networks.encoder.apply([salient, ...told], { training: true }) as [Tensor, Tensor]
  const latents = add(mean, mul(exp(mul(logVariance, 0.5)), noise))
  const logits = networks.decoderLogits.apply([latents, ...told], { training: true }) as Tensor
  return { mean, logVariance, logits }
}

interface Asked {
  /** Mean cross-entropy per image. */
  loss: number
  /** gamma times its gradient with respect to the decoded pictures. */
  slopes: Float32Array
}

/** The chain rule is cut at the classifier: the pictures are decoded once for it, and once more for the gradient. */
async function askClassifier(subject: StepSubject, batch: Batch, noise: Float32Array): Promise<Asked | null> {
  const { settings: { gamma, size }, classifier } = subject
  if (gamma === 0 || !classifier) return null
  const decoded = within(() => sigmoid(pass(subject, feed(subject, batch, noise)).logits).dataSync() as Float32Array)
  const { height, width, channels } = classifier.info.input
  const resampler = createResampler(size, { height, width })
  const images = { count: batch.count, height, width, channels, data: resampler.apply(decoded, channels) }
  const scores = Array.from(batch.outcomes, (target) => ({ kind: 'log-probability' as const, target }))
  const answer = await classifier.scoreGradient(images, scores)
  const slopes = resampler.adjoint(answer.gradient, channels)
  return {
    loss: -answer.scores.reduce((a, b) => a + b, 0) / batch.count,
    slopes: slopes.map((slope) => (-gamma * slope) / batch.count),
  }
}

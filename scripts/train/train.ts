import { argMax, losses, tensor, tidy, train as optimizers, util, type AdamOptimizer, type Scalar, type Tensor } from '@tensorflow/tfjs-core'
import type { Sequential } from '@tensorflow/tfjs-layers'
import { createRandom } from '#shared/random/random.ts'
import { writeAugmented, type Augmentation } from './augment.ts'
import { applyInTraining } from './batch-normalisation.ts'
import type { Images } from './data.ts'
import { rateAt } from './schedule.ts'

export interface TrainingOptions {
  epochs: number
  batch: number
  learningRate: number
  labelSmoothing: number
  augmentation: Augmentation
  classes: number
  seed: number
}

/** All that training goes on from after an epoch. */
export interface TrainingState {
  /** Epochs done. */
  epoch: number
  /** Weights of the network, in its order. */
  weights: Float32Array[]
  /** Of the optimiser: its count of steps, then its moments. */
  moments: Float32Array[]
}

export interface EpochNews {
  epoch: number
  loss: number
  /** Share of the augmented training images, as the network was when it saw them. */
  accuracy: number
}

/**
 * Adam on the smoothed cross-entropy. What an epoch draws follows from the seed and its number, and the optimiser begins each
 * epoch from its written state: an interrupted training goes on to the same weights.
 * @param onEpoch told after each epoch, with what it takes to go on from there
 */
export async function trainNetwork(
  model: Sequential, images: Images, options: TrainingOptions, before: TrainingState | undefined,
  onEpoch: (news: EpochNews, state: TrainingState) => Promise<void>,
): Promise<void> {
  const { epochs, batch, learningRate, seed } = options
  const stepsPerEpoch = Math.ceil(images.count / batch)
  const steps = epochs * stepsPerEpoch
  const schedule = { learningRate, warmUp: Math.min(100, Math.ceil(steps / 10)), steps }
  if (before) model.weights.forEach((weight, i) => tidy(() => void weight.write(tensor(before.weights[i]!, weight.shape as number[]))))
  let moments = before?.moments
  for (let epoch = before?.epoch ?? 0; epoch < epochs; epoch++) {
    const optimizer = optimizers.adam(learningRate)
    if (moments) await restore(optimizer, model, moments)
    const random = createRandom(seed, 'epoch', epoch)
    const order = random.shuffle(Array.from({ length: images.count }, (_, i) => i))
    let [sum, right] = [0, 0]
    for (let step = 0; step < stepsPerEpoch; step++) {
      const chosen = order.slice(step * batch, (step + 1) * batch)
      optimizer['learningRate'] = rateAt(epoch * stepsPerEpoch + step + 1, schedule)
      const { loss, correct } = trainStep(model, optimizer, images, chosen, options, random)
      util.assert(Number.isFinite(loss), () => `The loss of epoch ${epoch + 1} is not finite.`)
      sum += loss * chosen.length
      right += correct
    }
    moments = await momentsOf(optimizer)
    optimizer.dispose()
    const weights = model.weights.map((weight) => new Float32Array(weight.read().dataSync()))
    await onEpoch({ epoch: epoch + 1, loss: sum / images.count, accuracy: right / images.count }, { epoch: epoch + 1, weights, moments })
  }
}

function trainStep(
  model: Sequential, optimizer: AdamOptimizer, images: Images, chosen: readonly number[],
  { augmentation, classes, labelSmoothing }: TrainingOptions, random: ReturnType<typeof createRandom>,
): { loss: number; correct: number } {
  const { height, width, channels } = images
  const pixels = new Float32Array(chosen.length * height * width * channels)
  const labels = new Float32Array(chosen.length * classes).fill(labelSmoothing / classes)
  chosen.forEach((index, n) => {
    writeAugmented(images, index, augmentation, random, pixels, n * height * width * channels)
    const at = n * classes + images.classes[index]!
    labels[at] = labels[at]! + 1 - labelSmoothing
  })
  return tidy(() => {
    const x = tensor(pixels, [chosen.length, height, width, channels])
    const y = tensor(labels, [chosen.length, classes])
    let correct = 0
    const cost = optimizer.minimize(() => {
      const { logits } = applyInTraining(model, x, 0.97)
      argMax(logits, 1).dataSync().forEach((top, n) => (correct += top === images.classes[chosen[n]!] ? 1 : 0))
      return losses.softmaxCrossEntropy(y, logits) as Scalar
    }, true, model.trainableWeights.map((weight) => weight.read() as never))
    return { loss: cost!.dataSync()[0]!, correct }
  })
}

async function momentsOf(optimizer: AdamOptimizer): Promise<Float32Array[]> {
  const [count, ...moments] = await optimizer.getWeights()
  const steps = count!.tensor.dataSync()[0]!
  count!.tensor.dispose()
  return [Float32Array.of(steps), ...moments.map((moment) => new Float32Array(moment.tensor.dataSync()))]
}

async function restore(optimizer: AdamOptimizer, model: Sequential, [steps, ...moments]: readonly Float32Array[]): Promise<void> {
  const shapes = model.trainableWeights.map((weight) => weight.shape as number[])
  const named = moments.map((moment, i) => ({ name: `moment${i}`, tensor: tensor(moment, shapes[i % shapes.length]!) }))
  await optimizer.setWeights([{ name: 'iter', tensor: tensor(Int32Array.from(steps!), [], 'int32') }, ...named])
  for (const { tensor: given } of named) given.dispose()
}

/** Share of the images whose top class is theirs. */
export function accuracyOn(model: Sequential, images: Images): number {
  const { height, width, channels } = images
  const size = height * width * channels
  const batch = 100
  let right = 0
  for (let start = 0; start < images.count; start += batch) {
    const n = Math.min(batch, images.count - start)
    const pixels = Float32Array.from(images.pixels.subarray(start * size, (start + n) * size), (v) => v / 255)
    const found = tidy(() => argMax(model.apply(tensor(pixels, [n, height, width, channels])) as Tensor, 1).dataSync())
    for (let i = 0; i < n; i++) if (found[i] === images.classes[start + i]) right++
  }
  return right / images.count
}

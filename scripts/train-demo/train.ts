import {
  add, losses, matMul, mul, reshape, tensor, tidy, train as optimizers, truncatedNormal, util, variable, zeros, type Scalar, type Tensor2D,
} from '@tensorflow/tfjs-core'
import type { Sequential, SymbolicTensor } from '@tensorflow/tfjs-layers'
import { sceneClasses, sceneSize } from '#engine/scenes/scenes.ts'
import { applyInTraining } from '../train/batch-normalisation.ts'
import { rateAt } from '../train/schedule.ts'
import { patchSide, trainingBatches, type BatchOptions } from './batches.ts'
import { accuracyOn } from './evaluate.ts'
import type { Network } from './networks.ts'

export interface TrainingOptions extends BatchOptions {
  steps: number
  learningRate: number
  /** Steps of linear rise; then the rate falls to 0 along half a cosine. */
  warmUp: number
  /** Every so many steps the model is measured and handed to `checkpoint`. */
  checkpointEvery: number
}

export interface TrainingNews {
  step: number
  loss: number
  /** On 200 tuning scenes (seeds from 1,900,000), none of which is trained or evaluated on. */
  tuningAccuracy: number
  minutes: number
}

/**
 * Adam on the smoothed cross-entropy. While the network is young, a second, linear head, which is dropped afterwards,
 * says for each of the 8×8 places of the last feature map to which object it belongs, if to any; the weight of its
 * cross-entropy falls from 1 to 0 over nine tenths of the steps. Without it the first 500 steps learn nothing.
 */
export async function trainNetwork(
  network: Network,
  model: Sequential,
  options: TrainingOptions,
  round: number,
  checkpoint: (news: TrainingNews) => Promise<void>,
): Promise<void> {
  const optimizer = optimizers.adam(options.learningRate)
  const batches = trainingBatches(network, options, round)
  const places = options.batch * patchSide * patchSide
  const channels = (model.getLayer('average').getOutputAt(0) as SymbolicTensor).shape[1]!
  const outputs = sceneClasses.length + 1
  const placeKernel = variable(truncatedNormal([channels, outputs], 0, 0.05, 'float32', network.seed))
  const placeBias = variable(zeros([outputs]))
  const weights = [...model.trainableWeights.map((weight) => weight.read() as never), placeKernel as never, placeBias as never]
  const started = performance.now()
  let sum = 0
  let count = 0
  for (let step = 1; step <= options.steps; step++) {
    const { images, labels, patches } = batches.next().value
    optimizer['learningRate'] = rateAt(step, options)
    const placeWeight = Math.max(0, 1 - step / (0.9 * options.steps))
    const loss = tidy(() => {
      const x = tensor(images, [options.batch, sceneSize, sceneSize, 3])
      const y = tensor(labels, [options.batch, sceneClasses.length])
      const z = tensor(patches, [places, outputs])
      // Places of the object are rare, so they count more.
      const importance = tensor(Array.from({ length: places }, (_, i) => 15 - 14 * patches[(i + 1) * outputs - 1]!))
      let cost = 0
      optimizer.minimize(
        () => {
          const { logits, features } = applyInTraining(model, x, 0.97)
          const main = losses.softmaxCrossEntropy(y, logits) as Scalar
          cost = main.dataSync()[0]!
          if (placeWeight === 0) return main
          const guess = add(matMul(reshape(features, [places, channels]) as Tensor2D, placeKernel as unknown as Tensor2D), placeBias)
          const aside = losses.softmaxCrossEntropy(z, guess, importance) as Scalar
          return add(main, mul(aside, placeWeight)) as Scalar
        },
        false,
        placeWeight === 0 ? weights.slice(0, -2) : weights,
      )
      return cost
    })
    util.assert(Number.isFinite(loss), () => `The loss of step ${step} is not finite.`)
    sum += loss
    count++
    if (step % options.checkpointEvery === 0 || step === options.steps) {
      const tuningAccuracy = accuracyOn(model, { first: 1_900_000, count: 200 })
      await checkpoint({ step, loss: sum / count, tuningAccuracy, minutes: (performance.now() - started) / 60_000 })
      sum = count = 0
    }
  }
  optimizer.dispose()
  placeKernel.dispose()
  placeBias.dispose()
}

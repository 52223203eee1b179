import os from 'node:os'
import { initWasm } from '#engine/backend/wasm.ts'
import { adamStep, createAdamState } from '#engine/reconstruction/adam.ts'
import { buildNetworks, disposeNetworks, drawWeights, putWeights, weightsOf } from '#engine/reconstruction/networks.ts'
import { normals } from '#engine/reconstruction/sampling.ts'
import { lossAndGradient, lossOf } from '#engine/reconstruction/step.ts'
import type { Batch } from '#engine/reconstruction/training-set.ts'
import { resolveParameters } from '#shared/domain/parameters.ts'
import { generatorSchema, generatorSizes, settingsOf } from '#shared/domain/reconstruction.ts'
import { createRandom } from '#shared/random/random.ts'
import type { BenchOptions } from './run.ts'
import { medians, rounded } from './timing.ts'

const images = 10_000

/** One training step of a generator on WASM with the default settings, against the loss alone, in turns; and what an epoch of 10,000 images takes. */
export async function run({ quick }: BenchOptions): Promise<object> {
  await initWasm()
  const measured: Record<string, object> = {}
  for (const size of quick ? generatorSizes.slice(0, 1) : generatorSizes) {
    const settings = settingsOf(resolveParameters(generatorSchema(size), {}), size, 1)
    const networks = buildNetworks(settings, 10)
    const variables = weightsOf(networks)
    const weights = drawWeights(variables, 1)
    const adam = createAdamState(weights.length)
    putWeights(variables, weights)
    const subject = { networks, variables, settings, classes: 10, classifier: null }
    const random = createRandom(1, 'bench')
    const pixels = settings.batch * size.height * size.width
    const batch: Batch = {
      count: settings.batch, outcomes: new Int32Array(settings.batch),
      images: Float32Array.from({ length: pixels * size.channels }, () => random.uniform()), masks: Float32Array.from({ length: pixels }, () => random.uniform()),
    }
    const noise = normals(settings.batch * settings.latent, random)
    const milliseconds = await medians({
      loss: async () => void (await lossOf(subject, batch, noise, 1)),
      async step() {
        const { gradient } = await lossAndGradient(subject, batch, noise, 1)
        adamStep(weights, gradient, adam, settings.learningRate)
        putWeights(variables, weights)
      },
    }, quick ? 5 : 9)
    disposeNetworks(networks)
    measured[`${size.height}×${size.width}×${size.channels}`] = {
      weights: weights.length, batch: settings.batch, milliseconds: { loss: rounded(milliseconds.loss), step: rounded(milliseconds.step) },
      ratioToLoss: rounded(milliseconds.step / milliseconds.loss), secondsPerEpoch: rounded((milliseconds.step * images) / settings.batch / 1000, 1),
    }
  }
  return { processor: os.cpus()[0]?.model.trim() ?? '', load: rounded(os.loadavg()[0]!), backend: 'wasm', images, measured }
}

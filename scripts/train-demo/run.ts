import { parseArgs } from 'node:util'
import { initWasm } from '#engine/backend/wasm.ts'
import { accuracyOn } from './evaluate.ts'
import { networks, type Network } from './networks.ts'
import { saveModel } from './save.ts'
import { trainNetwork, type TrainingOptions } from './train.ts'

/**
 * npm run train:demo -- [demo|demo-judge] [--steps N] [--out FOLDER]
 *
 * Trains the bundled classifier and its judge from nothing (both where none is named; in two processes they take half
 * the time) and writes models/NAME. Checkpoints overwrite one another, so a stopped run leaves its latest.
 */
const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: { steps: { type: 'string' }, out: { type: 'string' }, rate: { type: 'string' } },
})

const options: TrainingOptions = {
  steps: Number(values.steps ?? 3600),
  batch: 16,
  fresh: 6,
  pool: 2000,
  learningRate: Number(values.rate ?? 0.003),
  warmUp: 50,
  labelSmoothing: 0.05,
  objectFree: 0.12,
  easyScenes: 7000,
  checkpointEvery: 100,
}

await initWasm()
for (const name of positionals.length > 0 ? positionals : Object.keys(networks)) {
  const network = networks[name as Network['name']]
  if (!network) throw new Error(`There is no network "${name}"; choose one of ${Object.keys(networks).join(', ')}.`)
  const folder = values.out ?? `models/${network.name}`
  const model = network.build(network.seed)
  let minutes = 0
  await trainNetwork(network, model, options, async (news) => {
    minutes = news.minutes
    console.log(
      `${name} step ${news.step} loss ${news.loss.toFixed(4)} tuning ${(100 * news.tuningAccuracy).toFixed(1)}% ${minutes.toFixed(1)} min`,
    )
    if (news.step < options.steps) await saveModel(folder, network, model, { options, steps: news.step, minutes })
  })
  const scores = {
    scenes: accuracyOn(model, { first: 2_000_000, count: 2000 }),
    scenesShifted: accuracyOn(model, { first: 2_000_000, count: 2000, kind: 'scenes-shifted' }),
  }
  console.log(name, scores)
  await saveModel(folder, network, model, { options, steps: options.steps, minutes, scores })
}

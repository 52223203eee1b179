import { parseArgs } from 'node:util'
import { initWasm } from '#engine/backend/wasm.ts'
import { accuracyOn } from './evaluate.ts'
import { networks } from './networks.ts'
import { loadWeights, saveModel } from './save.ts'
import { trainNetwork, type TrainingOptions } from './train.ts'

/**
 * npm run train:demo -- [demo|demo-judge|another-seed|another-architecture] [--out FOLDER] [--from FOLDER --round N] [--share S]
 *
 * Trains the bundled classifier and its judge from nothing (both where none is named; in two processes they take half
 * the time) and writes models/NAME. The others are for comparisons and are not bundled: say with --out where they go.
 * With --share each round is cut to this share of its steps. Training goes in rounds, each with new scenes and its own fall of the learning rate.
 * Checkpoints overwrite one another, so a stopped run leaves its latest; `--round 1 --from FOLDER` starts with that round
 * from the model of the round before.
 */
const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: { out: { type: 'string' }, from: { type: 'string' }, round: { type: 'string' }, share: { type: 'string' } },
})

const common = { batch: 16, fresh: 6, pool: 2000, labelSmoothing: 0.05, objectFree: 0.12, checkpointEvery: 100 }
const rounds: readonly TrainingOptions[] = [
  { ...common, steps: 3600, learningRate: 0.003, warmUp: 50, easyScenes: 7000 },
  { ...common, steps: 5000, learningRate: 0.0025, warmUp: 100, easyScenes: 0, objectFree: 0.18 },
  { ...common, steps: 3500, learningRate: 0.002, warmUp: 100, easyScenes: 0, objectFree: 0.22 },
  { ...common, steps: 2200, learningRate: 0.0015, warmUp: 100, easyScenes: 0, objectFree: 0.4 },
]

const share = Number(values.share ?? 1)
if (!(share > 0 && share <= 1)) throw new Error(`The share is "${values.share}"; it must be above 0 and at most 1.`)

await initWasm()
for (const name of positionals.length > 0 ? positionals : Object.keys(networks).filter((id) => networks[id]!.bundled)) {
  const network = networks[name]
  if (!network) throw new Error(`There is no network "${name}"; choose one of ${Object.keys(networks).join(', ')}.`)
  if (!network.bundled && values.out === undefined) throw new Error(`${name} is not bundled; say where it goes: --out FOLDER.`)
  const folder = values.out ?? `models/${network.name}`
  const model = network.build(network.seed)
  const firstRound = Number(values.round ?? 0)
  let before = 0
  if (values.from !== undefined) before = await loadWeights(values.from, model)
  for (let round = firstRound; round < rounds.length; round++) {
    const options = shortened(rounds[round]!)
    let minutes = 0
    await trainNetwork(network, model, options, round, async (news) => {
      minutes = before + news.minutes
      console.log(
        `${name} round ${round} step ${news.step} loss ${news.loss.toFixed(4)} tuning ${(100 * news.tuningAccuracy).toFixed(1)}% ${minutes.toFixed(1)} min`,
      )
      if (news.step < options.steps) await saveModel(folder, network, model, { rounds: rounds.slice(0, round + 1), lastSteps: news.step, minutes })
    })
    const scores = {
      scenes: accuracyOn(model, { first: 2_000_000, count: 2000 }),
      scenesShifted: accuracyOn(model, { first: 2_000_000, count: 2000, kind: 'scenes-shifted' }),
    }
    console.log(name, scores)
    await saveModel(folder, network, model, { rounds: rounds.slice(0, round + 1), lastSteps: options.steps, minutes, scores, done: round === rounds.length - 1 })
    before = minutes
  }
}

function shortened(options: TrainingOptions): TrainingOptions {
  if (share === 1) return options
  const steps = Math.max(1, Math.round(options.steps * share))
  return { ...options, steps, warmUp: Math.ceil(options.warmUp * share), easyScenes: Math.round(options.easyScenes * share), checkpointEvery: Math.min(options.checkpointEvery, steps) }
}

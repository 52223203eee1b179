import { selectBackend } from '#engine/backend/select.ts'
import { loadClassifier } from '#engine/classifier/load.ts'
import type { FillKind } from '#engine/methods/masks/fills.ts'
import { findMethod } from '#engine/methods/registry.ts'
import { loadModel } from '#services/models.ts'
import { createRandom } from '#shared/random/random.ts'
import { explainAll, keepRates, localise, subjectsFrom } from './mask-measures.ts'

/**
 * The search that our NeuroMask preset comes from: random configurations around the present preset on tuning scenes,
 * one line of JSON each.
 *
 *   npx tsx scripts/evidence/neuromask-tuning.ts [--scenes N] [--from SEED] [--trials N] [--seed N] [--set JSON]...
 */
const neuromask = findMethod('neuromask')

/** What is varied, each with its candidates. */
const candidates: Record<string, readonly (number | string | boolean)[]> = {
  'sparsity-weight': [0.3, 0.5, 0.7, 1, 1.5, 2, 3],
  'smoothness-weight': [0, 0.02, 0.05, 0.1, 0.2],
  resolution: [14, 20, 28, 40],
  smoothing: [0.5, 0.75, 1, 1.5],
  'learning-rate': [0.05, 0.1, 0.2],
  shift: [0, 2, 3, 4, 6],
  offset: [2, 3, 4, 5],
  averaging: [0.25, 0.5],
  flip: [false, true],
  noise: [0, 0.05, 0.1],
}

function option(name: string, otherwise: number): number {
  const at = process.argv.indexOf(`--${name}`)
  return at < 0 ? otherwise : Number(process.argv[at + 1])
}

const sets = process.argv.flatMap((arg, i) => (arg === '--set' ? [JSON.parse(process.argv[i + 1]!) as Record<string, unknown>] : []))
const random = createRandom(option('seed', 1), 'tuning')
for (let trial = 0; trial < option('trials', 0); trial++) {
  const set: Record<string, unknown> = {}
  // Three or four parameters at a time: a coordinate search with company.
  const names = random.shuffle(Object.keys(candidates)).slice(0, 3 + random.below(2))
  for (const name of names) set[name] = candidates[name]![random.below(candidates[name]!.length)]
  sets.push(set)
}

await selectBackend('wasm')
const demo = await loadClassifier((await loadModel(process.env['TUNING_MODEL'] ?? 'demo')).source)
const subjects = await subjectsFrom(demo, option('from', 1_000_000), option('scenes', 60))
for (const set of sets) {
  const fill = (set['fill'] ?? 'drawn') as FillKind
  const start = performance.now()
  const explanations = await explainAll(neuromask, demo, subjects, set)
  const seconds = (performance.now() - start) / 1000 / subjects.length
  const { averagePrecision, energyRatio, area } = localise(subjects, explanations)
  const kept = await keepRates(demo, subjects, explanations, fill, 10)
  const forged = await keepRates(demo, subjects, await explainAll(neuromask, demo, subjects, set, 'wrong'), fill, 10)
  const row = {
    set, ap: averagePrecision.mean, sd: averagePrecision.sd, own: kept.own, unseen: kept.unseenMean, ...kept.unseen,
    wrongOwn: forged.own, wrongUnseen: forged.unseenMean, maskOnly: kept.maskOnly, energyRatio, area, seconds,
  }
  console.log(JSON.stringify(row, (_, value: unknown) => (typeof value === 'number' ? Number(value.toFixed(3)) : value)))
}

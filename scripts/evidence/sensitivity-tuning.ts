import { selectBackend } from '#engine/backend/select.ts'
import { loadClassifier, plainUse } from '#engine/classifier/load.ts'
import { averagePrecision } from '#engine/metrics/average-precision.ts'
import { sensitivityMask } from '#engine/methods/sensitivity-mask.ts'
import { loadModel } from '#services/models.ts'
import type { ExecutorId } from '#shared/domain/executor.ts'
import type { Explanation } from '#shared/domain/run.ts'
import { upsample } from '#shared/imaging/interpolation.ts'
import { createRandom } from '#shared/random/random.ts'
import { explainAll, localise, subjectsFrom, type Subject } from './mask-measures.ts'

/**
 * The search that our presets of the sensitivity mask come from: configurations on tuning scenes, one line of JSON each. `ap` is
 * of the configuration's map; beside it that of its plain mask and of its sensitivity alone.
 *
 *   npx tsx scripts/evidence/sensitivity-tuning.ts [--scenes N] [--from SEED] [--trials N] [--seed N] [--executor tfjs|onnxruntime]
 *     [--base JSON] [--set JSON]...
 */

/** What is varied, each with its candidates. */
const candidates: Record<string, readonly (number | string | boolean)[]> = {
  'learning-rate': [0.1, 0.15, 0.2, 0.3],
  'area-weight': [3, 4, 6, 8, 10],
  'variation-weight': [0.1, 0.2, 0.5, 1, 2],
  deviation: [1, 1.5, 2],
  'noise-smoothing': [1, 1.5, 2],
  smoothing: [0.75, 1, 1.5],
  resolution: [20, 28, 36],
  shift: [2, 3, 4, 5, 6],
  averaging: [0.25, 0.5],
  pairs: [8, 16, 32],
}

function option(name: string, otherwise: string): string {
  const at = process.argv.indexOf(`--${name}`)
  return at < 0 ? otherwise : process.argv[at + 1]!
}

function json(text: string): Record<string, unknown> {
  return JSON.parse(text) as Record<string, unknown>
}

const base = json(option('base', '{}'))
const sets = process.argv.flatMap((arg, i) => (arg === '--set' ? [json(process.argv[i + 1]!)] : []))
const random = createRandom(Number(option('seed', '1')), 'tuning')
for (let trial = 0; trial < Number(option('trials', '0')); trial++) {
  const names = random.shuffle(Object.keys(candidates)).slice(0, 3 + random.below(2))
  sets.push(Object.fromEntries(names.map((name) => [name, candidates[name]![random.below(candidates[name]!.length)]])))
}

await selectBackend('wasm')
const demo = await loadClassifier((await loadModel('demo')).source, { ...plainUse, executor: option('executor', 'tfjs') as ExecutorId })
const subjects = await subjectsFrom(demo, Number(option('from', '1000000')), Number(option('scenes', '40')))
for (const set of sets) {
  const start = performance.now()
  const explanations = await explainAll(sensitivityMask, demo, subjects, { ...base, ...set })
  const seconds = (performance.now() - start) / 1000 / subjects.length
  const { averagePrecision: ap, area } = localise(subjects, explanations)
  const row = {
    set, ap: ap.mean, sd: ap.sd, mask: ofPart(subjects, explanations, 'mask'), sensitivity: ofPart(subjects, explanations, 'sensitivity'),
    area, forward: explanations[0]!.evaluations.forward, seconds,
  }
  console.log(JSON.stringify(row, (_, value: unknown) => (typeof value === 'number' ? Number(value.toFixed(3)) : value)))
}
process.exit(0)

function ofPart(scenes: readonly Subject[], explanations: readonly Explanation[], name: string): number {
  return scenes.reduce((sum, { object, image }, i) => {
    const { height, width, data } = explanations[i]!.parts!.find((part) => part.name === name)!
    return sum + averagePrecision(upsample({ height, width, data }, image.height, image.width).data, object) / scenes.length
  }, 0)
}

import { selectBackend } from '#engine/backend/select.ts'
import { loadClassifier, plainUse } from '#engine/classifier/load.ts'
import { findMethod } from '#engine/methods/registry.ts'
import { sceneKinds } from '#engine/scenes/scenes.ts'
import { loadModel } from '#services/models.ts'
import { explainAll, localise, subjectsFrom } from './mask-measures.ts'

/**
 * The comparison that DE-CAM's preset comes from: configurations on the same tuning scenes, one line of JSON each. A
 * configuration names a method (default de-cam), so random search, RISE and occlusion stand beside it at equal queries.
 *
 *   npx tsx scripts/evidence/de-cam-tuning.ts [--scenes N] [--from SEED] [--kind scenes|scenes-two|scenes-shifted]
 *     [--executor tfjs|onnxruntime] [--set JSON]...
 */
function option(name: string, otherwise: string): string {
  const at = process.argv.indexOf(`--${name}`)
  return at < 0 ? otherwise : process.argv[at + 1]!
}

const sets = process.argv.flatMap((arg, i) => (arg === '--set' ? [JSON.parse(process.argv[i + 1]!) as Record<string, unknown>] : []))
await selectBackend('wasm')
const executor = option('executor', 'onnxruntime') === 'tfjs' ? 'tfjs' : 'onnxruntime'
const demo = await loadClassifier((await loadModel('demo')).source, { ...plainUse, executor })
const kind = sceneKinds.find((each) => each === option('kind', 'scenes')) ?? 'scenes'
const subjects = await subjectsFrom(demo, Number(option('from', '1000000')), Number(option('scenes', '20')), kind)
for (const set of sets.length === 0 ? [{}] : sets) {
  const { method = 'de-cam', ...parameters } = set
  const start = process.cpuUsage()
  const explanations = await explainAll(findMethod(String(method)), demo, subjects, parameters)
  const { user, system } = process.cpuUsage(start)
  const { averagePrecision, energyRatio, area } = localise(subjects, explanations)
  const forward = explanations.reduce((sum, { evaluations }) => sum + evaluations.forward, 0) / explanations.length
  const row = { method, ...parameters, ap: averagePrecision.mean, sd: averagePrecision.sd, energyRatio, area, forward, cpuSeconds: (user + system) / 1e6 / subjects.length }
  console.log(JSON.stringify(row, (_, value: unknown) => (typeof value === 'number' ? Number(value.toFixed(3)) : value)))
}

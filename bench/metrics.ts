import { selectBackend } from '#engine/backend/select.ts'
import { loadClassifier } from '#engine/classifier/load.ts'
import { measureAll, type MeasureWork } from '#engine/measure.ts'
import { findMethod } from '#engine/methods/registry.ts'
import { judgedMapOf } from '#engine/metrics/judged-map.ts'
import { metrics } from '#engine/metrics/registry.ts'
import { renderScene } from '#engine/scenes/scenes.ts'
import { loadModel } from '#services/models.ts'
import { resolveParameters } from '#shared/domain/parameters.ts'
import type { BenchOptions } from './run.ts'
import { medians, rounded } from './timing.ts'

/** Cheap methods, half of whose maps have many equal values, as those of segments do. */
const judgedMethods = ['gradient', 'lime', 'grad-cam', 'center', 'lrp', 'uniform', 'integrated-gradients', 'kernel-shap']

/**
 * Metrics that ask the classifier, on the maps of several methods for one scene of the bundled classifier, on WASM: every metric and map
 * by itself against all of them as a benchmark measures them, which asks once what no map changes and imputes once for all metrics.
 */
export async function run({ quick }: BenchOptions): Promise<object> {
  await selectBackend('wasm')
  const classifier = await loadClassifier((await loadModel('demo')).source)
  const judge = await loadClassifier((await loadModel('demo-judge')).source)
  const { image, objects: [object] } = renderScene(2_000_000, 'scenes')
  const signal = new AbortController().signal
  const ids = metrics.filter(({ cost }) => cost === 'queries').map(({ id }) => id)
  const works: Omit<MeasureWork, 'seed' | 'metrics'>[] = []
  for (const id of judgedMethods.slice(0, quick ? 2 : 8)) {
    const method = findMethod(id)
    const methodParameters = resolveParameters(method, {})
    const steps = method.explain({ classifier, images: image, targets: [object!.class], seeds: [1], parameters: methodParameters, signal, objects: [object!.mask] })
    let step = await steps.next()
    while (!step.done) step = await steps.next()
    works.push({
      method: id, methodParameters, image: image.data, target: object!.class, map: judgedMapOf(step.value[0]!), object: object!.mask, others: {},
      evaluations: { forward: 1, backward: 1 },
    })
  }
  let seed = 0
  const measured = (work: Omit<MeasureWork, 'seed' | 'metrics'>, some: readonly string[]): Promise<unknown> =>
    measureAll({ ...work, seed, metrics: some.map((id) => ({ id, parameters: {} })) }, classifier, judge, signal)
  const milliseconds = await medians({
    async apart() {
      for (const work of works) {
        // Another seed, so that nothing is known yet.
        seed++
        for (const id of ids) await measured(work, [id])
      }
    },
    async together() {
      seed++
      for (const work of works) await measured(work, ids)
    },
  }, 5)
  return {
    backend: 'wasm', maps: works.length, metrics: ids.length,
    millisecondsPerMap: { apart: rounded(milliseconds.apart / works.length, 0), together: rounded(milliseconds.together / works.length, 0) },
    ratio: rounded(milliseconds.apart / milliseconds.together),
  }
}

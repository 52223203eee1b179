import { compareCommand } from '#services/comparisons/compare-command.ts'
import { createComparisons } from '#services/comparisons/comparisons.ts'
import { importMap } from '#services/comparisons/import-map.ts'
import { measureCell, measuredOf } from '#services/comparisons/measure.ts'
import { drawnMask, importTruth } from '#services/comparisons/truth.ts'
import type { CallsOf, Parts } from './parts.ts'
import { plainMeasurement } from './metrics.ts'

export function comparisonCalls({ keeper, models, images, pool, handles, boardOf }: Parts): CallsOf<'comparisons'> {
  const comparisons = createComparisons({ keeper, models, images, pool })
  return {
    'comparisons.list': () => comparisons.list(),
    'comparisons.open': ({ comparison }) => comparisons.open(comparison),
    'comparisons.create': async ({ board }) => ({ comparison: await comparisons.create(board) }),
    'comparisons.save': async ({ comparison, board }) => {
      await comparisons.save(comparison, board)
      return {}
    },
    'comparisons.remove': async ({ comparison }) => {
      await comparisons.remove(comparison)
      return {}
    },
    'comparisons.restore': async ({ comparison }) => {
      await comparisons.restore(comparison)
      return {}
    },
    'comparisons.command': async ({ comparison }) => ({ command: await compareCommand(await comparisons.at(comparison)) }),
    'comparisons.addImages': ({ comparison, images: given }) => comparisons.addImages(comparison, given),
    'comparisons.addModel': ({ comparison, model }) => comparisons.addModel(comparison, model),
    'comparisons.picture': async ({ comparison, image, side }) => ({ png: await comparisons.picture(comparison, image, side) }),
    'comparisons.classes': ({ comparison, image, model, top }) => comparisons.classes(comparison, image, model, top),
    'comparisons.run': ({ comparison, cells }) => comparisons.run(comparison, cells),
    'comparisons.steer': async ({ runs, to }) => {
      await comparisons.steer(runs, to)
      return {}
    },
    'comparisons.map': ({ run }) => comparisons.map(run),
    'comparisons.measured': async ({ runs }) => {
      const { opened } = await keeper.current()
      const found = opened ? await measuredOf(opened, runs) : []
      return found.map(({ results, ...rest }) => ({ ...rest, results: results.map(plainMeasurement) }))
    },
    'comparisons.measure': async ({ comparison, run, metrics, judge, truth }, { signal }) => {
      const asked = judge === null ? null : await models.get(judge)
      const place = await comparisons.at(comparison)
      return (await measureCell({ place, run, metrics, judge: asked && { source: asked.source, name: asked.info.name }, truth, pool, signal })).map(plainMeasurement)
    },
    'comparisons.importMap': async ({ comparison, image, model, target, file }) => {
      const place = await comparisons.at(comparison)
      const run = await importMap({ place, image, model, target, file: handles.path(file), pool })
      await boardOf(place.opened).added(run)
      return { run }
    },
    'comparisons.importTruth': async ({ comparison, image, file }) => importTruth(await comparisons.at(comparison), image, handles.path(file)),
    'comparisons.truth': async ({ comparison, image, truth, side }) => drawnMask(await comparisons.at(comparison), image, truth, side),
  }
}

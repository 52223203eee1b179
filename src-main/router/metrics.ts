import { baseOf, metricsAndVariants } from '#engine/metrics/registry.ts'
import { noSuchRun } from '#services/run-board.ts'
import { errorOf } from '#services/run-rows.ts'
import type { OpenedStudy } from '#services/study-keeper.ts'
import type { MeasurementOfRun } from '#shared/contract/metrics.ts'
import type { StoredMeasurement } from '#storage/run-metrics.ts'
import type { CallsOf, Parts } from './parts.ts'

export function metricCalls({ keeper, models, pool }: Parts): CallsOf<'metrics'> {
  async function shown(run: string): Promise<OpenedStudy> {
    const { opened } = await keeper.current()
    if (!opened) throw noSuchRun(run)
    return opened
  }

  return {
    'metrics.list': () => metricsAndVariants.map(({ id, title, citation, definition, better, range, cost, needs }) => ({
      id, variantOf: baseOf(id) === id ? null : baseOf(id), title, citation, definition, better, range: [finite(range[0]), finite(range[1])], cost, needs: [...needs],
    })),
    'metrics.ofRun': async ({ run }) => (await (await (await shown(run)).study.readRun(run)).metrics()).map(plainMeasurement),
    'metrics.measure': async ({ run, metrics: ids, judge }, { signal }) => {
      const { study } = await shown(run)
      const { measureRun } = await import('#services/measure-run.ts')
      const asked = judge === null ? null : await models.get(judge)
      const entries = (await study.runs()).filter(({ id, state }) => state === 'finished' && id !== run)
      const others = ids.includes('agreement') ? await Promise.all(entries.map(({ id }) => study.readRun(id))) : []
      const measured = await measureRun(await study.readRun(run), pool, {
        metrics: ids, judge: asked && { source: asked.source, name: asked.info.name }, others, signal,
      })
      return (await study.storeMetrics(run, measured)).map(plainMeasurement)
    },
  }
}

export function plainMeasurement({ error, ...rest }: StoredMeasurement): MeasurementOfRun {
  return { ...rest, error: errorOf({ error }) }
}

function finite(value: number): number | null {
  return Number.isFinite(value) ? value : null
}

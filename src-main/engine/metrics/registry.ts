import { MaskscopeError } from '#shared/domain/errors.ts'
import { averagePrecisionMetric } from './average-precision.ts'
import { energyPointingGameMetric } from './energy-pointing-game.ts'
import type { Metric } from './metric.ts'

/** Every metric of the workbench, in the order in which it is offered. */
export const metrics: readonly Metric[] = [averagePrecisionMetric, energyPointingGameMetric]

/** @throws MaskscopeError 'usage' for an unknown id. */
export function findMetric(id: string): Metric {
  const metric = metrics.find((candidate) => candidate.id === id)
  if (metric) return metric
  throw new MaskscopeError('usage', `There is no metric "${id}"; choose one of ${metrics.map((m) => m.id).join(', ')}.`, { subject: 'metric' })
}

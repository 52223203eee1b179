import { MaskscopeError } from '#shared/domain/errors.ts'
import { agreementMetric } from './agreement.ts'
import { averagePrecisionMetric } from './average-precision.ts'
import { complexityMetric } from './complexity.ts'
import { costMetric } from './cost.ts'
import { energyPointingGameMetric } from './energy-pointing-game.ts'
import { gridPointingGameMetric } from './grid-pointing-game.ts'
import { iouMetric } from './iou.ts'
import { iouBestMetric } from './iou-best.ts'
import { iouOtsuMetric } from './iou-otsu.ts'
import type { Metric } from './metric.ts'
import { pixelAurocMetric } from './pixel-auroc.ts'
import { pointingGameMetric } from './pointing-game.ts'
import { relevanceRankMetric } from './relevance-rank.ts'
import { sparsenessMetric } from './sparseness.ts'

/** Every metric of the workbench, in the order in which it is offered. */
export const metrics: readonly Metric[] = [
  averagePrecisionMetric, iouMetric, iouOtsuMetric, iouBestMetric, pixelAurocMetric, pointingGameMetric, energyPointingGameMetric, relevanceRankMetric, gridPointingGameMetric,
  sparsenessMetric, complexityMetric, agreementMetric, costMetric,
]

/** @throws MaskscopeError 'usage' for an unknown id. */
export function findMetric(id: string): Metric {
  const metric = metrics.find((candidate) => candidate.id === id)
  if (metric) return metric
  throw new MaskscopeError('usage', `There is no metric "${id}"; choose one of ${metrics.map((m) => m.id).join(', ')}.`, { subject: 'metric' })
}

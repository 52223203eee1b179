import { MaskscopeError } from '#shared/domain/errors.ts'
import { agreementMetric } from './agreement.ts'
import { averageDropMetric } from './average-drop.ts'
import { averagePrecisionMetric } from './average-precision.ts'
import { complexityMetric } from './complexity.ts'
import { costMetric } from './cost.ts'
import { deletionMetric } from './deletion.ts'
import { energyPointingGameMetric } from './energy-pointing-game.ts'
import { gridPointingGameMetric } from './grid-pointing-game.ts'
import { increaseInConfidenceMetric } from './increase-in-confidence.ts'
import { infidelityMetric } from './infidelity.ts'
import { insertionMetric } from './insertion.ts'
import { iouMetric } from './iou.ts'
import { iouBestMetric } from './iou-best.ts'
import { iouOtsuMetric } from './iou-otsu.ts'
import { keepRateMetric } from './keep-rate.ts'
import { maxSensitivityMetric } from './max-sensitivity.ts'
import type { Metric } from './metric.ts'
import { pixelAurocMetric } from './pixel-auroc.ts'
import { pointingGameMetric } from './pointing-game.ts'
import { randomisationMetric } from './randomisation.ts'
import { relevanceRankMetric } from './relevance-rank.ts'
import { roadMetric } from './road.ts'
import { sensitivityNMetric } from './sensitivity-n.ts'
import { sparsenessMetric } from './sparseness.ts'
import { sufficiencyMetric } from './sufficiency.ts'

/** Every metric of the workbench, in the order in which it is offered. */
export const metrics: readonly Metric[] = [
  averagePrecisionMetric, iouMetric, iouOtsuMetric, iouBestMetric, pixelAurocMetric, pointingGameMetric, energyPointingGameMetric, relevanceRankMetric,
  gridPointingGameMetric,
  deletionMetric, insertionMetric, roadMetric, averageDropMetric, increaseInConfidenceMetric, sufficiencyMetric, keepRateMetric, infidelityMetric,
  sensitivityNMetric,
  sparsenessMetric, complexityMetric, agreementMetric, costMetric,
  maxSensitivityMetric, randomisationMetric,
]

/** @throws MaskscopeError 'usage' for an unknown id. */
export function findMetric(id: string): Metric {
  const metric = metrics.find((candidate) => candidate.id === id)
  if (metric) return metric
  throw new MaskscopeError('usage', `There is no metric "${id}"; choose one of ${metrics.map((m) => m.id).join(', ')}.`, { subject: 'metric' })
}

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
import type { Metric, MetricPreset } from './metric.ts'
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

/**
 * A metric as one of its presets computes it, called `metric@preset`: other programs and papers define some of them otherwise. It can be
 * asked for wherever a metric can, beside the metric itself.
 */
function variantOf(metric: Metric, preset: MetricPreset): Metric {
  const [first, ...rest] = preset.title
  return {
    ...metric, id: `${metric.id}@${preset.id}`, title: `${metric.title}, ${first!.toLowerCase()}${rest.join('')}`, definition: `${metric.definition} ${preset.source}`,
    cost: preset.cost ?? metric.cost, presets: [preset, ...metric.presets.filter((other) => other !== preset)],
  }
}

/** Every metric with its variants behind it. */
export const metricsAndVariants: readonly Metric[] = metrics.flatMap((metric) => [metric, ...metric.presets.slice(1).map((preset) => variantOf(metric, preset))])

/** The metric that a variant varies; of a metric itself its own id. */
export function baseOf(id: string): string {
  return id.split('@')[0]!
}

/** @throws MaskscopeError 'usage' for an unknown id. */
export function findMetric(id: string): Metric {
  const metric = metricsAndVariants.find((candidate) => candidate.id === id)
  if (metric) return metric
  const variants = metricsAndVariants.filter((candidate) => candidate.id.startsWith(`${baseOf(id)}@`)).map((variant) => variant.id)
  if (id.includes('@') && variants.length > 0) throw new MaskscopeError('usage', `There is no metric "${id}"; variants of ${baseOf(id)} are ${variants.join(', ')}.`, { subject: 'metric' })
  throw new MaskscopeError('usage', `There is no metric "${id}"; choose one of ${metrics.map((m) => m.id).join(', ')}.`, { subject: 'metric' })
}

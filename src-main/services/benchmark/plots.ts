import { findMetric } from '#engine/metrics/registry.ts'
import type { DisplayList } from '#shared/figure/display-list.ts'
import { layOutQualityChart, type QualitySeries } from '#shared/figure/quality-chart.ts'
import { methodOfEntry } from './entries.ts'
import type { Summary } from './summary.ts'

/** Metrics for which quality against cost means something: all with a better end but the cost itself. */
export function plottedMetrics(metrics: readonly string[]): string[] {
  return metrics.filter((metric) => metric !== 'cost' && findMetric(metric).better !== null)
}

/**
 * The quality of all methods against what they ask of the classifier; several budgets of one method are a line. A backward
 * evaluation counts as two forward ones, about what it takes.
 */
export function qualityPlot(summary: Summary, metric: string, width: number): DisplayList {
  const { title, better } = findMetric(metric)
  const series = new Map<string, QualitySeries>()
  for (const [name, of] of Object.entries(summary.methods)) {
    const { mean, low, high } = of[metric]!
    const { forward, backward } = summary.cost[name]!
    if (mean === null || forward === null || backward === null) continue
    const id = methodOfEntry(name)
    const known = series.get(id)?.points ?? []
    const point = { x: forward + 2 * backward, y: mean, low: low ?? mean, high: high ?? mean }
    series.set(id, { name: id, points: [...known, point].sort((a, b) => a.x - b.x) })
  }
  return layOutQualityChart({
    title: `${title}, ${better === 'higher' ? 'higher' : 'lower'} is better`,
    better: better === 'lower' ? 'lower' : 'higher',
    xTitle: 'forward evaluations per image, a backward one counted as two',
    series: [...series.values()],
    note: `${summary.images} images, means with 95% bootstrap intervals.`,
  }, { width })
}

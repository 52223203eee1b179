import type { MetricInfo } from '#shared/contract/metrics.ts'

const shorts: Readonly<Record<string, string>> = {
  'average-precision': 'AP', 'pixel-auroc': 'AUROC', iou: 'IoU', 'iou-otsu': 'IoU', 'iou-best': 'IoU', 'pointing-game': 'point', 'energy-pointing-game': 'energy', insertion: 'ins', deletion: 'del',
  'relevance-rank': 'rank',
}

/** As small as a cell's caption: "AP .71"; '' where there is no number. */
export function metricText(metric: Pick<MetricInfo, 'id' | 'title'>, value: number | null): string {
  return value === null ? '' : `${shortTitle(metric)} ${shareShort(value)}`
}

export function shortTitle({ id, title }: Pick<MetricInfo, 'id' | 'title'>): string {
  const [base, variant] = id.split('@')
  const short = shorts[base!]
  // A variant is marked; which one it is stands in the head of the column.
  return short === undefined ? title.toLowerCase() : variant === undefined ? short : `${short}*`
}

/** ".71", "1", "−.03", "12.3" */
export function shareShort(value: number): string {
  const text = Math.abs(value) >= 100 ? value.toFixed(0) : Math.abs(value) >= 10 ? value.toFixed(1) : value.toFixed(2)
  return text.replace(/^(-?)0\./, '$1.').replace('-', '−')
}

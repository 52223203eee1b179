import type { OpenModel } from '#shared/contract/models.ts'
import { executorIds, executorNames } from '#shared/domain/executor.ts'
import type { Fact } from '../charts/facts.ts'
import { countText } from '../runs/run-text.ts'

export interface FactGroup {
  title: string
  facts: readonly Fact[]
}

/** Everything that is known of a model, in words. */
export function modelFacts({ info, place, bundled }: OpenModel): FactGroup[] {
  const { input, preprocessing: use } = info
  const per = (values: readonly number[]): string => values.map((value) => String(Number(value.toPrecision(6))).replace('-', '−')).join(', ')
  const fit = use.fit === 'squash' ? 'squashed to the input' : `central crop of ${Number((use.cropFraction * 100).toFixed(2))}% of the shorter side`
  return [
    {
      title: 'Model',
      facts: [
        { name: 'Format', value: info.format },
        { name: 'Input', value: `${input.height} × ${input.width} × ${input.channels}` },
        { name: 'Classes', value: `${countText(info.classes)}, ${info.labels ? 'with labels' : 'without labels'}` },
        { name: 'Probabilities by', value: info.head === 'none' ? 'nothing: it gives scores only' : info.head },
        { name: 'Parameters', value: countText(info.parameters) },
        { name: 'Multiply-adds', value: info.multiplyAdds === null ? 'not known' : countText(info.multiplyAdds) },
        { name: 'Access', value: info.access === 'gradient' ? 'gradient: every method' : 'query: methods that only ask for scores' },
        { name: 'Lies in', value: bundled ? 'comes with Maskscope' : place },
        { name: 'SHA-256', value: info.sha256 },
      ],
    },
    {
      title: 'How pixels enter it',
      facts: [
        { name: 'Pictures', value: fit },
        { name: 'Resized by', value: use.resizeFilter },
        { name: 'Value range', value: `${per([use.range[0]])} to ${per([use.range[1]])}` },
        { name: 'Mean', value: per(use.mean) },
        { name: 'Standard deviation', value: per(use.std) },
        { name: 'Channel order', value: use.channelOrder.toUpperCase() },
      ],
    },
  ]
}

/** "ONNX Runtime 1.30.0" */
export function executorTitle({ executor }: Pick<OpenModel['info'], 'executor'>): string {
  return executor.version === null ? executorNames[executor.id] : `${executorNames[executor.id]} ${executor.version}`
}

/** What was measured of each executor with one image. */
export function timingFacts({ executor }: Pick<OpenModel['info'], 'executor'>): Fact[] {
  return executorIds.flatMap((id) => {
    const timing = executor.measured[id]
    if (!timing) return []
    const gradient = timing.gradient === null ? '' : `, ${timeText(timing.gradient)} with gradient`
    return [{ name: executorNames[id], value: `${timeText(timing.forward)} forward${gradient}` }]
  })
}

/** "0.42 ms", "12.3 ms", "148 ms" */
export function timeText(ms: number): string {
  return `${ms >= 100 ? Math.round(ms) : ms.toPrecision(3 - Number(ms < 1))} ms`
}

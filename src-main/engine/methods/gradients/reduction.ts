import type { MapData } from '#shared/domain/image.ts'
import type { Parameter } from '#shared/domain/parameters.ts'
import type { Frame } from '../masks/compose.ts'

/** How the colour channels of an attribution become one map; programs differ in it, and it changes every metric. */
export const reductions = ['magnitude-sum', 'magnitude-max', 'norm', 'sum', 'mean'] as const
export type Reduction = (typeof reductions)[number]

const labels: Readonly<Record<Reduction, string>> = {
  'magnitude-sum': 'Sum of magnitudes', 'magnitude-max': 'Largest magnitude', norm: 'Length', sum: 'Sum, signed', mean: 'Mean, signed',
}

export function isSigned(reduction: Reduction): boolean {
  return reduction === 'sum' || reduction === 'mean'
}

/** @param tuned what a tuner may try; `mean` ranks pixels as `sum` does, so it never need */
export function reductionParameter(fallback: Reduction, tuned: readonly Reduction[] = ['magnitude-sum', 'magnitude-max', 'sum']): Parameter {
  return {
    type: 'choice', name: 'channels', label: 'Channels', group: 'Map', common: true,
    help: 'How the colour channels of a pixel become one value.',
    default: fallback, options: reductions.map((value) => ({ value, label: labels[value] })), tune: { values: tuned },
  }
}

/**
 * @param attribution H·W·C
 * @returns H·W
 */
export function reduceChannels({ height, width, channels }: Frame, attribution: ArrayLike<number>, reduction: Reduction): MapData {
  const data = new Float32Array(height * width)
  for (let i = 0; i < data.length; i++) {
    let value = 0
    for (let c = 0; c < channels; c++) {
      const part = attribution[i * channels + c]!
      if (reduction === 'magnitude-sum') value += Math.abs(part)
      else if (reduction === 'magnitude-max') value = Math.max(value, Math.abs(part))
      else if (reduction === 'norm') value += part * part
      else value += part
    }
    data[i] = reduction === 'norm' ? Math.sqrt(value) : reduction === 'mean' ? value / channels : value
  }
  return { height, width, data }
}

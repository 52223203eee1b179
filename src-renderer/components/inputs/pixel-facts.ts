import type { Stated } from '#shared/contract/models.ts'

/** How pixels enter a network: black and white become `range`, then the mean is taken off and divided by the standard deviation. */
export interface PixelFacts {
  range: readonly [number, number]
  /** One number, or one per channel. */
  mean: readonly number[]
  std: readonly number[]
}

export interface PixelPreset extends PixelFacts {
  id: string
  label: string
  tip: string
}

/** What most classifiers were trained with. */
export const pixelPresets: readonly PixelPreset[] = [
  { id: 'unit', label: '0 to 1', tip: 'Black becomes 0, white 1', range: [0, 1], mean: [0], std: [1] },
  { id: 'signed', label: '−1 to 1', tip: 'Black becomes −1, white 1', range: [-1, 1], mean: [0], std: [1] },
  { id: 'bytes', label: '0 to 255', tip: 'Black becomes 0, white 255', range: [0, 255], mean: [0], std: [1] },
  {
    id: 'imagenet', label: 'ImageNet', tip: 'ImageNet’s mean and standard deviation taken off 0 to 1, as PyTorch’s networks want it',
    range: [0, 1], mean: [0.485, 0.456, 0.406], std: [0.229, 0.224, 0.225],
  },
]

/** The preset that says the same; null where none does. */
export function presetOf(facts: PixelFacts): PixelPreset | null {
  return pixelPresets.find((preset) => same(preset.range, facts.range) && same(preset.mean, facts.mean) && same(preset.std, facts.std)) ?? null
}

/** One number stands for all channels. */
function same(a: readonly number[], b: readonly number[]): boolean {
  const length = Math.max(a.length, b.length)
  return Array.from({ length }, (_, i) => i).every((i) => Math.abs(channel(a, i) - channel(b, i)) < 1e-6)
}

export function channel(values: readonly number[], i: number): number {
  return values.length === 1 ? values[0]! : values[i] ?? NaN
}

/** As they are stated: where all channels have the same, one number says it, whatever the number of channels. */
export function statedFacts({ range, mean, std }: PixelFacts): Required<Pick<Stated, 'range' | 'mean' | 'std'>> {
  const short = (values: readonly number[]): number[] => (values.every((value) => value === values[0]) ? [values[0]!] : [...values])
  return { range: [range[0], range[1]], mean: short(mean), std: short(std) }
}

/** One sentence, or null where they will do. */
export function problemOf({ range, std }: PixelFacts): string | null {
  if (range[0] >= range[1]) return 'The first number must be less than the second.'
  if (std.some((value) => value <= 0)) return 'Every standard deviation must be greater than 0.'
  return null
}

/** Where sliders stand and what they then mean. Positions run from 0 to 1. */
export interface SliderScale {
  min: number
  max: number
  step: number
  logarithmic?: boolean | undefined
}

/** Decades shown by a logarithmic scale that begins at zero; its very end then is zero. */
const decades = 4

const lowest = ({ min, max }: SliderScale): number => (min > 0 ? min : max / 10 ** decades)

export function positionOf(value: number, scale: SliderScale): number {
  const { min, max } = scale
  if (max <= min) return 0
  const clamped = Math.min(max, Math.max(min, value))
  if (!scale.logarithmic) return (clamped - min) / (max - min)
  const low = lowest(scale)
  return clamped <= low ? 0 : Math.log(clamped / low) / Math.log(max / low)
}

/** Linear scales keep to their step, logarithmic ones to three digits, and to whole numbers where the step is whole. */
export function valueAt(position: number, scale: SliderScale): number {
  const { min, max, step } = scale
  if (position <= 0) return min
  if (position >= 1) return max
  if (!scale.logarithmic) return clean(Math.min(max, min + Math.round(((max - min) * position) / step) * step))
  const low = lowest(scale)
  const value = Number((low * (max / low) ** position).toPrecision(3))
  return Math.min(max, Math.max(min, Number.isInteger(step) ? Math.round(value / step) * step : value))
}

/** Without the noise that adding steps leaves: 0.30000000000000004 is 0.3. */
export function clean(value: number): number {
  return Number(value.toPrecision(12))
}

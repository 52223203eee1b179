/**
 * The input gradient of a convolution along one axis, as forward convolutions of the output gradient.
 *
 * Forward: y[o] = Σₖ w[k] · x[o·s + k·d − p]. So position i = q·s + r of the input, in phase r, gets
 * Σ w[k] · dy[q + t] over the taps k with (r + p − k·d) divisible by s, where t = (r + p − k·d) / s: one stride-1
 * convolution per phase. With s = 1 there is one phase, and the taps are d apart.
 */
export interface Phase {
  /** In [0, stride). */
  remainder: number
  /** Index of the filter, and offset into dy relative to q. */
  taps: readonly { k: number; t: number }[]
}

/** The phases that at least one tap reaches and at least one input position lies in. */
export function phasesOf(size: number, kernel: number, stride: number, dilation: number, padBefore: number): Phase[] {
  const phases: Phase[] = []
  for (let remainder = 0; remainder < Math.min(stride, size); remainder++) {
    const taps = []
    for (let k = 0; k < kernel; k++) {
      const offset = remainder + padBefore - k * dilation
      if (offset % stride === 0) taps.push({ k, t: offset / stride })
    }
    if (taps.length > 0) phases.push({ remainder, taps })
  }
  return phases
}

/** One convolution that computes one or several phases at once. */
export interface AxisPlan {
  phases: readonly Phase[]
  /** Per phase and tap position: index of the forward filter, or −1 for a zero. */
  taps: readonly (readonly number[])[]
  dilation: number
  /** Number of positions q computed. */
  outputs: number
  /** Zeros to put around dy; negative: rows of dy to cut off. */
  padBefore: number
  padAfter: number
}

/** @returns null where the taps reach no element of dy, so that the gradient is zero. */
export function planAxis(
  phases: readonly Phase[],
  size: number,
  dySize: number,
  stride: number,
  dilation: number,
): AxisPlan | null {
  const offsets = phases.flatMap((phase) => phase.taps.map((tap) => tap.t))
  const first = Math.min(...offsets)
  const last = Math.max(...offsets)
  const smallest = Math.min(...phases.map((phase) => phase.remainder))
  const outputs = Math.ceil((size - smallest) / stride)
  if (first >= dySize || outputs - 1 + last < 0) return null
  const spacing = stride === 1 ? dilation : 1
  const length = (last - first) / spacing + 1
  const taps = phases.map((phase) => {
    const row = new Array<number>(length).fill(-1)
    for (const { k, t } of phase.taps) row[(t - first) / spacing] = k
    return row
  })
  return { phases, taps, dilation: spacing, outputs, padBefore: -first, padAfter: outputs + last - dySize }
}

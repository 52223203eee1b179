import type { Weight } from '../../graph.ts'

export interface Kernel {
  readonly mode: 'linear' | 'cubic'
  /** Of the cubic: its slope parameter. */
  readonly a: number
  /** Where the axis shrinks, the kernel is as wide as the elements it stands for. */
  readonly antialias: boolean
  /** Taps outside do not count, instead of taking the value at the edge. */
  readonly excludeOutside: boolean
}

/**
 * [in, out]: how much of each element is in each output.
 * @param outside coordinates outside of the axis give nothing (the caller puts a value there)
 */
export function interpolationMatrix(input: number, coordinates: readonly number[], scale: number, kernel: Kernel, outside: (at: number) => boolean): Weight {
  const output = coordinates.length
  const data = new Float32Array(input * output)
  coordinates.forEach((at, o) => {
    if (outside(at)) return
    const taps = tapsAt(at, kernel.antialias ? Math.min(1, scale) : 1, kernel)
    const counted = kernel.excludeOutside ? taps.filter(([i]) => i >= 0 && i < input) : taps
    const total = counted.reduce((sum, [, weight]) => sum + weight, 0)
    for (const [i, weight] of counted) data[Math.min(input - 1, Math.max(0, i)) * output + o]! += weight / total
  })
  return { shape: [input, output], data }
}

/** @param stretch below 1 widens the kernel */
function tapsAt(at: number, stretch: number, kernel: Kernel): [index: number, weight: number][] {
  const reach = (kernel.mode === 'linear' ? 1 : 2) / stretch
  const taps: [number, number][] = []
  for (let i = Math.floor(at - reach) + 1; i < at + reach; i++) taps.push([i, weightAt((i - at) * stretch, kernel)])
  return taps
}

function weightAt(distance: number, { mode, a }: Kernel): number {
  const x = Math.abs(distance)
  if (mode === 'linear') return Math.max(0, 1 - x)
  if (x <= 1) return (a + 2) * x ** 3 - (a + 3) * x ** 2 + 1
  return x < 2 ? a * x ** 3 - 5 * a * x ** 2 + 8 * a * x - 4 * a : 0
}

import { lossAxis, linearAxis, type Axis } from '#shared/figure/axis.ts'
import { decimate } from '../charts/decimate.ts'

/** The axis that a chart of losses has: as in print, but linear where the person wants it. */
export function axisFor(values: readonly number[], logScale: boolean, labels: number): Axis {
  const finite = values.filter(Number.isFinite)
  if (logScale) return lossAxis(finite.length > 0 ? finite : [0], labels)
  let low = 0
  let high = 0
  for (const value of finite) {
    if (value < low) low = value
    if (value > high) high = value
  }
  return linearAxis(low, high, labels)
}

/** The line of a loss along a track, as x, y pairs in shares of its width and height (0 at the top). */
export function trackLine(iterations: readonly number[], values: readonly number[], last: number, logScale: boolean, columns: number): Float64Array {
  const kept = decimate(iterations, [values], columns).filter((i) => Number.isFinite(values[i]))
  const axis = axisFor(kept.map((i) => values[i]!), logScale, 4)
  return Float64Array.from(kept.flatMap((i) => [iterations[i]! / Math.max(1, last), 1 - axis.position(values[i]!)]))
}

/** Where a key takes the handle, or null where the key means nothing to it. */
export function keyTarget(event: Pick<KeyboardEvent, 'key' | 'shiftKey'>): { frames: number } | { to: 'first' | 'last' } | null {
  const many = event.shiftKey ? 10 : 1
  switch (event.key) {
    case 'ArrowLeft':
    case 'ArrowDown':
      return { frames: -many }
    case 'ArrowRight':
    case 'ArrowUp':
      return { frames: many }
    case 'PageDown':
      return { frames: -10 }
    case 'PageUp':
      return { frames: 10 }
    case 'Home':
      return { to: 'first' }
    case 'End':
      return { to: 'last' }
    default:
      return null
  }
}

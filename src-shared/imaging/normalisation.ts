import { MaskscopeError } from '../domain/errors.ts'
import type { MapData } from '../domain/image.ts'

/**
 * How a map's values become colours. It is named with every picture, and metrics never see it.
 * - `range`: the limits that the method states for its maps, e.g. 0 and 1 for a mask;
 * - `map`: the map's own least and greatest value;
 * - `percentile-99`: as `map`, with the upper limit at the 99th percentile of the magnitudes.
 * Several maps share a scale by `sharedLimits`.
 */
export const normalisations = ['range', 'map', 'percentile-99'] as const
export type Normalisation = (typeof normalisations)[number]

export interface Limits {
  low: number
  high: number
}

/**
 * Display limits of a map. Those of a signed map are symmetric, so that the middle of a diverging scale is zero; those
 * of an unsigned map start at its least value: of RISE's sums, say, which are nowhere near 0, only the differences tell something.
 * @throws MaskscopeError 'input' if a value is not a finite number, or `range` is asked for and not finite.
 */
export function displayLimits(
  map: MapData, kind: Normalisation, options: { signed: boolean; range: readonly [number, number] },
): Limits {
  checkFinite(map)
  if (kind === 'range') {
    const [low, high] = options.range
    if (!Number.isFinite(low) || !Number.isFinite(high) || low >= high) {
      throw new MaskscopeError('usage', 'This map has no stated limits; choose the normalisation "map" or "percentile-99".', { subject: 'normalisation' })
    }
    return options.signed ? symmetric(Math.max(Math.abs(low), Math.abs(high))) : { low, high }
  }
  let least = Infinity
  let most = -Infinity
  for (const value of map.data) {
    if (value < least) least = value
    if (value > most) most = value
  }
  if (kind === 'map') {
    return options.signed ? symmetric(Math.max(Math.abs(least), Math.abs(most))) : widened({ low: least, high: most })
  }
  const high = percentile(map.data.map(Math.abs), 0.99)
  return options.signed ? symmetric(high) : widened({ low: least, high })
}

/** Limits that hold all of several maps: the shared scale of a row or a figure. */
export function sharedLimits(all: readonly Limits[]): Limits {
  return { low: Math.min(...all.map((l) => l.low)), high: Math.max(...all.map((l) => l.high)) }
}

/** Position of a value between the limits, clipped to [0, 1]. */
export function normalise(value: number, { low, high }: Limits): number {
  return Math.min(1, Math.max(0, (value - low) / (high - low)))
}

/**
 * How much a value counts between the limits, 0 to 1: of a signed map, whose limits lie around zero, its magnitude; else its
 * position, so that the least value adds nothing also where it is not zero.
 */
export function strength(value: number, { low, high }: Limits): number {
  return low === -high ? Math.min(1, Math.abs(value) / high) : Math.min(1, Math.max(0, (value - low) / (high - low)))
}

/**
 * A map as a mask in [0, 1], for looking: one that is a mask stays as it is; others from their least value to their 99th percentile,
 * signed ones from zero, so that single pixels do not hide all the rest.
 * @param kind.range the map's stated limits; null: unbounded
 */
export function asMask(map: MapData, { signed, range }: { signed: boolean; range: readonly [number | null, number | null] }): MapData {
  if (!signed && range[0] === 0 && range[1] === 1) return map
  const high = percentile(signed ? map.data.map(Math.abs) : map.data, 0.99)
  const limits = widened({ low: signed ? 0 : map.data.reduce((a, b) => Math.min(a, b), Infinity), high })
  return { ...map, data: map.data.map((value) => normalise(value, limits)) }
}

function symmetric(extent: number): Limits {
  return extent > 0 ? { low: -extent, high: extent } : { low: -1, high: 1 }
}

/** A constant map still needs a scale: one unit upwards. */
function widened({ low, high }: Limits): Limits {
  return high > low ? { low, high } : { low, high: low + 1 }
}

/** Linear interpolation between order statistics, as numpy's default. */
function percentile(values: Float32Array, fraction: number): number {
  const sorted = values.slice().sort()
  const at = (sorted.length - 1) * fraction
  const below = sorted[Math.floor(at)] as number
  const above = sorted[Math.ceil(at)] as number
  return below + (above - below) * (at - Math.floor(at))
}

function checkFinite(map: MapData): void {
  const bad = map.data.findIndex((value) => !Number.isFinite(value))
  if (bad === -1) return
  const place = `row ${Math.floor(bad / map.width)}, column ${bad % map.width}`
  throw new MaskscopeError('input', `The map holds ${map.data[bad]} at ${place}; only finite numbers can be drawn.`, { subject: 'map' })
}

import type { Settings } from '#shared/contract/system.ts'
import type { MapData } from '#shared/domain/image.ts'
import { colormap, colormapIds, defaultColormap, divergingColormaps, type Colormap, type ColormapId } from '#shared/imaging/colormap.ts'
import { isMask, type MapFacts } from '#shared/figure/map-kind.ts'
import { displayLimits, type Limits, type Normalisation } from '#shared/imaging/normalisation.ts'

/** What is stated of a map: its sign, its limits where it has any, and whether it hides and keeps pixels. */
export interface MapKind {
  signed: boolean
  /** null: unbounded */
  range: readonly [number | null, number | null]
  mask: boolean
}

export function mapKindOf(facts: MapFacts): MapKind {
  return { signed: facts.signed, range: facts.range, mask: isMask(facts) }
}

/** How the map on the stage becomes colours. */
export interface Scale {
  limits: Limits
  colormap: Colormap
  /** The one in force, which is not the chosen one where a map that is no mask has no limits to show. */
  normalisation: Normalisation
}

export const normalisationTitles: Record<Normalisation, string> = {
  range: 'stated range', map: 'per map', 'percentile-99': 'percentile 99',
}

/** Signed maps need a diverging scale, unsigned ones must not have one. */
export function colormapInForce(chosen: string, signed: boolean): ColormapId {
  const known = (colormapIds as readonly string[]).includes(chosen) ? (chosen as ColormapId) : defaultColormap(signed)
  return (divergingColormaps as readonly string[]).includes(known) === signed ? known : defaultColormap(signed)
}

/** Limits are stated of masks. Between those of other maps, if they have any, single pixels would take all of the scale. */
export function normalisationInForce(chosen: Normalisation, kind: Pick<MapKind, 'mask'>): Normalisation {
  return chosen === 'range' && !kind.mask ? 'percentile-99' : chosen
}

export function scaleOf(map: MapData, chosen: Pick<Settings['stage'], 'colormap' | 'normalisation'>, kind: MapKind): Scale {
  const [low, high] = kind.range
  const normalisation = normalisationInForce(chosen.normalisation, kind)
  const range = [low ?? Number.NEGATIVE_INFINITY, high ?? Number.POSITIVE_INFINITY] as const
  return {
    limits: displayLimits(map, normalisation, { signed: kind.signed, range }),
    colormap: colormap(colormapInForce(chosen.colormap, kind.signed)),
    normalisation,
  }
}

/** The value at which contours run: of the threshold's strength, or of half where there is none; of a signed map the positive one. */
export function contourLevel(threshold: number, { limits: { low, high } }: Scale): number {
  const share = threshold > 0 ? threshold : 0.5
  return low === -high ? share * high : low + share * (high - low)
}

import type { Normalisation } from '../imaging/normalisation.ts'

/** What is stated of a map. */
export interface MapFacts {
  signed: boolean
  /** Its possible limits; null or infinite: unbounded. */
  range: readonly [number | null, number | null]
  /** `masked` is null or NaN where nothing was hidden by it; `original` too where the classifier tells no probabilities. */
  probability: { original: number | null; masked: number | null }
}

/** Whether a map hides and keeps pixels: also a ranking may lie between 0 and 1. */
export function isMask({ signed, range, probability: { original, masked } }: MapFacts): boolean {
  return !signed && range[0] === 0 && range[1] === 1 && (original === null || Number.isNaN(original) || (masked !== null && !Number.isNaN(masked)))
}

/** "Mask" for what keeps and hides pixels, "Attribution" for signed maps, else "Map". */
export function mapTitle(facts: MapFacts): 'Mask' | 'Attribution' | 'Map' {
  return isMask(facts) ? 'Mask' : facts.signed ? 'Attribution' : 'Map'
}

/** Masks stand as they are; of other maps single pixels would take all of the scale. */
export function usualNormalisation(facts: MapFacts): Normalisation {
  return isMask(facts) ? 'range' : 'percentile-99'
}

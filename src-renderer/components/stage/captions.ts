import type { View } from '#shared/domain/image.ts'
import { numberText } from '#shared/figure/numbers.ts'
import { seesAll } from '#shared/imaging/overlay.ts'
import type { Removed } from './layer-cache.ts'
import { normalisationTitles, type MapKind, type Scale } from './scale.ts'

/** A picture's title and, muted behind it, what holds for it. */
export interface Caption {
  title: string
  note: string
}

/** "0.86"; two significant digits where two decimals would say nothing. */
export function shareText(p: number): string {
  return p !== 0 && Math.abs(p) < 0.01 ? numberText(p, 2) : p.toFixed(2).replace('-', '−')
}

/** "pets.jpg, central crop" */
export function pictureText(name: string, view: View | null): string {
  return view && !seesAll(view) ? `${name}, central crop` : name
}

/** "28 × 28, raw 0 to 1" */
export function mapText(map: { width: number; height: number }, scale: Scale): string {
  const { low, high } = scale.limits
  const values = `${numberText(low, 2)} to ${numberText(high, 2)}`
  return `${map.width} × ${map.height}, ${scale.normalisation === 'range' ? 'raw ' : ''}${values}${
    scale.normalisation === 'range' ? '' : `, ${normalisationTitles[scale.normalisation]}`}`
}

export function overlayText(settings: { contours: boolean; threshold: number; opacity: number }): string {
  if (settings.contours) return `contour at ${shareText(settings.threshold > 0 ? settings.threshold : 0.5)}`
  return settings.threshold > 0 ? `from ${shareText(settings.threshold)}` : ''
}

/** What stands where the mask hides the picture. */
export function removedText(removed: Removed, fillName: string): string {
  if (removed === 'dimmed') return 'removed dimmed'
  return removed === 'baseline' && fillName !== '' ? fillName : ''
}

/** A map that is no mask hides pixels only here, and only once it is scaled to one. */
export function scaledText(kind: Pick<MapKind, 'mask' | 'signed'>): string {
  return kind.mask ? '' : kind.signed ? 'by the positive part, scaled to 0–1' : 'by the map, scaled to 0–1'
}

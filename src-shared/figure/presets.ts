import { MaskscopeError } from '../domain/errors.ts'

export interface WidthPreset {
  id: string
  title: string
  /** mm */
  width: number
}

/** Column and text widths of the usual places. */
export const widthPresets: readonly WidthPreset[] = [
  { id: 'ieee-1', title: 'IEEE, one column', width: 88.9 },
  { id: 'ieee-2', title: 'IEEE, two columns', width: 181 },
  { id: 'acm-1', title: 'ACM, one column', width: 84.7 },
  { id: 'acm-2', title: 'ACM, two columns', width: 177.8 },
  { id: 'lncs', title: 'Springer LNCS', width: 122 },
  { id: 'elsevier-1', title: 'Elsevier, one column', width: 90 },
  { id: 'elsevier-2', title: 'Elsevier, two columns', width: 190 },
  { id: 'nature-1', title: 'Nature, one column', width: 89 },
  { id: 'nature-2', title: 'Nature, two columns', width: 183 },
  { id: 'neurips', title: 'NeurIPS', width: 139.7 },
  { id: 'cvpr-1', title: 'CVPR, one column', width: 82.5 },
  { id: 'cvpr-2', title: 'CVPR, two columns', width: 174.6 },
  { id: 'slide', title: 'Slide, A4', width: 254 },
]

export const defaultWidth = 88.9
export const widthLimits = { least: 60, most: 500 } as const

/** @throws MaskscopeError 'usage' for a width that no legible figure fits. */
export function checkWidth(width: number): number {
  if (Number.isFinite(width) && width >= widthLimits.least && width <= widthLimits.most) return width
  throw new MaskscopeError('usage', `The width is ${width} mm; choose one between ${widthLimits.least} and ${widthLimits.most} mm.`, { subject: 'width' })
}

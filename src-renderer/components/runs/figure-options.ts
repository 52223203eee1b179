import type { FigureChoice } from '#shared/contract/runs.ts'
import { widthPresets } from '#shared/figure/presets.ts'
import { divergingColormaps, sequentialColormaps } from '#shared/imaging/colormap.ts'

export type FigureFormat = 'pdf' | 'svg' | 'png'

interface Option<T extends string = string> {
  value: T
  label: string
  note?: string
}

export const formatOptions: readonly Option<FigureFormat>[] = [{ value: 'pdf', label: 'PDF' }, { value: 'svg', label: 'SVG' }, { value: 'png', label: 'PNG' }]

export const fontOptions: readonly Option<FigureChoice['font']>[] = [
  { value: 'arimo', label: 'Arimo', note: 'as Arial' }, { value: 'tinos', label: 'Tinos', note: 'as Times' }, { value: 'stix', label: 'STIX Two Text' },
]

export const normalisationOptions: readonly Option<FigureChoice['normalisation']>[] = [
  { value: 'range', label: "The method's limits" }, { value: 'map', label: 'Least to greatest' }, { value: 'percentile-99', label: '99th percentile' },
]

export const ownWidth = 'own'
export const widthOptions: readonly Option[] = [
  ...widthPresets.map(({ id, title, width }) => ({ value: id, label: title, note: `${width} mm` })), { value: ownWidth, label: 'Own width' },
]

/** The place whose width this is; several share one, the first is named. */
export function presetOf(width: number): string {
  return widthPresets.find((preset) => preset.width === width)?.id ?? ownWidth
}

const titles: Record<string, string> = { rdbu: 'RdBu', puor: 'PuOr' }

/** Those that fit the map's kind first. */
export function colormapOptions(signed: boolean): Option[] {
  const ids: readonly string[] = signed ? [...divergingColormaps, ...sequentialColormaps] : [...sequentialColormaps, ...divergingColormaps]
  return ids.map((id) => ({ value: id, label: titles[id] ?? id }))
}

import { MaskscopeError } from '#shared/domain/errors.ts'
import type { DisplayList } from '#shared/figure/display-list.ts'
import type { FaceId, FontFamily } from '#shared/figure/faces.ts'
import { defaultWidth } from '#shared/figure/presets.ts'
import { layOutRunFigure } from '#shared/figure/run-figure.ts'
import type { RunFigureData } from '#shared/figure/run-figure-data.ts'
import { usedCharacters, writeSvg } from '#shared/figure/svg.ts'
import type { ColormapId } from '#shared/imaging/colormap.ts'
import type { Normalisation } from '#shared/imaging/normalisation.ts'
import { writePdf } from './figures/pdf.ts'
import { writePng } from './figures/png.ts'
import { runFigureData } from './figures/stored-run.ts'
import { subsetFont } from './figures/subset.ts'
import { encodePng } from './images.ts'
import type { StoredRun } from './studies.ts'

export const figureFormats = ['png', 'svg', 'pdf'] as const
export type FigureFormat = (typeof figureFormats)[number]

export interface FigureOptions {
  format: FigureFormat
  /** Default 88.9, one column of IEEE. */
  widthMm?: number
  /** Of PNG; default 300. */
  dpi?: number
  font?: FontFamily
  colormap?: ColormapId
  normalisation?: Normalisation
  caption?: boolean
}

export const defaultDpi = 300
const dpiLimits = { least: 36, most: 2400 } as const
/** A PNG of this many pixels takes 0.8 GB to draw. */
const mostPixels = 200_000_000

/**
 * The figure of a run as a file's bytes. The same data and options give the same bytes.
 * @throws MaskscopeError 'usage' for a width or resolution out of range, 'input' for data that cannot be drawn.
 */
export async function renderRunFigure(data: RunFigureData, options: FigureOptions): Promise<Uint8Array> {
  return renderFigure(layOut(data, options), options.format, options.dpi ?? defaultDpi)
}

function layOut(data: RunFigureData, { widthMm, font, colormap, normalisation, caption }: Omit<FigureOptions, 'format'>): DisplayList {
  return layOutRunFigure(data, {
    width: widthMm ?? defaultWidth, ...(font === undefined ? {} : { family: font }), ...(colormap === undefined ? {} : { colormap }),
    ...(normalisation === undefined ? {} : { normalisation }), ...(caption === undefined ? {} : { caption }),
  })
}

export interface FigurePreview {
  /** The very file that would be written. */
  svg: string
  widthMm: number
  heightMm: number
  caption: string
}

/** The figure as it is printed, to be looked at, with its caption as text. */
export async function previewOfStoredRun(run: StoredRun, options: Omit<FigureOptions, 'format'>): Promise<FigurePreview> {
  const list = layOut(await runFigureData(run), options)
  return { svg: await selfContainedSvg(list), widthMm: list.width, heightMm: list.height, caption: list.description }
}

/** As `renderRunFigure`, of a run as a study holds it. */
export async function figureOfStoredRun(run: StoredRun, options: FigureOptions): Promise<Uint8Array> {
  return renderRunFigure(await runFigureData(run), options)
}

/** Any figure in any format. */
export async function renderFigure(list: DisplayList, format: FigureFormat, dpi: number): Promise<Uint8Array> {
  switch (format) {
    case 'svg': return new TextEncoder().encode(await selfContainedSvg(list))
    case 'pdf': return writePdf(list)
    case 'png': return writePng(list, checkDpi(dpi, list))
  }
}

/** With its fonts and pictures inside. @param metadata XML for the file's metadata element */
export async function selfContainedSvg(list: DisplayList, metadata?: string): Promise<string> {
  const images = new Map<string, Uint8Array>()
  for (const item of list.items) if (item.type === 'image') images.set(item.id, await encodePng(item.picture))
  const fonts = new Map<FaceId, Uint8Array>()
  for (const [id, characters] of usedCharacters(list)) fonts.set(id, subsetFont(id, characters))
  return writeSvg(list, { images, fonts, ...(metadata === undefined ? {} : { metadata }) })
}

/** @throws MaskscopeError 'usage' for a resolution out of range */
export function checkDpi(dpi: number, list: DisplayList): number {
  if (!Number.isFinite(dpi) || dpi < dpiLimits.least || dpi > dpiLimits.most) {
    throw new MaskscopeError('usage', `The resolution is ${dpi} dpi; choose one between ${dpiLimits.least} and ${dpiLimits.most}.`, { subject: 'dpi' })
  }
  const pixels = (list.width / 25.4) * dpi * (list.height / 25.4) * dpi
  if (pixels > mostPixels) {
    throw new MaskscopeError('usage', `At ${dpi} dpi the figure has ${Math.round(pixels / 1e6)} million pixels; choose a lower resolution, or PDF.`, { subject: 'dpi' })
  }
  return dpi
}

import { colormap, defaultColormap, type Colormap } from '../imaging/colormap.ts'
import { displayLimits, type Limits, type Normalisation } from '../imaging/normalisation.ts'
import { runCaption, targetName } from './caption.ts'
import { scaled, type DisplayList, type Item } from './display-list.ts'
import type { FontFamily } from './faces.ts'
import { usualNormalisation } from './map-kind.ts'
import { checkWidth } from './presets.ts'
import { checkRunFigureData, type RunFigureData, type RunFigureOptions } from './run-figure-data.ts'
import { chartFacts, layOutCharts, leastChartsHeight } from './run-charts.ts'
import { layOutPictures, picturesShape } from './run-pictures.ts'
import { capHeight, placeLine } from './set.ts'
import { typeSizes } from './style.ts'
import { pointMm, wrap } from './text.ts'

/** Wider than this, the charts stand beside the pictures. */
const sideBySide = 150
/** Wider than any page, a figure is for a screen: it is laid out smaller and enlarged, type included. */
const screen = { width: 220, enlarged: 1.6 }

/** How the map is shown: its colours, its limits, and how those came about. */
export interface Scale {
  colormap: Colormap
  limits: Limits
  normalisation: Normalisation
}

/** What the parts of the layout share. */
export interface Sheet {
  data: RunFigureData
  family: FontFamily
  scale: Scale
}

/**
 * The figure of one run: input, map, overlay with the colour bar they share, the course of the losses and of the
 * target's probability, caption. Pure: the same data and options give the same list.
 * @throws MaskscopeError 'input' for data that cannot be drawn, 'usage' for a width that cannot be kept.
 */
export function layOutRunFigure(data: RunFigureData, options: RunFigureOptions): DisplayList {
  checkWidth(options.width)
  checkRunFigureData(data)
  const factor = options.width > screen.width ? screen.enlarged : 1
  const width = options.width / factor
  const sheet: Sheet = { data, family: options.family ?? 'arimo', scale: chooseScale(data, options) }

  const facts = chartFacts(data, width >= sideBySide)
  const beside = width >= sideBySide && facts.panels.loss !== null
  const picturesWidth = beside ? width * 0.62 : width
  const shape = picturesShape(data.picture, picturesWidth)
  const pictures = layOutPictures(sheet, 0, 0, picturesWidth, shape)
  const items: Item[] = [...pictures.items]
  let bottom = pictures.height

  if (facts.panels.loss !== null) {
    const chartsWidth = beside ? width - picturesWidth - 7 : width
    const height = Math.max(leastChartsHeight(sheet, facts, beside), beside ? Math.min(pictures.height, 70) : 0)
    const top = beside ? 0 : bottom + 3.2
    items.push(...layOutCharts(sheet, facts, { x: width - chartsWidth, y: top, width: chartsWidth, height }))
    bottom = Math.max(bottom, top + height)
  }

  const caption = runCaption(data, {
    colormap: sheet.scale.colormap.id, limits: sheet.scale.limits, normalisation: sheet.scale.normalisation,
    panels: facts.panels, lossFloor: facts.lossFloor, logarithmic: facts.lossAxis?.kind === 'log', medianOver: facts.medianOver,
  })
  if (options.caption !== false) {
    const format = { family: sheet.family, size: typeSizes[sheet.family].text }
    const leading = format.size * pointMm * 1.24
    let baseline = bottom + 3.2 + capHeight(format)
    for (const line of wrap(caption, width, format)) {
      items.push(placeLine(line, 0, baseline, format))
      baseline += leading
    }
    bottom = baseline - leading + format.size * pointMm * 0.25
  }
  const list: DisplayList = {
    width,
    height: Math.ceil((bottom + 0.3) * 100) / 100,
    title: plain(`${data.image}: ${targetName(data)} by ${data.method}`),
    description: plain(caption.map((span) => span.text).join('')),
    items,
  }
  return scaled(list, factor)
}

function chooseScale(data: RunFigureData, options: RunFigureOptions): Scale {
  const normalisation = options.normalisation ?? usualNormalisation(data)
  return {
    colormap: colormap(options.colormap ?? defaultColormap(data.signed)),
    limits: displayLimits(data.map, normalisation, data),
    normalisation,
  }
}

/** For metadata: other scripts stay, control characters and those that turn the writing direction do not. */
function plain(text: string): string {
  return text.replace(/[\p{Cc}\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069]/gu, '').replace(/\u00a0/g, ' ')
}

import type { Axis } from '../axis.ts'
import { axisHeight, axisWidth, drawBottomAxis, drawEndLabels, drawLeftAxis, drawSeries, labelColumnWidth, labelsHeight, type ChartFrame, type Series } from '../chart.ts'
import type { Item } from '../display-list.ts'
import { drawHead, headHeight, type Area, type Panel, type PanelContext } from './panel.ts'

export interface Chart {
  title: string
  xTitle: string
  /** @param room mm of the plot, so that labels stand apart */
  xAxis(room: number): Axis
  yAxis: Axis
  series: readonly Series[]
  /** Pale lines below the others. */
  bands: readonly Series[]
  /** mm of the plot; null: usual, or what the row has left. */
  height: number | null
}

/** mm */
const leastPlot = 24
/** Narrower than this, labels would take all of the plot. */
const labelShare = 0.42

/** A line chart: head, axes without a box, labels at the lines' ends. */
export function chartPanel(context: PanelContext, chart: Chart): Omit<Panel, 'caption' | 'numbers'> {
  const { family } = context
  const { series, yAxis } = chart
  const plotAtLeast = Math.max(chart.height ?? leastPlot, labelsHeight(series.length, family))
  const around = headHeight(family) + axisHeight(family)
  return {
    grows: chart.height === null,
    height: () => around + plotAtLeast,
    draw(area: Area): Item[] {
      const column = labelColumnWidth(series, family, area.width * labelShare)
      const left = axisWidth(yAxis, family)
      const height = chart.height === null ? Math.max(plotAtLeast, area.height - around) : plotAtLeast
      const frame: ChartFrame = { x: area.x + left, y: area.y + headHeight(family), width: area.width - left - column, height, family }
      const xAxis = chart.xAxis(frame.width)
      return [
        ...drawHead(context, chart.title, area),
        ...drawLeftAxis(frame, yAxis),
        ...drawBottomAxis(frame, xAxis, chart.xTitle),
        ...drawSeries(frame, xAxis, yAxis, chart.bands),
        ...drawSeries(frame, xAxis, yAxis, series),
        ...drawEndLabels(frame, yAxis, series, column),
      ]
    },
  }
}

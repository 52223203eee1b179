import { moved } from '../display-list.ts'
import type { FigureNumber } from '../figure-data.ts'
import { axisHeight } from '../chart.ts'
import { drawQualityChart, type QualityChart } from '../quality-chart.ts'
import { typeSizes } from '../style.ts'
import type { PanelOf } from '../spec.ts'
import { ellipsise } from '../text.ts'
import { betterText, countText, groupRuns, leastForInterval, meanOf, measuredOf } from './grouping.ts'
import { runOf } from './map-panels.ts'
import { sentence, type Panel, type PanelContext } from './panel.ts'

/** mm of the plot where nobody says */
const usual = 30
/** Head, axis and note around the plot, roughly; the chart itself tells exactly. */
const around = 12

/** Cost against quality. @throws MaskscopeError 'usage' for runs that were not measured */
export function scatterPanel(spec: PanelOf<'scatter'>, context: PanelContext): Panel {
  const { family, letter, name } = context
  const metric = context.facts.metrics.get(spec.metric) ?? { title: spec.metric, better: null }
  const groups = groupRuns(spec.runs.map((id) => runOf(context, id)), context).map((group) => {
    const y = meanOf(group.runs.map((run) => measuredOf(run, spec.metric, metric.title).value ?? Number.NaN))
    const x = meanOf(group.runs.map((run) => (spec.cost === 'evaluations' ? run.evaluations : run.seconds ?? Number.NaN))).mean
    return { ...group, x, y }
  }).filter(({ x, y }) => Number.isFinite(x) && Number.isFinite(y.mean))
  const note = `${countText(groups)}${groups.some(({ runs }) => runs.length >= leastForInterval) ? '; bars: 95% bootstrap intervals' : ''}`
  const title = spec.title ?? [metric.title, betterText(metric.better)].filter((text) => text !== '').join(', ')
  const format = { family, size: typeSizes[family].text }
  const chart = (width: number): QualityChart => ({
    title: ellipsise(title, width - (letter === null ? 0 : 6), format), better: metric.better ?? 'higher', note: ellipsise(note, width, format),
    xTitle: spec.cost === 'evaluations' ? 'images through the classifier' : 'seconds',
    series: groups.map(({ label, look, x, y }) => ({ name: label, look, points: [{ x, y: y.mean, low: Number.isFinite(y.low) ? y.low : y.mean, high: Number.isFinite(y.high) ? y.high : y.mean }] })),
  })
  const drawn = (width: number, least: number) => drawQualityChart(chart(width), { width, family, letter, least })
  const least = spec.height ?? usual
  return {
    grows: spec.height === null,
    height: (width) => drawn(width, least).height,
    draw(area) {
      const room = area.height - around - axisHeight(family) - 1
      return moved(drawn(area.width, spec.height ?? Math.max(least, room)).items, area.x, area.y)
    },
    caption: sentence(context, `${title} by ${spec.cost === 'evaluations' ? 'images sent through the classifier' : 'seconds'}; ${note}.`),
    numbers: groups.flatMap(({ label, runs, x, y }): FigureNumber[] => [{ panel: name, run: runs.map(({ id }) => id).join(' '), series: label, quantity: spec.metric, x, value: y.mean, low: finite(y.low), high: finite(y.high) }]),
  }
}

function finite(value: number): number | null {
  return Number.isFinite(value) ? value : null
}

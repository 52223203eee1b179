import uPlot from 'uplot'
import { spreadLabels } from '#shared/figure/labels.ts'
import type { Curve, Curves } from './curves.ts'

/** Crosshairs of plots with this name move together. */
const syncName = 'course'

export interface PlotLook {
  curves: readonly Curve[]
  /** A token of the theme as a colour. */
  token(name: string): string
  /** CSS pixels. */
  size: { width: number; height: number }
  /** CSS pixels right of the plot, for labels at the lines' ends. */
  labels: number
  /** Read at every drawing. */
  now(): { axis: Curves['axis']; iteration: number | null; values: readonly string[] }
  /** The person points at an iteration and presses. */
  scrub(iteration: number): void
}

const labelHeight = 14

/** A chart over iterations: lines, labels at their ends, the iteration that the stage shows. */
export function makePlot(target: HTMLElement, data: uPlot.AlignedData, look: PlotLook): uPlot {
  const { token } = look
  const font = `11px ${getComputedStyle(target).fontFamily}`
  const axisBase = { stroke: token('muted'), font, ticks: { show: false } } as const
  const plot = new uPlot({
    ...look.size,
    padding: [8, look.labels, 0, 0],
    legend: { show: false },
    scales: { x: { time: false, range: (_, min, max) => [min ?? 0, max ?? 1] }, y: { range: [0, 1] } },
    cursor: {
      y: false, points: { show: false }, drag: { setScale: false, x: false, y: false },
      sync: { key: syncName, scales: ['x', null] },
    },
    axes: [
      { ...axisBase, size: 20, gap: 4, space: 44, grid: { show: false } },
      {
        ...axisBase, size: 34, gap: 4, grid: { stroke: token('hairline'), width: 1 },
        splits: () => look.now().axis.ticks.map((tick) => tick.at),
        values: () => look.now().axis.ticks.map((tick) => tick.label),
      },
    ],
    series: [
      {},
      ...look.curves.map((curve): uPlot.Series => ({
        stroke: token(curve.colour), width: curve.width, alpha: curve.pale ? 0.3 : 1, spanGaps: curve.sparse ?? false, points: { show: false },
        ...(curve.dash ? { dash: [...curve.dash] } : {}),
      })),
    ],
    hooks: { draw: [(u) => drawNow(u, look), (u) => drawLabels(u, look, font)] },
  }, data, target)
  listen(plot, look)
  return plot
}

/** The line at the iteration that the stage shows. */
function drawNow(u: uPlot, look: PlotLook): void {
  const { iteration } = look.now()
  if (iteration === null) return
  const x = Math.round(u.valToPos(iteration, 'x', true))
  const { left, top, width, height } = u.bbox
  if (x < left || x > left + width) return
  u.ctx.save()
  // A dashed line may have been drawn last.
  u.ctx.setLineDash([])
  u.ctx.strokeStyle = look.token('accent')
  u.ctx.lineWidth = 1.5 * uPlot.pxRatio
  u.ctx.beginPath()
  u.ctx.moveTo(x, top)
  u.ctx.lineTo(x, top + height)
  u.ctx.stroke()
  u.ctx.restore()
}

/** Names at the lines' ends instead of a legend, each with its value where the stage stands. */
function drawLabels(u: uPlot, look: PlotLook, font: string): void {
  const { values } = look.now()
  const ratio = uPlot.pxRatio
  const { left, top, width, height } = u.bbox
  const ends = look.curves.map((_, i) => {
    const list = u.data[i + 1] as (number | null)[]
    const at = list.findLastIndex((value) => value !== null)
    return at === -1 ? null : { x: u.valToPos((u.data[0] as number[])[at]!, 'x', true), y: u.valToPos(list[at]!, 'y', true) }
  })
  const shown = look.curves.map((curve, i) => ({ curve, end: ends[i] })).filter(({ curve }) => !curve.pale)
    .map((label, i) => ({ ...label, value: values[i] ?? '' })).filter((label) => label.end)
  const half = (labelHeight / 2) * ratio
  const places = spreadLabels(shown.map((label) => label.end!.y), labelHeight * ratio, top + half - 4 * ratio, top + height - half + 4 * ratio)
  const { ctx } = u
  ctx.save()
  ctx.textBaseline = 'middle'
  ctx.textAlign = 'left'
  ctx.font = font.replace(/^[\d.]+/, (size) => String(Number(size) * ratio))
  shown.forEach(({ curve, end, value }, i) => {
    const x = Math.min(end!.x, left + width) + 8 * ratio
    // While the run goes on, labels lie on the plot; its lines do not run through them.
    ctx.fillStyle = look.token('panel')
    ctx.fillRect(x - 2 * ratio, places[i]! - half + ratio, ctx.measureText(`${curve.label} ${value}`).width + 4 * ratio, 2 * half - 2 * ratio)
    ctx.fillStyle = look.token(curve.colour)
    ctx.fillText(curve.label, x, places[i]!)
    ctx.fillStyle = look.token('muted')
    ctx.fillText(value, x + ctx.measureText(`${curve.label} `).width, places[i]!)
  })
  ctx.restore()
}

function listen(u: uPlot, look: PlotLook): void {
  const scrub = (event: PointerEvent): void => {
    const box = u.over.getBoundingClientRect()
    look.scrub(u.posToVal(Math.min(box.width, Math.max(0, event.clientX - box.left)), 'x'))
  }
  u.over.addEventListener('pointerdown', (event) => {
    if (event.button !== 0) return
    u.over.setPointerCapture(event.pointerId)
    scrub(event)
  })
  u.over.addEventListener('pointermove', (event) => {
    if (u.over.hasPointerCapture(event.pointerId)) scrub(event)
  })
}

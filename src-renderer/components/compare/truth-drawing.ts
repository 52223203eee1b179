import type { TruthShape } from '#shared/contract/comparison.ts'
import type { Context } from '../stage/draw.ts'

/** Lines around shapes: white with dark dashes, seen on any picture; the chosen one is thicker. @param scale CSS pixels per pixel of the picture */
export function traceShapes(ctx: Context, shapes: readonly TruthShape[], scale: number, chosen: number): void {
  shapes.forEach((shape, i) => {
    ctx.beginPath()
    if (shape.type === 'box') ctx.rect(shape.left * scale, shape.top * scale, shape.width * scale, shape.height * scale)
    else {
      shape.points.forEach(([x, y], k) => (k === 0 ? ctx.moveTo(x * scale, y * scale) : ctx.lineTo(x * scale, y * scale)))
      ctx.closePath()
    }
    ctx.lineWidth = i === chosen ? 2.5 : 1.5
    ctx.setLineDash([])
    ctx.strokeStyle = '#ffffff'
    ctx.stroke()
    ctx.setLineDash([4, 4])
    ctx.strokeStyle = '#000000'
    ctx.stroke()
    ctx.setLineDash([])
  })
}

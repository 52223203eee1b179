import type { View } from '#shared/domain/image.ts'
import type { Contour } from '#shared/imaging/contours.ts'
import { cropBox, seesAll, type Box } from '#shared/imaging/overlay.ts'
import type { Placement, Size } from './viewport.ts'

/** Both kinds of canvas, and what tests draw on. */
export type Context = CanvasRenderingContext2D | OffscreenCanvasRenderingContext2D
export type Drawable = CanvasImageSource & Size

/** Where a picture's pixels are drawn larger than this, in device pixels, they are drawn square. */
const sharpFrom = 2

export interface Cell {
  /** CSS pixels. */
  size: Size
  /** Device pixels per CSS pixel. */
  ratio: number
  placement: Placement
  /** Size of the picture in its own pixels. */
  picture: Size
}

/** The picture's place in CSS pixels. */
export function pictureBox({ placement, picture }: Cell): Box {
  return { left: placement.left, top: placement.top, width: picture.width * placement.scale, height: picture.height * placement.scale }
}

/** The place of what the classifier saw, in CSS pixels. */
export function seenBox(cell: Cell, view: View | null): Box {
  const whole = pictureBox(cell)
  if (!view) return whole
  const inner = cropBox(view, whole)
  return { ...inner, left: whole.left + inner.left, top: whole.top + inner.top }
}

/** Clears a canvas and lets its units be CSS pixels. */
export function begin(ctx: Context, { size, ratio }: Cell): void {
  ctx.setTransform(ratio, 0, 0, ratio, 0, 0)
  ctx.clearRect(0, 0, size.width, size.height)
}

/** @param smooth never: masks keep their own square pixels; auto: pictures, unless their pixels are drawn large */
export function drawImage(ctx: Context, image: Drawable, box: Box, ratio: number, smooth: 'never' | 'auto' | 'always'): void {
  const scale = (box.width / image.width) * ratio
  ctx.imageSmoothingEnabled = smooth === 'always' || (smooth === 'auto' && scale < sharpFrom)
  ctx.imageSmoothingQuality = scale < 1 ? 'high' : 'medium'
  ctx.drawImage(image, box.left, box.top, box.width, box.height)
}

/** Covers what the classifier did not see, and frames what it did. */
export function dimUnseen(ctx: Context, cell: Cell, view: View | null, stage: string): void {
  if (!view || seesAll(view)) return
  const whole = pictureBox(cell)
  const seen = seenBox(cell, view)
  ctx.save()
  ctx.beginPath()
  ctx.rect(whole.left, whole.top, whole.width, whole.height)
  ctx.rect(seen.left, seen.top, seen.width, seen.height)
  ctx.globalAlpha = 0.65
  ctx.fillStyle = stage
  ctx.fill('evenodd')
  ctx.restore()
  frame(ctx, seen)
}

/** Seen on light and dark pictures alike: a white line with dark dashes on it. */
function frame(ctx: Context, { left, top, width, height }: Box): void {
  ctx.save()
  ctx.lineWidth = 1
  ctx.strokeStyle = '#ffffff'
  ctx.strokeRect(left + 0.5, top + 0.5, width - 1, height - 1)
  ctx.setLineDash([4, 4])
  ctx.strokeStyle = '#000000'
  ctx.strokeRect(left + 0.5, top + 0.5, width - 1, height - 1)
  ctx.restore()
}

/** A hairline around the picture, outside of it, where its ends would be lost on the stage. */
export function outline(ctx: Context, { left, top, width, height }: Box, colour: string): void {
  ctx.lineWidth = 1
  ctx.strokeStyle = colour
  ctx.strokeRect(left - 0.5, top - 0.5, width + 1, height + 1)
}

const checkSize = 8

/** Squares of a fixed size on the screen, however far the picture is magnified; they move with it. */
export function drawCheckerboard(ctx: Context, box: Box, size: Size, a: string, b: string): void {
  ctx.save()
  ctx.beginPath()
  ctx.rect(box.left, box.top, box.width, box.height)
  ctx.clip()
  ctx.fillStyle = a
  ctx.fillRect(box.left, box.top, box.width, box.height)
  ctx.fillStyle = b
  ctx.beginPath()
  const firstColumn = Math.max(0, Math.floor(-box.left / checkSize))
  const firstRow = Math.max(0, Math.floor(-box.top / checkSize))
  const right = Math.min(box.left + box.width, size.width)
  const bottom = Math.min(box.top + box.height, size.height)
  for (let row = firstRow; box.top + row * checkSize < bottom; row++) {
    for (let column = firstColumn + ((firstColumn + row) % 2); box.left + column * checkSize < right; column += 2) {
      ctx.rect(box.left + column * checkSize, box.top + row * checkSize, checkSize, checkSize)
    }
  }
  ctx.fill()
  ctx.restore()
}

/** Of so many points, contours are noise; a halo around each would only cost time. */
const mostHaloed = 20_000

/** A dark line in a light halo: seen on any picture, and in grey. */
export function drawContours(ctx: Context, lines: readonly Contour[], map: Size, box: Box): void {
  ctx.save()
  ctx.beginPath()
  for (const { points, closed } of lines) {
    for (let i = 0; i < points.length; i += 2) {
      const x = box.left + (points[i]! / map.width) * box.width
      const y = box.top + (points[i + 1]! / map.height) * box.height
      if (i === 0) ctx.moveTo(x, y)
      else ctx.lineTo(x, y)
    }
    if (closed) ctx.closePath()
  }
  const noise = lines.reduce((sum, line) => sum + line.points.length / 2, 0) > mostHaloed
  ctx.lineJoin = noise ? 'bevel' : 'round'
  if (!noise) {
    ctx.strokeStyle = '#ffffff'
    ctx.lineWidth = 3.5
    ctx.stroke()
  }
  ctx.strokeStyle = '#000000'
  ctx.lineWidth = noise ? 1 : 1.5
  ctx.stroke()
  ctx.restore()
}

import type { ComparisonView } from '#shared/contract/comparison.ts'
import type { Layer } from '#shared/imaging/layers.ts'
import { contours, type Contour } from '#shared/imaging/contours.ts'
import { begin, dimUnseen, drawCheckerboard, drawContours, drawImage, outline, pictureBox, seenBox, type Cell, type Context } from '../stage/draw.ts'
import type { Colours } from '../stage/drawing.ts'
import { FrameLayers } from '../stage/layer-cache.ts'
import { context, type StagePicture } from '../stage/picture.ts'
import { contourLevel, type Scale } from '../stage/scale.ts'
import type { Pixels } from '#shared/imaging/layers.ts'
import { topPixels } from './combine.ts'
import type { CellFrame } from './cell-source.ts'

/** Everything that is seen of a cell; the same gives the same pixels. */
export interface CellScene {
  picture: StagePicture | null
  frame: CellFrame | null
  scale: Scale | null
  inputs: { seen: Pixels; fill: Pixels | null } | null
  view: Pick<ComparisonView, 'mode' | 'opacity' | 'threshold' | 'top'>
  colours: Colours
}

/** How much of the stage lies over what is not among the top pixels. */
const veil = 0.8

/** Draws one cell; layers are kept from one drawing to the next. */
export class CellDrawing {
  readonly #layers = new FrameLayers()
  #lines: { map: unknown; level: number; lines: Contour[] } | null = null
  #top: { map: unknown; share: number; dark: string; canvas: OffscreenCanvas } | null = null

  draw(ctx: Context, cell: Cell, scene: CellScene): void {
    begin(ctx, cell)
    const { picture, frame, scale, view, colours } = scene
    const { mode } = view
    const whole = pictureBox(cell)
    const drawn = frame && scale
    if (picture && (mode !== 'map' || !drawn)) drawImage(ctx, mode === 'overlay' && drawn ? picture.quiet ?? picture.bitmap : picture.bitmap, whole, cell.ratio, 'auto')
    if (!drawn) return
    const { map } = frame
    const seen = seenBox(cell, frame.view)
    switch (mode) {
      case 'map':
        drawImage(ctx, this.#layers.map(map, scale.limits, scale.colormap), seen, cell.ratio, 'never')
        if (scale.colormap.diverging) outline(ctx, { left: whole.left + 1, top: whole.top + 1, width: whole.width - 2, height: whole.height - 2 }, colours.hairline)
        break
      case 'overlay':
        drawImage(ctx, this.#layers.overlay(map, scale.limits, scale.colormap, view.opacity, view.threshold), seen, cell.ratio, 'never')
        break
      case 'contour':
        drawContours(ctx, this.#contours(frame, contourLevel(view.threshold, scale)), map, seen)
        break
      case 'top':
        drawImage(ctx, this.#veiled(frame, view.top, colours.stage), seen, cell.ratio, 'never')
        break
      case 'masked':
        this.#masked(ctx, cell, scene, frame)
    }
    if (mode !== 'map' && mode !== 'masked') dimUnseen(ctx, cell, frame.view, colours.stage)
  }

  #masked(ctx: Context, cell: Cell, { inputs, colours }: CellScene, frame: CellFrame): void {
    if (!inputs) return
    const seen = seenBox(cell, frame.view)
    if (!inputs.fill) drawCheckerboard(ctx, seen, cell.size, colours.checkA, colours.checkB)
    drawImage(ctx, this.#layers.masked(frame.map, frame.kind, inputs.seen, inputs.fill, 'baseline'), seen, cell.ratio, 'auto')
  }

  #contours({ map }: CellFrame, level: number): Contour[] {
    if (this.#lines?.map !== map || this.#lines.level !== level) this.#lines = { map, level, lines: contours(map, level) }
    return this.#lines.lines
  }

  #veiled({ map }: CellFrame, share: number, dark: string): OffscreenCanvas {
    if (this.#top?.map === map && this.#top.share === share && this.#top.dark === dark) return this.#top.canvas
    const ctx = context(map.width, map.height)
    const value = Number.parseInt(dark.slice(1, 3), 16)
    const layer: Layer = new Uint8ClampedArray(map.data.length * 4)
    topPixels(map.data, share).forEach((on, i) => layer.set([value, value, value, on ? 0 : veil * 255], i * 4))
    ctx.putImageData(new ImageData(layer, map.width, map.height), 0, 0)
    this.#top = { map, share, dark, canvas: ctx.canvas }
    return ctx.canvas
  }
}

import type { Settings } from '#shared/contract/system.ts'
import type { View } from '#shared/domain/image.ts'
import { contours, type Contour } from '#shared/imaging/contours.ts'
import { seesAll } from '#shared/imaging/overlay.ts'
import type { Frame } from '../../stores/course.ts'
import { begin, dimUnseen, drawCheckerboard, drawContours, drawImage, outline, pictureBox, seenBox, type Cell, type Context } from './draw.ts'
import { FrameLayers } from './layer-cache.ts'
import type { StagePicture } from './picture.ts'
import { contourLevel, type MapKind, type Scale } from './scale.ts'
import type { RunInputs } from './subject.ts'

/** The pictures of the stage, in the order of their keys. */
export const pictureTitles = ['Input', 'Mask', 'Overlay', 'Masked input'] as const
export type PictureIndex = 0 | 1 | 2 | 3

export interface Colours {
  stage: string
  hairline: string
  checkA: string
  checkB: string
}

/** Everything that is seen; the same gives the same pixels. */
export interface Scene {
  picture: StagePicture | null
  view: View | null
  inputs: RunInputs | null
  frame: Frame | null
  scale: Scale | null
  kind: MapKind
  /** The masked input lacks what the mask marks, as the method hid it; else it keeps that alone. */
  deletes: boolean
  settings: Settings['stage']
  colours: Colours
}

/**
 * What does not change with the mask lies on a canvas of its own below, so that a new frame touches nothing of it.
 */
export function drawUnder(ctx: Context, index: PictureIndex, cell: Cell, scene: Scene): void {
  begin(ctx, cell)
  const { picture, view, settings, colours } = scene
  if (!picture || index === 1 || index === 3) return
  const overlaid = index === 2 && !settings.contours && scene.frame !== null
  if (index === 2 && !scene.frame) return
  drawImage(ctx, overlaid ? picture.quiet ?? picture.bitmap : picture.bitmap, pictureBox(cell), cell.ratio, 'auto')
  dimUnseen(ctx, cell, view, colours.stage)
}

/** What changes with every frame of the mask. */
export class FrameDrawing {
  readonly #layers = new FrameLayers()
  #lines: { map: unknown; level: number; lines: Contour[] } | null = null

  draw(ctx: Context, index: PictureIndex, cell: Cell, scene: Scene): void {
    begin(ctx, cell)
    const { frame, scale, settings, colours, inputs, view } = scene
    if (index === 0 || !frame || !scale) return
    const map = frame.map
    const seen = seenBox(cell, view)
    const framed = view !== null && !seesAll(view)
    const smooth = settings.smooth ? 'always' : 'never'
    if (index === 1) {
      drawImage(ctx, this.#layers.map(map, scale.limits, scale.colormap), seen, cell.ratio, smooth)
      // As in print: where the map does not fill the picture, or is white at zero.
      if (framed || scale.colormap.diverging) outline(ctx, pictureBox(cell), colours.hairline)
    } else if (index === 2) {
      if (settings.contours) drawContours(ctx, this.#contours(scene, scale), map, seen)
      else drawImage(ctx, this.#layers.overlay(map, scale.limits, scale.colormap, settings.opacity, settings.threshold), seen, cell.ratio, smooth)
    } else if (inputs) {
      const transparent = settings.removed === 'checkerboard' || (settings.removed === 'baseline' && !inputs.fill)
      if (transparent) drawCheckerboard(ctx, seen, cell.size, colours.checkA, colours.checkB)
      drawImage(ctx, this.#layers.masked(map, scene.kind, inputs.seen, inputs.fill, settings.removed, scene.deletes), seen, cell.ratio, 'auto')
      if (framed) outline(ctx, pictureBox(cell), colours.hairline)
    }
  }

  #contours({ frame, settings }: Scene, scale: Scale): Contour[] {
    const { map } = frame!
    const level = contourLevel(settings.threshold, scale)
    if (this.#lines?.map !== map || this.#lines.level !== level) this.#lines = { map, level, lines: contours(map, level) }
    return this.#lines.lines
  }
}

import type { MapData } from '#shared/domain/image.ts'
import type { Colormap } from '#shared/imaging/colormap.ts'
import { upsample } from '#shared/imaging/interpolation.ts'
import { mapLayer, maskedCutOut, maskedDimmed, maskedWithFill, overlayLayer, type Layer, type Pixels } from '#shared/imaging/layers.ts'
import { asMask, type Limits } from '#shared/imaging/normalisation.ts'
import type { MapKind } from './scale.ts'
import { context } from './picture.ts'

export type Removed = 'baseline' | 'checkerboard' | 'dimmed'

/** A layer at its own resolution, ready to be drawn; made anew only when what it depends on has changed. */
class CachedLayer {
  #depends: readonly unknown[] = []
  #ctx: OffscreenCanvasRenderingContext2D | null = null

  get(width: number, height: number, depends: readonly unknown[], make: () => Layer): OffscreenCanvas {
    const ctx = this.#ctx
    if (ctx && depends.length === this.#depends.length && depends.every((value, i) => value === this.#depends[i])) return ctx.canvas
    const target = ctx?.canvas.width === width && ctx.canvas.height === height ? ctx : context(width, height)
    target.putImageData(new ImageData(make(), width, height), 0, 0)
    this.#ctx = target
    this.#depends = depends
    return target.canvas
  }
}

/** The pictures of one frame of a mask. */
export class FrameLayers {
  readonly #map = new CachedLayer()
  readonly #overlay = new CachedLayer()
  readonly #masked = new CachedLayer()

  map(map: MapData, limits: Limits, scale: Colormap): OffscreenCanvas {
    return this.#map.get(map.width, map.height, [map, limits.low, limits.high, scale.id], () => mapLayer(map, limits, scale))
  }

  overlay(map: MapData, limits: Limits, scale: Colormap, opacity: number, threshold: number): OffscreenCanvas {
    return this.#overlay.get(map.width, map.height, [map, limits.low, limits.high, scale.id, opacity, threshold],
      () => overlayLayer(map, limits, scale, opacity, threshold))
  }

  /** The mask is enlarged as the method enlarges it. */
  masked(map: MapData, kind: MapKind, seen: Pixels, fill: Pixels | null, removed: Removed, deletes = false): OffscreenCanvas {
    return this.#masked.get(seen.width, seen.height, [map, kind.signed, kind.mask, seen, fill, removed, deletes],
      () => composeMasked(maskOf(map, kind), seen, fill, removed, deletes))
  }
}

/** What is no mask is scaled to one, also where its values happen to lie between 0 and 1. */
function maskOf(map: MapData, { signed, range, mask }: MapKind): MapData {
  return asMask(map, { signed, range: mask ? range : [null, null] })
}

/** Where the baseline is not known, what is removed is left out. @param deletes what the map marks is removed, in place of the rest */
export function composeMasked(map: MapData, seen: Pixels, fill: Pixels | null, removed: Removed, deletes = false): Layer {
  const marked = upsample(map, seen.height, seen.width).data
  const mask = deletes ? marked.map((value) => 1 - value) : marked
  if (removed === 'baseline' && fill) return maskedWithFill(mask, seen, fill)
  return removed === 'dimmed' ? maskedDimmed(mask, seen) : maskedCutOut(mask, seen)
}

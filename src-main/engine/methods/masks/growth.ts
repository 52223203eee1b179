import type { Parameter } from '#shared/domain/parameters.ts'
import type { Random } from '#shared/random/random.ts'

/**
 * Masks that are shown larger than they are in half of the steps. A mask can cut the outline of a class out of something else, which
 * then counts as that class; grown, it shows more of that thing, while the object itself has its outline in the image. So what holds
 * under growth is what the image shows.
 */
export interface Growth {
  /** Draws whether the masks from here on are grown. @param radius in cells of the full resolution; 0: never, and nothing is drawn */
  next(radius: number): void
  /** Each cell with the greatest value within the radius, or the mask itself. @param own [height, width] */
  show(own: Float32Array): Float32Array
  /** From the gradient with respect to what was shown last to that with respect to what was given. */
  pullBack(gradient: Float32Array): Float32Array
}

/** @param scale cells of this mask per cell of the full resolution */
export function createGrowth({ height, width }: { height: number; width: number }, random: Random, scale = 1): Growth {
  let radius = 0
  /** Of each cell that was shown last, where its value comes from. */
  let source: Int32Array | null = null

  return {
    next(asked) {
      radius = asked > 0 && random.uniform() < 0.5 ? Math.round(asked * scale) : 0
    },
    show(own) {
      source = null
      if (radius === 0) return own
      source = Int32Array.from({ length: own.length }, (_, i) => i)
      for (let down = -radius; down <= radius; down++) {
        const reach = Math.floor(Math.sqrt(radius * radius - down * down))
        for (let right = -reach; right <= reach; right++) raise(own, source, down, right)
      }
      const shown = new Float32Array(own.length)
      for (let i = 0; i < shown.length; i++) shown[i] = own[source[i]!]!
      return shown
    },
    pullBack(gradient) {
      if (!source) return gradient
      const back = new Float32Array(gradient.length)
      for (let i = 0; i < back.length; i++) back[source[i]!]! += gradient[i]!
      return back
    },
  }

  /** Where the neighbour that far away is greater than what a cell has so far, it takes its place. */
  function raise(own: Float32Array, best: Int32Array, down: number, right: number): void {
    const [top, bottom] = [Math.max(0, -down), Math.min(height, height - down)]
    const [left, end] = [Math.max(0, -right), Math.min(width, width - right)]
    for (let y = top; y < bottom; y++) {
      for (let i = y * width + left, j = i + down * width + right; i < y * width + end; i++, j++) {
        if (own[j]! > own[best[i]!]!) best[i] = j
      }
    }
  }
}

/** Off unless it is set. */
export const growthParameter: Parameter = {
  type: 'number', name: 'growth', label: 'Growth', group: 'Randomisation', live: true,
  help: 'In half of the steps the mask is shown grown by so many cells, so that it cannot cut the outline of the class out of something else; 0 means never.',
  default: 0, min: 0, max: 16, step: 1, integer: true, unit: 'cells', tune: { values: [0, 2] },
}

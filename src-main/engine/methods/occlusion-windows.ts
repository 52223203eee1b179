import { boxWithin, type BoxMasks } from './queries/masks.ts'

interface Size {
  height: number
  width: number
}

/**
 * Square windows from the top left corner on, row by row. Where the stride does not fit, one more along the lower and right border
 * covers the last strip.
 * @returns [count, 4]: top, left, height, width
 */
export function windowsOver({ height, width }: Size, window: number, stride: number): Int32Array {
  const places = (size: number): number[] => {
    const last = Math.max(0, size - window)
    const found = Array.from({ length: Math.floor(last / stride) + 1 }, (_, k) => k * stride)
    return found.at(-1) === last ? found : [...found, last]
  }
  const columns = places(width)
  return Int32Array.from(places(height).flatMap((top) => columns.flatMap((left) => [top, left, Math.min(window, height), Math.min(window, width)])))
}

/** What a pixel gets of the windows that hid it. */
export type Gathering = 'mean' | 'sum'

/** Falls of the score, gathered at each pixel from the windows that hid it. */
export interface Contributions {
  add(windows: BoxMasks, falls: readonly number[]): void
  /** H·W; 0 where no window has been */
  map(): Float32Array
}

export function createContributions({ height, width }: Size, gathering: Gathering): Contributions {
  // A window changes its four corners; what lies within follows from sums along both directions.
  const pitch = width + 1
  const falls = new Float64Array((height + 1) * pitch)
  const cover = new Float64Array((height + 1) * pitch)
  return {
    add(windows, values) {
      values.forEach((value, i) => {
        const { top, bottom, left, right } = boxWithin(windows, i, { height, width })
        for (const [at, sign] of [[top * pitch + left, 1], [top * pitch + right, -1], [bottom * pitch + left, -1], [bottom * pitch + right, 1]] as const) {
          falls[at]! += sign * value
          cover[at]! += sign
        }
      })
    },
    map() {
      const [fallen, covered] = [filledIn(falls, height, width), filledIn(cover, height, width)]
      return Float32Array.from(fallen, (sum, k) => (covered[k]! < 1 ? 0 : gathering === 'sum' ? sum : sum / covered[k]!))
    },
  }
}

/** Sums over all that lies above and to the left. */
function filledIn(corners: Float64Array, height: number, width: number): Float64Array {
  const out = new Float64Array(height * width)
  for (let y = 0; y < height; y++) {
    let along = 0
    for (let x = 0; x < width; x++) {
      along += corners[y * (width + 1) + x]!
      out[y * width + x] = along + (y > 0 ? out[(y - 1) * width + x]! : 0)
    }
  }
  return out
}

import type { Random } from '#shared/random/random.ts'
import type { Frame } from '../masks/compose.ts'
import { toLab } from './lab.ts'
import { renumber, type Segmentation } from './labels.ts'

export interface QuickshiftOptions {
  /** σ of the density in pixels of a shorter side of 224. */
  kernel: number
  /** Links longer than this are cut; in the same pixels, colour counted with them. */
  maxDistance: number
  /** How much a unit of CIELAB weighs against a pixel. */
  ratio: number
}

/**
 * Quickshift (A. Vedaldi, S. Soatto, ECCV 2008): every pixel is linked to the nearest one of higher density among those within
 * three kernels; the trees are the segments, in as many pieces as they have. Densities of flat regions are equal, so a little
 * seeded noise decides there, as in the implementation that LIME uses; lengths are counted in pixels of a shorter side of 224,
 * so that an image and its enlargement are cut alike.
 */
export function quickshift(frame: Frame, image: Float32Array, options: QuickshiftOptions, random: Random): Segmentation {
  const { height, width } = frame
  const { kernel, maxDistance, ratio } = options
  const lab = toLab(frame, image)
  const scale = Math.min(height, width) / 224
  const radius = Math.max(1, Math.ceil(3 * kernel * scale))
  const squares = lab.length / 3

  /** ΔLab² · ratio² + Δposition², in pixels of 224. */
  function distance(i: number, j: number, dy: number, dx: number): number {
    const colour = (lab[3 * i]! - lab[3 * j]!) ** 2 + (lab[3 * i + 1]! - lab[3 * j + 1]!) ** 2 + (lab[3 * i + 2]! - lab[3 * j + 2]!) ** 2
    return ratio * ratio * colour + (dy * dy + dx * dx) / (scale * scale)
  }
  function around(visit: (i: number, j: number, distance: number) => void): void {
    for (let i = 0; i < squares; i++) {
      const y = Math.floor(i / width)
      const x = i - y * width
      for (let v = Math.max(0, y - radius); v <= Math.min(height - 1, y + radius); v++) {
        for (let u = Math.max(0, x - radius); u <= Math.min(width - 1, x + radius); u++) {
          const j = v * width + u
          visit(i, j, distance(i, j, v - y, u - x))
        }
      }
    }
  }

  const density = new Float64Array(squares)
  around((i, _j, d) => (density[i]! += Math.exp(-d / (2 * kernel * kernel))))
  for (let i = 0; i < squares; i++) density[i]! += 1e-5 * random.normal()
  const parent = Int32Array.from({ length: squares }, (_, i) => i)
  const nearest = new Float64Array(squares).fill(maxDistance * maxDistance)
  around((i, j, d) => {
    if (density[j]! <= density[i]! || d > nearest[i]! || (d === nearest[i]! && parent[i] !== i)) return
    nearest[i] = d
    parent[i] = j
  })
  return renumber(parent.map((_, i) => root(parent, i)))
}

function root(parent: Int32Array, start: number): number {
  let i = start
  while (parent[i] !== i) i = parent[i]!
  return i
}

import type { MapData } from '#shared/domain/image.ts'
import type { Parameter } from '#shared/domain/parameters.ts'
import { upsample } from '#shared/imaging/interpolation.ts'
import { resize } from '#shared/imaging/resize.ts'
import { slic } from '../segments/slic.ts'
import type { Frame } from './compose.ts'

/** Masks of a coarse grid that follow the edges of the image. */
export interface EdgeFollowing {
  /** (1 − share)·map + share·(its means over segments), at the size of the segments. */
  apply(map: MapData): MapData
}

export interface EdgeSettings {
  /** 0 to 1. */
  share: number
  segments: number
}

/** Segmentations of several sizes are averaged, as multiples of `segments`: where their borders differ the map stays soft. */
const scales = [1, 1.5, 2, 3]
const compactness = 10
/** Segments are looked for, and the map is kept, at so many pixels of the shorter side at most: a stored course of maps would grow with the image. */
const mostPixels = 128

/**
 * Objects end at edges of the image, and a cell of the mask lies across them: each segment of the image (SLIC) takes the mean of the map
 * over it. Nothing is asked of the classifier.
 * @param image H·W·C in [0, 1]
 * @returns null where the share is 0
 */
export function createEdgeFollowing(frame: Frame, image: Float32Array, { share, segments }: EdgeSettings): EdgeFollowing | null {
  if (share === 0) return null
  const small = reduced(frame, image)
  const { height, width } = small.frame
  const all = scales.map((scale) => slic(small.frame, small.image, Math.round(segments * scale), compactness))
  return {
    apply(map) {
      const large = upsample(map, height, width).data
      const data = large.map((value) => (1 - share) * value)
      for (const { labels, count } of all) {
        const sums = new Float64Array(count)
        const sizes = new Float64Array(count)
        for (let i = 0; i < labels.length; i++) {
          sums[labels[i]!]! += large[i]!
          sizes[labels[i]!]!++
        }
        const part = share / all.length
        for (let i = 0; i < labels.length; i++) data[i]! += (part * sums[labels[i]!]!) / sizes[labels[i]!]!
      }
      return { height, width, data }
    },
  }
}

/** The map as it is shown and kept. @param edges null: nothing follows them */
export function alongEdges(edges: EdgeFollowing | null, map: MapData): MapData {
  return edges ? edges.apply(map) : map
}

function reduced(frame: Frame, image: Float32Array): { frame: Frame; image: Float32Array } {
  const { height, width, channels } = frame
  const factor = Math.ceil(Math.min(height, width) / mostPixels)
  if (factor === 1) return { frame, image }
  const size = { height: Math.round(height / factor), width: Math.round(width / factor) }
  return { frame: { ...size, channels }, image: resize({ width, data: image, channels }, { left: 0, top: 0, width, height }, size, 'box') }
}

/** The values of our presets, which are the defaults. */
export const ourEdges = { 'edges': 0.5, 'edge-segments': 20 }

/** The parameters `edges` and `edge-segments`. */
export const edgeParameters: readonly Parameter[] = [
  {
    type: 'number', name: 'edges', label: 'Follow edges', group: 'Map',
    help: 'Share of the map that is averaged over segments of the image, so that it ends where they end; 0 means none.',
    default: ourEdges.edges, min: 0, max: 1, step: 0.05, tune: { values: [0.25, 0.5, 0.75] },
  },
  {
    type: 'number', name: 'edge-segments', label: 'Segments for edges', group: 'Map',
    help: 'About how many segments there are at least; segmentations with 1.5, 2 and 3 times as many are averaged with them.',
    default: ourEdges['edge-segments'], min: 4, max: 1000, step: 1, integer: true, logarithmic: true, tune: { min: 15, max: 60 },
  },
]

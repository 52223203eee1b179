import type { Frame } from '../masks/compose.ts'
import { toLab } from './lab.ts'
import { enforceConnected, type Segmentation } from './labels.ts'

const rounds = 10

/**
 * SLIC superpixels (R. Achanta et al., IEEE TPAMI 34(11), 2012): k-means in CIELAB and position from a grid of centres, each
 * looking no further than one grid step, D² = (ΔLab/compactness)² + (Δposition/step)². Pieces of less than half a segment's
 * area then join a neighbour, so every segment is in one piece. A flat image gives the grid. Nothing is random.
 * @param wanted number of segments; what comes out is near it
 */
export function slic(frame: Frame, image: Float32Array, wanted: number, compactness: number): Segmentation {
  const { height, width } = frame
  const lab = toLab(frame, image)
  const down = Math.max(1, Math.min(height, Math.round(Math.sqrt((wanted * height) / width))))
  const across = Math.max(1, Math.min(width, Math.round(wanted / down)))
  const step = Math.sqrt((height * width) / (down * across))
  const reach = Math.ceil(Math.max(height / down, width / across))
  const count = down * across
  // L, a, b, y, x
  const centres = new Float64Array(count * 5)
  const labels = new Int32Array(height * width)
  // The cells of the grid first: their means are the centres.
  for (let i = 0; i < labels.length; i++) {
    labels[i] = Math.floor((Math.floor(i / width) * down) / height) * across + Math.floor(((i % width) * across) / width)
  }
  const nearest = new Float64Array(height * width)
  for (let round = 0; round < rounds; round++) {
    toMeans(lab, labels, width, centres)
    nearest.fill(Infinity)
    for (let k = 0; k < count; k++) claim(k)
  }
  return enforceConnected(labels, height, width, Math.ceil((height * width) / count / 2))

  function claim(k: number): void {
    const at = centres.subarray(5 * k, 5 * k + 5)
    const [l, a, b, cy, cx] = at as unknown as [number, number, number, number, number]
    for (let y = Math.max(0, Math.ceil(cy - reach)); y <= Math.min(height - 1, Math.floor(cy + reach)); y++) {
      for (let x = Math.max(0, Math.ceil(cx - reach)); x <= Math.min(width - 1, Math.floor(cx + reach)); x++) {
        const i = y * width + x
        const colour = ((lab[3 * i]! - l) ** 2 + (lab[3 * i + 1]! - a) ** 2 + (lab[3 * i + 2]! - b) ** 2) / compactness ** 2
        const distance = colour + ((y - cy) ** 2 + (x - cx) ** 2) / step ** 2
        if (distance < nearest[i]!) {
          nearest[i] = distance
          labels[i] = k
        }
      }
    }
  }
}

/** Means of colour and position; a segment that lost all its pixels keeps its centre. */
function toMeans(lab: Float64Array, labels: Int32Array, width: number, centres: Float64Array): void {
  const count = centres.length / 5
  const sums = new Float64Array(centres.length)
  const sizes = new Int32Array(count)
  labels.forEach((k, i) => {
    sizes[k]!++
    for (let c = 0; c < 3; c++) sums[5 * k + c]! += lab[3 * i + c]!
    sums[5 * k + 3]! += Math.floor(i / width)
    sums[5 * k + 4]! += i % width
  })
  for (let k = 0; k < count; k++) if (sizes[k]! > 0) for (let c = 0; c < 5; c++) centres[5 * k + c] = sums[5 * k + c]! / sizes[k]!
}

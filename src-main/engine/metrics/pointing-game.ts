import type { Metric } from './metric.ts'
import { areaOf, emptyObject, objectOf } from './object.ts'
import { numberOf } from '../methods/common/parameters.ts'
import { scaled } from './scale.ts'

/** Of the original game, in pixels of a shorter side of 224. */
const published = 15

export const pointingGameMetric: Metric = {
  id: 'pointing-game',
  title: 'Pointing game',
  citation: 'J. Zhang et al.: Top-Down Neural Attention by Excitation Backprop. IJCV 2018.',
  definition: 'Whether the highest pixel lies in the object, or closer to it than the tolerance; of several highest the share that does.',
  better: 'higher',
  range: [0, 1],
  cost: 'map',
  needs: ['object'],
  parameters: [{
    type: 'number', name: 'tolerance', label: 'Tolerance', group: 'Place', common: true, unit: 'px at 224',
    help: 'A highest pixel closer to the object than this counts as a hit; for a shorter side of 224 pixels, it scales with the image; 0 means inside.',
    default: 0, min: 0, max: 64, step: 0.5,
  }],
  presets: [
    { id: 'inside', title: 'Inside', source: 'Ours, without tolerance: unscaled, 15 px would let a random pixel of a scene of 64 px hit in 30 to 64% of cases.', values: { tolerance: 0 } },
    { id: 'published', title: 'As published', source: 'Zhang et al. (2018) and TorchRay: closer than 15 px, measured from pixel to pixel.', values: { tolerance: published } },
  ],
  async measure(task) {
    const object = objectOf(task)
    if (areaOf(object) === 0) return emptyObject
    const { frame, map: { ranking } } = task
    const highest = highestPixels(ranking.data)
    const share = (tolerance: number): number => hitShare(highest, object, frame, scaled(frame, tolerance))
    return {
      value: share(numberOf(task.parameters, 'tolerance')), details: { 'within-15': share(published), highest: highest.length },
      ...(highest.length === ranking.data.length ? { note: 'The map is constant: every pixel is its highest.' } : {}),
    }
  },
}

function highestPixels(map: Float32Array): number[] {
  let top = -Infinity
  for (const value of map) if (value > top) top = value
  const found: number[] = []
  map.forEach((value, i) => {
    if (value === top) found.push(i)
  })
  return found
}

/** The share of the pixels that lie in the object or closer to a pixel of it than the tolerance (strictly), centre to centre. */
export function hitShare(pixels: readonly number[], object: Uint8Array, { height, width }: { height: number; width: number }, tolerance: number): number {
  const reach = Math.ceil(tolerance)
  const near = (i: number): boolean => {
    if (object[i] === 1) return true
    const [y, x] = [Math.floor(i / width), i % width]
    for (let v = Math.max(0, y - reach); v <= Math.min(height - 1, y + reach); v++) {
      for (let u = Math.max(0, x - reach); u <= Math.min(width - 1, x + reach); u++) {
        if (object[v * width + u] === 1 && (v - y) ** 2 + (u - x) ** 2 < tolerance ** 2) return true
      }
    }
    return false
  }
  return pixels.filter(near).length / pixels.length
}

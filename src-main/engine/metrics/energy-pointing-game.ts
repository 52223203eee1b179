import type { Metric } from './metric.ts'
import { areaOf, emptyObject, noParameters, objectOf } from './object.ts'

export const energyPointingGameMetric: Metric = {
  id: 'energy-pointing-game',
  title: 'Energy pointing game',
  citation: 'H. Wang et al.: Score-CAM: Score-Weighted Visual Explanations for Convolutional Neural Networks. CVPR Workshops 2020.',
  definition: "The share of the map's mass that lies inside the object: of its positive part, less its least value.",
  better: 'higher',
  range: [0, 1],
  cost: 'map',
  needs: ['object'],
  ...noParameters,
  async measure(task) {
    const object = objectOf(task)
    const area = areaOf(object)
    if (area === 0) return emptyObject
    const map = task.map.saliency.data
    return { value: energyPointingGame(map, object), details: { raw: positiveShare(map, object), prevalence: area / object.length } }
  },
}

/** Σ_in max(a, 0) / Σ max(a, 0); NaN where nothing is positive. */
export function positiveShare(map: Float32Array, mask: Uint8Array): number {
  let inside = 0
  let all = 0
  for (let i = 0; i < map.length; i++) {
    const mass = Math.max(0, map[i]!)
    all += mass
    if (mask[i] === 1) inside += mass
  }
  return inside / all
}

/**
 * Energy pointing game: the share of a map's mass that lies inside a mask, Σ_in a / Σ a, on the map's positive part minus
 * its minimum. It rewards sparsity and a zero background, so it stands beside average precision, not in its place.
 * @param mask 0 or 1 per pixel, as long as the map
 * @returns in [0, 1]; the mask's share of the image for a constant map, which is what a uniform map scores
 */
export function energyPointingGame(map: Float32Array, mask: Uint8Array): number {
  if (map.length !== mask.length) throw new RangeError(`A map of ${map.length} values and a mask of ${mask.length} do not fit.`)
  let floor = Infinity
  for (const value of map) floor = Math.min(floor, Math.max(0, value))
  let inside = 0
  let all = 0
  let area = 0
  for (let i = 0; i < map.length; i++) {
    const mass = Math.max(0, map[i]!) - floor
    all += mass
    if (mask[i] === 1) {
      inside += mass
      area++
    }
  }
  return all > 0 ? inside / all : area / map.length
}

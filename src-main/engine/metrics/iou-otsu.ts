import type { Metric } from './metric.ts'
import { areaOf, emptyObject, noParameters, objectOf } from './object.ts'
import { rankPixels } from './ranking.ts'

export const iouOtsuMetric: Metric = {
  id: 'iou-otsu',
  title: "Intersection over union at Otsu's threshold",
  citation: 'N. Otsu: A Threshold Selection Method from Gray-Level Histograms. IEEE Transactions on Systems, Man, and Cybernetics 1979.',
  definition: "The pixels above the map's own Otsu threshold: what they share with the object, divided by what either covers.",
  better: 'higher',
  range: [0, 1],
  cost: 'map',
  needs: ['object'],
  ...noParameters,
  async measure(task) {
    const object = objectOf(task)
    const total = areaOf(object)
    if (total === 0) return emptyObject
    const threshold = otsuThreshold(task.map.saliency.data)
    let covered = 0
    let shared = 0
    task.map.saliency.data.forEach((value, i) => {
      if (Math.max(0, value) < threshold) return
      covered++
      shared += object[i]!
    })
    return {
      value: shared / (total + covered - shared), details: { area: covered / object.length },
      ...(threshold > 0 ? {} : { note: 'The positive part of the map is constant, so every pixel counts as marked.' }),
    }
  },
}

/**
 * The least value of the upper class, where the variance between the two classes is greatest; over the values themselves, not over
 * bins. Negative values count as 0.
 * @returns 0 for a constant map
 */
export function otsuThreshold(map: Float32Array): number {
  const positive = map.map((value) => Math.max(0, value))
  const { order, ends } = rankPixels(positive)
  const n = order.length
  const total = positive.reduce((sum, value) => sum + value, 0)
  let above = 0
  let best = 0
  let threshold = 0
  for (let g = 0; g < ends.length - 1; g++) {
    const end = ends[g]!
    const value = positive[order[end - 1]!]!
    above += value * (end - (g === 0 ? 0 : ends[g - 1]!))
    const between = end * (n - end) * (above / end - (total - above) / (n - end)) ** 2
    if (between > best) {
      best = between
      threshold = value
    }
  }
  return threshold
}

import type { Metric } from './metric.ts'
import { areaOf, emptyObject, noParameters, objectOf } from './object.ts'
import { rankPixels } from './ranking.ts'

export const averagePrecisionMetric: Metric = {
  id: 'average-precision',
  title: 'Average precision',
  citation: 'M. Everingham, L. Van Gool, C. K. I. Williams, J. Winn, A. Zisserman: The Pascal Visual Object Classes (VOC) Challenge. IJCV 2010; here over pixels.',
  definition: 'Down the ranking of pixels, the mean precision over the pixels of the object; equal values count as one step.',
  better: 'higher',
  range: [0, 1],
  cost: 'map',
  needs: ['object'],
  ...noParameters,
  async measure(task) {
    const object = objectOf(task)
    const area = areaOf(object)
    if (area === 0) return emptyObject
    return { value: averagePrecision(task.map.ranking.data, object), details: { prevalence: area / object.length } }
  },
}

/**
 * Average precision of a map against a binary mask: Σ (Rₙ − Rₙ₋₁)·Pₙ down the ranking, with pixels of equal value taken
 * together as one step. A constant map scores the mask's share of the image, and no order of ties can be lucky.
 * @param map any values; higher means more salient
 * @param mask 0 or 1 per pixel, as long as the map
 * @returns in [0, 1]; NaN for an empty mask
 */
export function averagePrecision(map: Float32Array, mask: Uint8Array): number {
  if (map.length !== mask.length) throw new RangeError(`A map of ${map.length} values and a mask of ${mask.length} do not fit.`)
  const { order, ends } = rankPixels(map)
  let hits = 0
  let sum = 0
  let from = 0
  for (const end of ends) {
    const before = hits
    for (let i = from; i < end; i++) hits += mask[order[i]!]!
    sum += (hits - before) * (hits / end)
    from = end
  }
  return sum / areaOf(mask)
}

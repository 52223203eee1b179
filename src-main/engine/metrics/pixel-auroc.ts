import type { Metric } from './metric.ts'
import { areaOf, emptyObject, noParameters, objectOf } from './object.ts'
import { rankPixels } from './ranking.ts'

export const pixelAurocMetric: Metric = {
  id: 'pixel-auroc',
  title: 'Area under the ROC curve over pixels',
  citation: 'J. A. Hanley, B. J. McNeil: The Meaning and Use of the Area under a Receiver Operating Characteristic (ROC) Curve. Radiology 1982.',
  definition: 'How often a pixel of the object stands above a pixel beside it; equal values count one half.',
  better: 'higher',
  range: [0, 1],
  cost: 'map',
  needs: ['object'],
  ...noParameters,
  async measure(task) {
    const object = objectOf(task)
    const area = areaOf(object)
    if (area === 0) return emptyObject
    if (area === object.length) return { value: NaN, note: 'The object covers the whole input, so there is nothing to tell it from.' }
    return { value: pixelAuroc(task.map.ranking.data, object) }
  },
}

/** Mann–Whitney's U over the number of pairs. @param mask 0 or 1 per pixel, both present */
export function pixelAuroc(map: Float32Array, mask: Uint8Array): number {
  const { order, ends } = rankPixels(map)
  const inside = areaOf(mask)
  let hits = 0
  let wins = 0
  let from = 0
  for (const end of ends) {
    let here = 0
    for (let i = from; i < end; i++) here += mask[order[i]!]!
    // Each pixel beside the object in this group loses to all hits above and draws with those in it.
    wins += (end - from - here) * (hits + here / 2)
    hits += here
    from = end
  }
  return wins / (inside * (mask.length - inside))
}

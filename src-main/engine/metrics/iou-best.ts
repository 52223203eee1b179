import type { Metric } from './metric.ts'
import { areaOf, emptyObject, noParameters, objectOf } from './object.ts'
import { rankPixels, type Ranking } from './ranking.ts'

export const iouBestMetric: Metric = {
  id: 'iou-best',
  title: 'Best intersection over union (oracle threshold)',
  citation: 'J. Choe et al.: Evaluating Weakly Supervised Object Localization Methods Right. CVPR 2020 (its best threshold, here for each image).',
  definition: 'The highest intersection over union that any threshold of the map reaches; the threshold is chosen with the truth in sight.',
  better: 'higher',
  range: [0, 1],
  cost: 'map',
  needs: ['object'],
  ...noParameters,
  async measure(task) {
    const object = objectOf(task)
    if (areaOf(object) === 0) return emptyObject
    const { iou, area } = bestIou(rankPixels(task.map.ranking.data), object)
    return { value: iou, details: { area: area / object.length } }
  },
}

/** @returns the best IoU over all thresholds, equal values together, and how many pixels lie above that threshold */
export function bestIou({ order, ends }: Ranking, mask: Uint8Array): { iou: number; area: number } {
  const total = areaOf(mask)
  const best = { iou: 0, area: 0 }
  let hits = 0
  let from = 0
  for (const end of ends) {
    for (let i = from; i < end; i++) hits += mask[order[i]!]!
    const iou = hits / (total + end - hits)
    if (iou > best.iou) Object.assign(best, { iou, area: end })
    from = end
  }
  return best
}

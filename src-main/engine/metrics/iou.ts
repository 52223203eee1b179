import type { Metric } from './metric.ts'
import { areaOf, emptyObject, noParameters, objectOf } from './object.ts'
import { rankPixels, topCount, type Ranking } from './ranking.ts'

export const iouMetric: Metric = {
  id: 'iou',
  title: 'Intersection over union',
  citation: 'P. Jaccard: The Distribution of the Flora in the Alpine Zone. New Phytologist 1912; here of as many top pixels as the object has.',
  definition: 'As many of the highest pixels as the object has: what they share with it, divided by what either covers; ties by expectation.',
  better: 'higher',
  range: [0, 1],
  cost: 'map',
  needs: ['object'],
  ...noParameters,
  async measure(task) {
    const object = objectOf(task)
    return areaOf(object) === 0 ? emptyObject : { value: matchedIou(rankPixels(task.map.ranking.data), object) }
  },
}

/**
 * The expected IoU of the mask with as many top pixels as it has, where ties at the cut are broken at random: the number of hits
 * among those drawn from the cut group is hypergeometric.
 * @param mask 0 or 1 per pixel, not empty
 */
export function matchedIou(ranking: Ranking, mask: Uint8Array): number {
  const area = areaOf(mask)
  const { sure, group, hits, taken } = topCount(ranking, mask, area)
  const iou = (shared: number): number => shared / (2 * area - shared)
  const least = Math.max(0, taken - (group - hits))
  const most = Math.min(hits, taken)
  if (least === most) return iou(sure + least)
  const log = logFactorials(group)
  const choose = (n: number, k: number): number => log[n]! - log[k]! - log[n - k]!
  const all = choose(group, taken)
  let expected = 0
  for (let x = least; x <= most; x++) expected += Math.exp(choose(hits, x) + choose(group - hits, taken - x) - all) * iou(sure + x)
  return expected
}

function logFactorials(n: number): Float64Array {
  const out = new Float64Array(n + 1)
  for (let i = 2; i <= n; i++) out[i] = out[i - 1]! + Math.log(i)
  return out
}

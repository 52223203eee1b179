import { numberOf } from '../methods/common/parameters.ts'
import { orderParameter } from './curves.ts'
import { hide } from './hiding.ts'
import type { Metric } from './metric.ts'
import { rankPixels, tieFraction } from './ranking.ts'
import { blurParameters, chosenStandIns, standInSwitches } from './stand-ins.ts'

/** Shares of the image that are kept, and at the end all of it. */
const areas = [0.01, 0.02, 0.03, 0.05, 0.07, 0.1, 0.15, 0.2, 0.25, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 1]

export const sufficiencyMetric: Metric = {
  id: 'sufficiency',
  title: 'Smallest sufficient area',
  citation: 'P. Dabkowski, Y. Gal: Real Time Image Saliency for Black Box Classifiers. NeurIPS 2017 (the smallest sufficient region); here by rank.',
  definition: 'The least share of the image, its highest pixels, that keeps the target at nine tenths of its probability or more; the mean over the fills.',
  better: 'lower',
  range: [0, 1],
  cost: 'queries',
  needs: [],
  parameters: [
    {
      type: 'number', name: 'share', label: 'Sufficient', group: 'Order', common: true, default: 0.9, min: 0.01, max: 1, step: 0.01,
      help: 'What part of the probability in the whole image is enough.',
    },
    orderParameter, ...standInSwitches(['mean', 'blur', 'noise']), ...blurParameters,
  ],
  presets: [],
  async measure(task) {
    const n = task.frame.height * task.frame.width
    const ranking = rankPixels(task.map.ranking.data)
    const details: Record<string, number> = { ties: tieFraction(ranking) }
    const counts = areas.map((area) => Math.max(1, Math.round(area * n)))
    const x = counts.map((count) => count / n)
    const ranges = counts.map((count) => ({ from: count, to: n }))
    const fills = chosenStandIns(task.parameters)
    const curves: { name: string; x: number[]; y: number[] }[] = []
    for (const fill of fills) {
      const { scores, details: more } = await hide(task, { ranking, ranges, fill, score: 'probability', orders: numberOf(task.parameters, 'tie-orders') })
      const clean = scores.at(-1)!
      const enough = numberOf(task.parameters, 'share') * clean
      details[`fill-${fill}`] = x[scores.findIndex((p) => p >= enough)]!
      Object.assign(details, more, { clean })
      curves.push({ name: `fill-${fill}`, x, y: scores })
    }
    return { value: fills.reduce((sum, fill) => sum + details[`fill-${fill}`]! / fills.length, 0), details, curves }
  },
}

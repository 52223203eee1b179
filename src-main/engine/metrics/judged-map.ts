import type { Explanation } from '#shared/domain/run.ts'
import { isMask } from '#shared/figure/map-kind.ts'
import { upsample } from '#shared/imaging/interpolation.ts'
import type { JudgedMap } from './metric.ts'

/** An explanation as metrics see it: a map that is a sigmoid is ranked by its values before it, enlarged exactly. */
export function judgedMapOf(explanation: Explanation): JudgedMap {
  const { saliency, ranking, signed } = explanation
  return { saliency, ranking: ranking ? upsample(ranking, saliency.height, saliency.width) : saliency, signed, mask: isMask(explanation) }
}

import type { Explanation } from '#shared/domain/run.ts'
import { upsample } from '#shared/imaging/interpolation.ts'
import type { JudgedMap } from './metric.ts'

/** An explanation as metrics see it: a map that is a sigmoid is ranked by its values before it, enlarged exactly. */
export function judgedMapOf({ saliency, ranking, signed, range }: Explanation): JudgedMap {
  return { saliency, ranking: ranking ? upsample(ranking, saliency.height, saliency.width) : saliency, signed, range }
}

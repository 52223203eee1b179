import type { Pool } from '#pool/pool.ts'
import type { ClassScore } from '#shared/contract/models.ts'
import type { View } from '#shared/domain/image.ts'
import type { Head } from '#shared/domain/score.ts'
import type { LoadedItem } from './datasets.ts'
import type { ModelAtHand } from './open-models.ts'
import { prepareItem } from './prepared-input.ts'

/** The classes of highest score that a model gives an image, best first. */
export async function classifyItem(
  pool: Pick<Pool, 'classify'>, { source, info }: Pick<ModelAtHand, 'source' | 'info'>, item: LoadedItem, top: number,
): Promise<{ view: View; top: ClassScore[] }> {
  const { image, view } = await prepareItem(item, info)
  const logits = await pool.classify(source, image)
  const probabilities = probabilitiesOf(logits, info.head)
  const order = [...logits.keys()].sort((a, b) => logits[b]! - logits[a]! || a - b).slice(0, top)
  return {
    view,
    top: order.map((index) => ({ index, label: info.labels?.[index] ?? null, probability: probabilities?.[index] ?? null, logit: logits[index]! })),
  }
}

/** @param logits of one image; null where the outputs are no probabilities */
export function probabilitiesOf(logits: Float32Array, head: Head): Float64Array | null {
  if (head === 'none') return null
  if (head === 'sigmoid') return Float64Array.from(logits, (z) => 1 / (1 + Math.exp(-z)))
  const most = logits.reduce((a, b) => Math.max(a, b), -Infinity)
  const powers = Float64Array.from(logits, (z) => Math.exp(z - most))
  const sum = powers.reduce((a, b) => a + b, 0)
  return powers.map((power) => power / sum)
}

import type { Classifier } from '../../classifier/classifier.ts'
import { classifyAll } from './calls.ts'
import { compose, inPlace, type Frame, type Side } from './compose.ts'
import type { Fill } from './fills.ts'

/** How many seeded fills a finished mask is judged under, where the fill is drawn per step. */
const finalDraws = 8

/**
 * What the classifier answers to a finished mask, in place and without noise.
 * @param mask H·W in [0, 1]
 * @returns logits, per draw of the fill one row per side
 */
export async function judgeMask(
  classifier: Classifier, frame: Frame, image: Float32Array, mask: Float32Array, fill: Fill, sides: readonly Side[],
): Promise<Float32Array[][]> {
  const draws = fill.changes ? finalDraws : 1
  const size = image.length
  const data = new Float32Array(draws * sides.length * size)
  for (let d = 0; d < draws; d++) {
    const picture = fill.next()
    sides.forEach((side, k) => {
      const at = (d * sides.length + k) * size
      compose(frame, image, mask, picture, side, inPlace, data.subarray(at, at + size))
    })
  }
  const rows = await classifyAll(classifier, frame, data, draws * sides.length)
  return Array.from({ length: draws }, (_, d) => rows.slice(d * sides.length, (d + 1) * sides.length))
}

import { createHash } from 'node:crypto'
import type { Classifier } from '../classifier/classifier.ts'

/** What measurements need in common, so that it is computed once. */
export interface Once {
  /**
   * What does not depend on the map: made for the first one, and kept for the others of this image, target and seed that this metric
   * judges with the same parameters. A failure is not kept.
   */
  forAllMaps<T>(make: () => Promise<T>): Promise<T>
  /** What several metrics need of this map. @param key with everything that it depends on besides the map, the image and the seed */
  forAllMetrics<T>(key: string, make: () => T): T
}

/** A benchmark has a worker measure some maps of each of eight images, and then of the same ones by the next method. */
const mostKept = 64
const kept = new WeakMap<Classifier, Map<string, unknown>>()

/**
 * @param subject what is asked: all that an answer that does not depend on the map depends on
 * @param ofMap empty for a new map, and the same for all its metrics
 */
export function createOnce(
  classifier: Classifier, subject: { image: Float32Array; target: number; seed: number; metric: string; parameters: unknown }, ofMap: Map<string, unknown>,
): Once {
  const answers = kept.get(classifier) ?? new Map<string, unknown>()
  kept.set(classifier, answers)
  return {
    async forAllMaps<T>(make: () => Promise<T>): Promise<T> {
      const key = keyOf(subject)
      const made = answers.has(key) ? (answers.get(key) as T) : await make()
      // Last again, and with it kept longest.
      answers.delete(key)
      answers.set(key, made)
      for (const oldest of answers.keys()) if (answers.size > mostKept) answers.delete(oldest)
      return made
    },
    forAllMetrics<T>(key: string, make: () => T): T {
      if (!ofMap.has(key)) ofMap.set(key, make())
      return ofMap.get(key) as T
    },
  }
}

function keyOf({ image, ...rest }: Parameters<typeof createOnce>[1]): string {
  const pixels = createHash('sha256').update(new Uint8Array(image.buffer, image.byteOffset, image.byteLength)).digest('hex')
  return `${pixels} ${JSON.stringify(rest)}`
}

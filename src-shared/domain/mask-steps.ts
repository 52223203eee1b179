/**
 * How many masks go through the classifier in one call, whoever makes it: the last digits of an answer can depend on its company. It
 * follows from the image's size alone, never from the memory or the number of workers.
 * @param size of what the classifier sees, in pixels
 */
export function masksPerCall({ height, width }: { height: number; width: number }): number {
  return Math.max(4, Math.min(16, Math.floor((8 * 224 * 224) / (height * width))))
}

/** Calls of the classifier that make one iteration of RISE. */
export const callsPerStep = 4

/** The masks that RISE has asked by each of these iterations. @param masks of the whole run */
export function masksBy(iterations: readonly number[], masks: number, size: { height: number; width: number }): number[] {
  return iterations.map((iteration) => Math.min(masks, iteration * callsPerStep * masksPerCall(size)))
}

/**
 * Half A (the images of even number) is what a classifier and its generator are trained on; half B (those of odd number) is
 * the judge's, and unseen by the other two.
 */
export type Half = 'a' | 'b'

/** The items of one half, in their order. */
export function halfOf<T>(items: readonly T[], half: Half): T[] {
  return items.filter((_, i) => i % 2 === (half === 'a' ? 0 : 1))
}

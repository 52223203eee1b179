/** So many files are read at a time: enough to keep the disk busy, and far from the limit on open files. */
const atOnce = 16

/** What `work` makes of each item, in the order of the items; a few at a time. Rejects with the first failure. */
export async function inBatches<T, R>(items: readonly T[], work: (item: T) => Promise<R>): Promise<R[]> {
  const results: R[] = []
  for (let i = 0; i < items.length; i += atOnce) results.push(...await Promise.all(items.slice(i, i + atOnce).map(work)))
  return results
}

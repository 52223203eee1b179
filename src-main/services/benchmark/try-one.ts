import type { Pool } from '#pool/pool.ts'
import { MaskscopeError } from '#shared/domain/errors.ts'
import type { ExecutorId } from '#shared/domain/executor.ts'
import type { Entry } from './entries.ts'
import { comparing, type BenchmarkOrder } from './perform.ts'
import { prepareChunk } from './subjects.ts'
import { performUnit } from './units.ts'

/** Among so many images from the first on one is looked for that the classifier sees rightly. */
const mostLooked = 8

/**
 * Explains and measures one image by each of some methods, to find out what that takes.
 * @param tell hears of each method as soon as it is known
 * @throws MaskscopeError 'usage' where the classifier sees none of the first images rightly, 'cancelled'
 */
export async function tryOne(
  pool: Pool, order: BenchmarkOrder, entries: readonly Entry[], signal: AbortSignal, tell: (found: { entry: Entry; executor: ExecutorId; seconds: number }) => void,
): Promise<void> {
  const info = await pool.info(order.model)
  const executor = info.executor.id
  const prepared = await prepareChunk(pool, order.model, info, executor, order.items.slice(0, mostLooked).map((item, index) => ({ index, item })))
  if (prepared.subjects.length === 0) throw new MaskscopeError('usage', 'The model sees none of the first images rightly, so nothing can be tried on them.', { subject: 'data' })
  const size = info.input.height * info.input.width * info.input.channels
  const one = { ...prepared, subjects: prepared.subjects.slice(0, 1), objects: prepared.objects.slice(0, 1), images: { ...prepared.images, count: 1, data: prepared.images.data.slice(0, size) } }
  const { own } = comparing(order.metrics)
  for (const entry of entries) {
    if (signal.aborted) throw new MaskscopeError('cancelled', 'Interrupted.')
    const bench = { pool, source: order.model, judge: order.judge, executor, seed: order.seed, signal }
    const { seconds: { explain, measure } } = await performUnit(bench, entry, 0, one, own)
    tell({ entry, executor, seconds: explain + measure })
  }
}

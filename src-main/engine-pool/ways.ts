import { masksPerCall } from '#engine/methods/queries/laying.ts'
import type { SentShare } from '#engine/methods/queries/wire.ts'
import type { ModelInfo } from '#shared/domain/model.ts'
import type { WaysMeasured } from './timings.ts'
import type { WorkerHandle } from './worker-handle.ts'

/** Measuring ends after so long for each way, in ms, or with the round that passes it. */
const patience = 1000
const rounds = 3
/** A round is to take so long at least, in ms, for one worker on one thread. */
const worthwhile = 60
const mostCalls = 8

/**
 * Which way of using all cores answers more questions in the same time: one worker with all of them, or all workers with one thread
 * each. Measured by masked images in the workers themselves, each way in a few rounds after one that does not count.
 * @param workers hold the model, run by ONNX Runtime; all of them compute nothing else
 * @param free whether that is still so, asked between rounds
 * @returns null where it is not
 */
export async function measureWays(
  workers: readonly WorkerHandle[], model: string, info: ModelInfo, cores: number, free: () => boolean,
): Promise<WaysMeasured | null> {
  const [first] = workers
  const perCall = masksPerCall(info.input)
  let calls = 1
  const ask = (worker: WorkerHandle, threads: number): Promise<unknown> =>
    worker.ask('logits', { type: 'assist', model, run: 'ways', work: sample(info, calls * perCall), threads })
  async function fastest(round: () => Promise<unknown>): Promise<number | null> {
    await round()
    let best = Infinity
    const begin = performance.now()
    for (let n = 0; n < rounds && (n === 0 || performance.now() - begin < patience); n++) {
      if (!free()) return null
      const start = performance.now()
      await round()
      best = Math.min(best, performance.now() - start)
    }
    return best
  }
  const oneThread = Math.max(1, Math.floor(cores / workers.length))
  const single = await fastest(() => ask(first!, oneThread))
  if (single === null) return null
  calls = Math.max(1, Math.min(mostCalls, Math.ceil(worthwhile / single)))
  const one = await fastest(() => ask(first!, cores))
  if (one === null) return null
  const many = await fastest(() => Promise.all(workers.map((worker) => ask(worker, oneThread))))
  if (many === null) return null
  const images = calls * perCall
  return { oneWorker: one / images, manyWorkers: many / (workers.length * images) }
}

/** Grey pictures, half hidden. */
function sample({ input: { height, width, channels } }: ModelInfo, count: number): SentShare {
  const size = height * width * channels
  return {
    frame: { height, width, channels }, image: 1, fill: 2, side: 'preserve',
    pictures: [{ number: 1, data: new Float32Array(size).fill(0.5) }, { number: 2, data: new Float32Array(size) }],
    masks: { form: 'grid', count, height: 2, width: 2, cells: Float32Array.from({ length: 4 * count }, (_, i) => (i % 4 < 2 ? 1 : 0)) },
  }
}

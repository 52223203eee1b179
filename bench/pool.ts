import { existsSync } from 'node:fs'
import os from 'node:os'
import path from 'node:path'
import type { ModelUse } from '#engine/protocol.ts'
import { findMethod } from '#engine/methods/registry.ts'
import { explainOn } from '#pool/explain-job.ts'
import { forkLauncher } from '#pool/wire.ts'
import { createWorkerHandle, modelKey, type WorkerHandle } from '#pool/worker-handle.ts'
import { loadModel } from '#services/models.ts'
import type { ModelSource } from '#shared/domain/model.ts'
import { resolveParameters } from '#shared/domain/parameters.ts'
import { randomImage } from './neuromask-step.ts'
import type { BenchOptions } from './run.ts'
import { median, rounded } from './timing.ts'

/** Images explained one after the other, by default settings but for the number of steps, which changes nothing in a step. */
interface Work {
  source: ModelSource
  side: number
  images: number
  iterations: number
}

async function findWork(): Promise<Record<string, Work>> {
  const work: Record<string, Work> = { demo: { source: (await loadModel('demo')).source, side: 64, images: 8, iterations: 120 } }
  const file = path.resolve(process.env['MASKSCOPE_DATA'] ?? 'no-data', 'models/imagenet/mobilenet_v2_1.0_224/graph-uint8/model.json')
  if (existsSync(file)) {
    const { source } = await loadModel(file, { range: [-1, 1] })
    work['mobilenetV2'] = { source: { ...source, head: source.head ?? 'softmax' }, side: 224, images: 4, iterations: 20 }
  }
  return work
}

/**
 * How a batch of explanations is best spread over the cores: one worker with one thread, one worker with all of them, or a
 * worker for each core. NeuroMask by ONNX Runtime in real worker processes, in turns. `ratio`: the best to the first.
 */
export async function run({ quick }: BenchOptions): Promise<object> {
  const cores = os.availableParallelism()
  // From the sources, as this benchmark itself runs.
  const launch = forkLauncher(path.resolve(import.meta.dirname, '../src-main/engine/worker.ts'), ['--import', 'tsx'])
  const workers = Array.from({ length: cores }, (_, i) => createWorkerHandle(launch(), i + 1, 'wasm'))
  const models: Record<string, object> = {}
  try {
    await Promise.all(workers.map(({ ready }) => ready))
    for (const [name, work] of Object.entries(await findWork())) {
      const ways = { oneWorkerOneThread: [1, 1], oneWorkerAllThreads: [1, cores], workerPerCore: [cores, 1] } as const
      const seconds: Record<string, number[]> = {}
      for (let round = 0; round < (quick ? 1 : 5); round++) {
        for (const [way, [count, threads]] of Object.entries(ways)) {
          const taken = workers.slice(0, count)
          // A worker that changes its threads prepares the model anew.
          await explainAll(taken, { ...work, images: count, iterations: 1 }, threads)
          const start = performance.now()
          await explainAll(taken, work, threads)
          ;(seconds[way] ??= []).push((performance.now() - start) / 1000)
        }
      }
      const rates = Object.fromEntries(Object.entries(seconds).map(([way, times]) => [way, work.images / median(times)]))
      const [best, most] = Object.entries(rates).reduce((a, b) => (b[1] > a[1] ? b : a))
      models[name] = {
        imagesPerSecond: Object.fromEntries(Object.entries(rates).map(([way, rate]) => [way, rounded(rate)])),
        iterations: work.iterations, best, ratio: rounded(most / rates['oneWorkerOneThread']!),
      }
    }
  } finally {
    for (const worker of workers) worker.kill()
  }
  return { processor: os.cpus()[0]?.model.trim() ?? '', cores, load: rounded(os.loadavg()[0]!), models }
}

/** Each worker takes the next image when it has done with one. */
async function explainAll(workers: readonly WorkerHandle[], { source, side, images, iterations }: Work, threads: number): Promise<void> {
  const method = findMethod('neuromask')
  const parameters = resolveParameters(method, { iterations })
  const image = randomImage({ height: side, width: side, channels: 3 })
  const use: ModelUse = { executor: 'onnxruntime', threads: 1, memory: 2 ** 30, measured: null }
  let next = 0
  async function serve(worker: WorkerHandle): Promise<void> {
    while (next < images) {
      const seed = next++
      await explainOn(
        worker, source, { method: method.id, parameters, images: image, targets: ['auto'], seeds: [seed] }, {},
        {
        prepare: async () => ({ info: await worker.load(modelKey(source), source, use), threads, spread: false }),
        help: () => { throw new Error('nobody helps') },
      },
      )
    }
  }
  await Promise.all(workers.map(serve))
}

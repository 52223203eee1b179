import { existsSync, readFileSync } from 'node:fs'
import os from 'node:os'
import path from 'node:path'
import { findMethod } from '#engine/methods/registry.ts'
import type { ModelUse } from '#engine/protocol.ts'
import { explainOn, type ExplainJob } from '#pool/explain-job.ts'
import { createPool } from '#pool/pool.ts'
import { createTimings } from '#pool/timings.ts'
import { forkLauncher } from '#pool/wire.ts'
import { createWorkerHandle, modelKey } from '#pool/worker-handle.ts'
import { loadModel } from '#services/models.ts'
import type { ModelSource } from '#shared/domain/model.ts'
import { resolveParameters, type ParameterValues } from '#shared/domain/parameters.ts'
import { randomImage } from './neuromask-step.ts'
import type { BenchOptions } from './run.ts'
import { median, rounded } from './timing.ts'

interface Subject {
  source: ModelSource
  side: number
  /** Questions of one run. */
  questions: number
}

/** Of Linux, wherever Node runs. */
const ticksPerSecond = 100

const data = process.env['MASKSCOPE_DATA'] ?? 'no-data'
const networks = {
  mobilenetV1Quarter: { file: 'models/imagenet/mobilenet_v1_0.25_128/graph/model.json', side: 128, questions: 4000 },
  mobilenetV2: { file: 'models/imagenet/mobilenet_v2_1.0_224/graph-uint8/model.json', side: 224, questions: 4000 },
}

async function findSubjects(quick: boolean): Promise<Record<string, Subject>> {
  const subjects: Record<string, Subject> = { demo: { source: (await loadModel('demo')).source, side: 64, questions: 4000 } }
  for (const [name, { file, side, questions }] of Object.entries(networks)) {
    if (!existsSync(path.resolve(data, file)) || (quick && side > 128)) continue
    const { source } = await loadModel(path.resolve(data, file), { range: [-1, 1] })
    subjects[name] = { source: { ...source, head: source.head ?? 'softmax' }, side, questions }
  }
  return subjects
}

/** A method and the parameters with which it asks about so many questions. */
const works: Record<string, (questions: number) => ParameterValues> = {
  rise: (questions) => ({ masks: questions }),
  'de-cam': (questions) => ({ queries: questions }),
}

/**
 * Runs that only ask, each alone: one worker with one thread, one worker with all threads, and a worker for each core of which all but
 * one help. ONNX Runtime in real worker processes, in turns. Quick: fewer rounds, networks of at most 128 px. `ratio`: questions per second of the last to those of the first. `mostByProcessorTime`: what that could
 * be at most, by the processor time that this process and the workers spent on a question, which other work on the machine hardly changes.
 */
export async function run({ quick }: BenchOptions): Promise<object> {
  const cores = os.availableParallelism()
  // From the sources, as this benchmark itself runs.
  const launch = forkLauncher(path.resolve(import.meta.dirname, '../src-main/engine/worker.ts'), ['--import', 'tsx'])
  const single = createWorkerHandle(launch(), 0, 'wasm')
  // What is measured here is each way, so the pool is told that many workers are the better one.
  const timings = { ...createTimings(), findWays: () => Promise.resolve({ oneWorker: 2, manyWorkers: 1 }) }
  const pool = createPool({ launch, backend: 'wasm', timings })
  const use: ModelUse = { executor: 'onnxruntime', threads: 1, memory: 2 ** 30, measured: null }
  const models: Record<string, object> = {}
  try {
    await single.ready
    for (const [name, { source, side, questions }] of Object.entries(await findSubjects(quick))) {
      const image = randomImage({ height: side, width: side, channels: 3 })
      for (const [id, given] of Object.entries(works)) {
        const jobOf = (count: number): ExplainJob => ({
          method: id, parameters: resolveParameters(findMethod(id), given(count)), images: image, targets: ['auto'], seeds: [1], executor: 'onnxruntime',
        })
        const alone = (threads: number) => async (job: ExplainJob): Promise<{ questions: number; seconds: number }> => {
          const { explanations, seconds } = await explainOn(single, source, job, {}, {
            prepare: async () => ({ info: await single.load(modelKey(source), source, use), threads, spread: false }),
            help: () => { throw new Error('nobody helps') },
          })
          return { questions: explanations[0]!.evaluations.forward, seconds }
        }
        const ways = {
          oneWorkerOneThread: alone(1),
          oneWorkerAllThreads: alone(cores),
          workerPerCore: async (job: ExplainJob) => {
            const { explanations, seconds } = await pool.explain(source, job)
            return { questions: explanations[0]!.evaluations.forward, seconds }
          },
        }
        const rates: Record<string, number[]> = {}
        const spent: Record<string, number[]> = {}
        // A run of the largest takes a minute.
        for (let round = 0; round < (quick ? 2 : side > 128 ? 3 : 5); round++) {
          for (const [way, explain] of Object.entries(ways)) {
            // A worker that changes its threads prepares the model anew, and helpers are found in the first run.
            await explain(jobOf(Math.max(512, questions / 8)))
            const before = processorSeconds([single.pid, ...pool.workers().map(({ pid }) => pid)])
            const done = await explain(jobOf(questions))
            ;(spent[way] ??= []).push((processorSeconds([single.pid, ...pool.workers().map(({ pid }) => pid)]) - before) / done.questions)
            ;(rates[way] ??= []).push(done.questions / done.seconds)
          }
        }
        const medians = Object.fromEntries(Object.entries(rates).map(([way, all]) => [way, rounded(median(all), 1)]))
        const ratios = rates['workerPerCore']!.map((rate, i) => rate / rates['oneWorkerOneThread']![i]!)
        models[`${name} ${id}`] = {
          questionsPerSecond: medians, questions, ratio: rounded(median(ratios)), ratios: ratios.map((ratio) => rounded(ratio)),
          mostByProcessorTime: rounded((cores * median(spent['oneWorkerOneThread']!)) / median(spent['workerPerCore']!)),
        }
      }
    }
  } finally {
    single.kill()
    await pool.dispose()
  }
  return { processor: os.cpus()[0]?.model.trim() ?? '', cores, load: rounded(os.loadavg()[0]!), models }
}

/** Of this process and others, so far; NaN where the system does not tell. */
function processorSeconds(pids: readonly (number | undefined)[]): number {
  const { user, system } = process.cpuUsage()
  const others = pids.map((pid) => {
    try {
      const fields = readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ')[1]!.split(' ')
      return (Number(fields[11]) + Number(fields[12])) / ticksPerSecond
    } catch {
      return NaN
    }
  })
  return others.reduce((a, b) => a + b, (user + system) / 1e6)
}

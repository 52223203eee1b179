import type { InferenceSession } from 'onnxruntime-node'
import type { WrittenModel } from './emitter.ts'
import { onnxruntimeError } from './errors.ts'
import type { Onnxruntime } from './runtime.ts'

/** Each session holds the weights in a form of its own, so few live at a time. */
const mostSessions = 3

/** Sessions by what they compute, made at first use; the one unused the longest goes when there are too many. */
export interface Sessions {
  /** @param write asked for where there is no session yet */
  get(key: string, write: () => WrittenModel): Promise<InferenceSession>
  /** How many cores a run uses; sessions are made anew where it changes. */
  setThreads(threads: number): Promise<void>
  dispose(): Promise<void>
}

export function createSessions(ort: Onnxruntime, threads: number): Sessions {
  const live = new Map<string, InferenceSession>()
  let cores = threads

  async function release(key: string): Promise<void> {
    const session = live.get(key)
    live.delete(key)
    await session?.release()
  }
  async function dispose(): Promise<void> {
    for (const key of [...live.keys()]) await release(key)
  }
  return {
    async get(key, write) {
      const found = live.get(key)
      if (found) {
        // to the end: the first is the one unused the longest
        live.delete(key)
        live.set(key, found)
        return found
      }
      while (live.size >= mostSessions) await release(live.keys().next().value!)
      const session = await create(ort, write(), cores)
      live.set(key, session)
      return session
    },
    async setThreads(count) {
      if (count === cores) return
      cores = count
      await dispose()
    },
    dispose,
  }
}

async function create(ort: Onnxruntime, { bytes, external }: WrittenModel, threads: number): Promise<InferenceSession> {
  try {
    return await ort.InferenceSession.create(bytes, { ...sessionOptions(threads), externalData: external })
  } catch (error) {
    throw onnxruntimeError(error, 'prepare')
  }
}

function sessionOptions(threads: number): InferenceSession.SessionOptions {
  return {
    executionProviders: ['cpu'],
    graphOptimizationLevel: 'all',
    executionMode: 'sequential',
    intraOpNumThreads: threads,
    interOpNumThreads: 1,
    // the same speed without, and a fifth less memory for a batch
    enableMemPattern: false,
    // threads that spin gain 3 to 8 % on an idle machine and make calls many times as slow where others want the cores
    extra: { session: { 'intra_op.allow_spinning': '0' } },
    // whatever goes wrong arrives as an error
    logSeverityLevel: 4,
  }
}

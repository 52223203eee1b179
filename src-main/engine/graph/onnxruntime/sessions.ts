import type { InferenceSession } from 'onnxruntime-node'
import { onnxruntimeError } from './errors.ts'
import type { Onnxruntime } from './runtime.ts'

/** Each session holds the weights in a form of its own, so few live at a time. */
const mostSessions = 3

/** Sessions by what they compute, made at first use; the one unused the longest goes when there are too many. */
export interface Sessions {
  /** @param write the bytes of the ONNX file, asked for where there is no session yet */
  get(key: string, write: () => Uint8Array): Promise<InferenceSession>
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

async function create(ort: Onnxruntime, bytes: Uint8Array, threads: number): Promise<InferenceSession> {
  try {
    return await ort.InferenceSession.create(bytes, sessionOptions(threads))
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
    // whatever goes wrong arrives as an error
    logSeverityLevel: 4,
  }
}

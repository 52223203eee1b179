import type { BackendReport } from './backend.ts'

/** What can run a frozen graph: ONNX Runtime on the processor, or TF.js on the active backend. */
export const executorIds = ['onnxruntime', 'tfjs'] as const
export type ExecutorId = (typeof executorIds)[number]

/** What a person may ask for: one of them, or the faster for the model on this machine. */
export const executorWishes = ['auto', ...executorIds] as const
export type ExecutorWish = (typeof executorWishes)[number]

export const executorNames: Readonly<Record<ExecutorId, string>> = { onnxruntime: 'ONNX Runtime', tfjs: 'TensorFlow.js' }

/** Medians of a few calls with one image, in ms. */
export interface ExecutorTiming {
  forward: number
  /** Forward and backward; null where the model offers no gradients. */
  gradient: number | null
}

export type ExecutorTimings = Readonly<Partial<Record<ExecutorId, ExecutorTiming>>>

/** Which executor runs a model, and why. */
export interface ExecutorChoice {
  id: ExecutorId
  /** For people, one sentence: what was measured, what was asked for, or why the other cannot serve. */
  reason: string
  /** Of each executor that was measured on this machine with this model. */
  measured: ExecutorTimings
  /** Version of ONNX Runtime where it runs the model, else null. */
  version: string | null
}

/** One row of `maskscope doctor`, beside the backends. */
export interface ExecutorReport {
  id: ExecutorId
  available: boolean
  /** Why it is not available, or what it is good for. */
  reason: string
  version: string | null
  /**
   * Measured: the convolution of `BackendReport.convolutionGflops`, GFLOP/s, median; null where unavailable. With all threads it is
   * the same number as with one where the executor has only one, or where the active backend is a GPU.
   */
  convolutionGflops: { oneThread: number; allThreads: number } | null
  /** How many `allThreads` are. */
  threads: number
  /** What runs a model unless the model's own measurement or a person says otherwise. */
  chosen: boolean
}

/** What the doctor finds. */
export interface Diagnosis {
  backends: BackendReport[]
  executors: ExecutorReport[]
  /** By what rule an executor is chosen here, one or two sentences. */
  rule: string
}

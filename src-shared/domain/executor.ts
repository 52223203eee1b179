/** What can run a frozen graph: ONNX Runtime on the processor, or TF.js on the active backend. */
export const executorIds = ['onnxruntime', 'tfjs'] as const
export type ExecutorId = (typeof executorIds)[number]

/** Medians of a few calls with one image, in ms. */
export interface ExecutorTiming {
  forward: number
  /** Forward and backward; null where the model offers no gradients. */
  gradient: number | null
}

/** Which executor runs a model, and why. */
export interface ExecutorChoice {
  id: ExecutorId
  /** For people, one sentence: what was measured, what was asked for, or why the other cannot serve. */
  reason: string
  /** Of each executor that was measured on this machine with this model. */
  measured: Readonly<Partial<Record<ExecutorId, ExecutorTiming>>>
  /** Version of ONNX Runtime where it runs the model, else null. */
  version: string | null
}

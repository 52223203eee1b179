import type { SerialisedError } from '#shared/domain/errors.ts'
import type { ImageBatch } from '#shared/domain/image.ts'
import type { ModelInfo, ModelSource } from '#shared/domain/model.ts'
import type { ParameterValues } from '#shared/domain/parameters.ts'
import type { Explanation, Progress } from '#shared/domain/run.ts'

/** The words a worker and its pool exchange, over the process channel with advanced serialisation (arrays stay raw). */

export type BackendId = 'cuda' | 'wasm' | 'cpu'

/** Which backend a worker runs on, and why not a faster one. */
export interface BackendChoice {
  id: BackendId
  /** E.g. "CPU, WebAssembly SIMD" or the GPU's name. */
  device: string
  rejected: readonly { id: BackendId; reason: string }[]
}

/** One row of `maskscope doctor`. */
export interface BackendReport {
  id: BackendId
  available: boolean
  /** Why it is not available, or what it is good for. */
  reason: string
  device: string | null
  /** Measured: a 3×3 convolution [1,56,56,64] → 64, GFLOP/s (2 per multiply-add), median; null where unavailable. */
  convolutionGflops: number | null
  chosen: boolean
}

export type WorkerRequest =
  /** First message: choose a backend (the best where undefined). Answered by `ready` or `failed`. */
  | { type: 'start'; id: number; backend: BackendId | undefined }
  /** Answered by `loaded` or `failed`. A worker keeps the models it loaded last, by a key of their sha256 and preprocessing. */
  | { type: 'load'; id: number; key: string; source: ModelSource }
  /** Answered by `logits` or `failed`. */
  | { type: 'classify'; id: number; model: string; images: ImageBatch }
  /** Answered by any number of `progress`, then one of `explained`, `failed`. */
  | {
      type: 'explain'
      id: number
      model: string
      method: string
      parameters: ParameterValues
      images: ImageBatch
      targets: readonly (number | 'auto')[]
      seeds: readonly number[]
    }
  /** The request `id` ends with `failed`, code `cancelled`. Cancelling what has ended does nothing. */
  | { type: 'cancel'; id: number }
  /** Answered by `diagnosis`. */
  | { type: 'diagnose'; id: number }

export type WorkerReply =
  | { type: 'ready'; id: number; backend: BackendChoice; versions: { tfjs: string } }
  /** `dropped`: the keys of models that left to make room. */
  | { type: 'loaded'; id: number; info: ModelInfo; dropped: string[] }
  | { type: 'logits'; id: number; logits: Float32Array }
  /** The targets that `auto` became, before the first progress. */
  | { type: 'targets'; id: number; targets: number[] }
  | { type: 'progress'; id: number; progress: Progress }
  | { type: 'explained'; id: number; explanations: Explanation[] }
  | { type: 'diagnosis'; id: number; backends: BackendReport[] }
  | { type: 'failed'; id: number; error: SerialisedError }

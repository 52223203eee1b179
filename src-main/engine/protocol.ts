import type { BackendChoice, BackendId } from '#shared/domain/backend.ts'
import type { SerialisedError } from '#shared/domain/errors.ts'
import type { Diagnosis, ExecutorTimings, ExecutorWish } from '#shared/domain/executor.ts'
import type { ImageBatch } from '#shared/domain/image.ts'
import type { GraphReport } from '#shared/domain/layers.ts'
import type { ModelInfo, ModelSource } from '#shared/domain/model.ts'
import type { ParameterValues } from '#shared/domain/parameters.ts'
import type { GeneratorFiles, GeneratorSettings, SalientSet, TrainingCheckpoint } from '#shared/domain/reconstruction.ts'
import type { Explanation, ParameterChange, Progress } from '#shared/domain/run.ts'
import type { MeasureWork } from './measure.ts'
import type { MetricOutcome } from './metrics/metric.ts'
import type { SentShare } from './methods/queries/wire.ts'
import type { GenerateProgress, GenerateResult, GenerateWork } from './reconstruction/generate.ts'
import type { TrainedGenerator, TrainingStep } from './reconstruction/train.ts'

/** The words a worker and its pool exchange, over the process channel with advanced serialisation (arrays stay raw). */

/** How a model is to be run. */
export interface ModelUse {
  executor: ExecutorWish
  /** That one call may use, where the executor has threads: it is measured with so many. */
  threads: number
  /** Bytes that the worker's process may take: batches are cut to it. */
  memory: number
  /** Of an earlier measurement of this model on this machine; null: it is measured where that decides. */
  measured: ExecutorTimings | null
}

/** Of what computes. */
export interface EngineVersions {
  tfjs: string
  /** null where it cannot be loaded, or is not needed. */
  onnxruntime: string | null
}

/** Training of a generator, as it is sent to a worker. */
export interface TrainWork {
  settings: GeneratorSettings
  set: SalientSet
  /** Measured after every epoch, never trained on. */
  validation: SalientSet | null
  /** To go on from. */
  checkpoint: TrainingCheckpoint | null
}

export type WorkerRequest =
  /** First message: choose a backend (the best where undefined). Answered by `ready` or `failed`. */
  | { type: 'start'; id: number; backend: BackendId | undefined }
  /**
   * Answered by `loaded` or `failed`. A worker keeps the models it loaded last, by a key of their sha256 and preprocessing; one
   * that it has for another use is loaded anew.
   */
  | { type: 'load'; id: number; key: string; source: ModelSource; use: ModelUse }
  /** The graph of a loaded model. Answered by `described` or `failed`. */
  | { type: 'describe'; id: number; model: string }
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
      /** That one call may use from now on, where the executor has threads. */
      threads: number
      /** Replayed at their iterations. */
      changes: readonly ParameterChange[]
      /** Somebody watches: frames come at display rate besides the stored ones. */
      live: boolean
      /** The true object of each image, 0 or 1 per pixel of the input, where it is known. */
      objects?: readonly (Uint8Array | null)[]
      /** Others may compute parts of what it asks: it says when it wants them, and is told how many there are. */
      spread?: boolean
    }
  /** A share of another worker's run `run`. Answered by `logits` or `failed`. */
  | { type: 'assist'; id: number; model: string; run: string; work: SentShare; threads: number }
  /** Judges a map; `judge` is another loaded model. Answered by `measured` or `failed`. */
  | { type: 'measure'; id: number; model: string; judge: string | null; work: MeasureWork; threads: number }
  /** Trains a generator for a loaded model. Answered by any number of `training`, then one of `trained`, `failed`. */
  | { type: 'train'; id: number; model: string; work: TrainWork; threads: number }
  /** Asks a trained generator; `judge` is another loaded model. Answered by any number of `generating`, then one of `generated`, `failed`. */
  | { type: 'generate'; id: number; model: string; judge: string | null; generator: GeneratorFiles; work: GenerateWork; threads: number }
  /** Stops the request `id` after its next step; answered by `paused`. Pausing what is paused or has ended does nothing. */
  | { type: 'pause'; id: number }
  | { type: 'resume'; id: number }
  /** Of a paused request. Answered by `changed` or `refused`. */
  | { type: 'change'; id: number; parameters: ParameterValues }
  /** How many others compute for the request `id` from now on. */
  | { type: 'helpers'; id: number; count: number }
  /** The answer to a `share` of the request `id`; null where nobody could compute it. */
  | { type: 'shared'; id: number; share: number; logits: Float32Array | null }
  /** The request `id` ends with `failed`, code `cancelled`. Cancelling what has ended does nothing. */
  | { type: 'cancel'; id: number }
  /** Answered by `diagnosis`. */
  | { type: 'diagnose'; id: number }

export type WorkerReply =
  | { type: 'ready'; id: number; backend: BackendChoice; versions: EngineVersions }
  /** `dropped`: the keys of models that left to make room. */
  | { type: 'loaded'; id: number; info: ModelInfo; dropped: string[] }
  /** null where the graph cannot express the model. */
  | { type: 'described'; id: number; report: GraphReport | null }
  | { type: 'logits'; id: number; logits: Float32Array }
  /** Before the first progress: the targets that `auto` became, and their probabilities in the clean images, null where there are none. */
  | { type: 'targets'; id: number; targets: number[]; originals: (number | null)[] }
  | { type: 'progress'; id: number; progress: Progress }
  /** All news of the request `id`, like progress; it goes on afterwards. */
  | { type: 'paused'; id: number; iteration: number }
  | { type: 'resumed'; id: number }
  | { type: 'changed'; id: number; change: ParameterChange }
  | { type: 'refused'; id: number; error: SerialisedError }
  /** The request `id` has more to ask than one worker computes at once. */
  | { type: 'seek'; id: number }
  /** A share of its questions for one of its helpers. Answered by `shared`. */
  | { type: 'share'; id: number; share: number; work: SentShare }
  | { type: 'explained'; id: number; explanations: Explanation[] }
  | { type: 'measured'; id: number; outcomes: MetricOutcome[] }
  | { type: 'training'; id: number; step: TrainingStep }
  | { type: 'trained'; id: number; trained: TrainedGenerator }
  | { type: 'generating'; id: number; progress: GenerateProgress }
  | { type: 'generated'; id: number; result: GenerateResult }
  | { type: 'diagnosis'; id: number; diagnosis: Diagnosis }
  | { type: 'failed'; id: number; error: SerialisedError }

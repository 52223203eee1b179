import type { ImageBatch } from '#shared/domain/image.ts'
import type { Access } from '#shared/domain/model.ts'
import type { ParameterSchema, ParameterValues } from '#shared/domain/parameters.ts'
import type { Explanation, Progress } from '#shared/domain/run.ts'
import type { Classifier } from '../classifier/classifier.ts'

export interface ExplainTask {
  classifier: Classifier
  /** At the classifier's input size. */
  images: ImageBatch
  /** Class index per image. */
  targets: readonly number[]
  /** One per image, so that a batch gives what singles give. */
  seeds: readonly number[]
  /** Complete and validated (`resolveParameters`). */
  parameters: ParameterValues
  /** Checked at every step. */
  signal: AbortSignal
}

/** One explanation method: one object in one file, plus one line in registry.ts. */
export interface Method extends ParameterSchema {
  /** kebab-case. */
  id: string
  title: string
  citation: string
  access: Access
  /** Yields progress per image and step; returns one explanation per image. Throws MaskscopeError 'cancelled' on abort. */
  explain(task: ExplainTask): AsyncGenerator<Progress, Explanation[], void>
}

import type { GeneratorFiles, GeneratorSettings, SalientSet, TrainingCheckpoint, TrainingNews } from '#shared/domain/reconstruction.ts'
import type { Classifier } from '../classifier/classifier.ts'

export interface TrainingTask {
  settings: GeneratorSettings
  set: SalientSet
  /** Measured after every epoch, never trained on. */
  validation: SalientSet | null
  /** To go on from. */
  checkpoint: TrainingCheckpoint | null
  /** The explained one: asked for gradients where gamma > 0. */
  classifier: Classifier | null
  /** Number of classes that outcomes can be. */
  classes: number
  signal: AbortSignal
  /** Awaited before every step, counted from 0 over all epochs. */
  steer(step: number): Promise<unknown>
}

/** What comes at the end of training. */
export interface TrainedGenerator {
  files: GeneratorFiles
  /** After the last epoch: training can go on from it with more epochs. */
  checkpoint: TrainingCheckpoint
}

/** One step; the last of an epoch with the training as it stands then. */
export interface TrainingStep {
  news: TrainingNews
  checkpoint?: TrainingCheckpoint
}

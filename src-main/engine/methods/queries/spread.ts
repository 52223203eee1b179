import type { Masks, Scene } from './masks.ts'

/** Part of a run's questions, small enough to be sent. */
export interface Share {
  scene: Scene
  masks: Masks
}

/** What lends a run other workers. */
export interface Spread {
  /** How many others compute for this run at present, 0 and up. */
  readonly helpers: number
  /** There is more to compute than one worker can do at once: others are welcome. Saying it again does nothing. */
  seek(): void
  /** @returns logits, one row per mask; null where nobody could compute it after all */
  give(share: Share): Promise<Float32Array[] | null>
}

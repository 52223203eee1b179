import { generatorSchema, settingsOf, type GeneratorSettings, type SalientSet, type TrainingCheckpoint } from '#shared/domain/reconstruction.ts'
import { resolveParameters } from '#shared/domain/parameters.ts'
import { trainGenerator, type TrainedGenerator, type TrainingStep, type TrainingTask } from '#engine/reconstruction/train.ts'

export const toySize = { height: 28, width: 28, channels: 1 }
const area = 28 * 28

/** Three pictures: a bar at the left, in the middle or at the right of the upper half, and as bright a bar at another place of the lower half. */
export const toyModes: readonly Float32Array[] = [0, 1, 2].map((mode) => {
  const picture = new Float32Array(area)
  const lower = (mode + 1) % 3
  for (let y = 2; y < 12; y++) for (let x = 2 + 9 * mode; x < 8 + 9 * mode; x++) picture[y * 28 + x] = 1
  for (let y = 16; y < 26; y++) for (let x = 2 + 9 * lower; x < 8 + 9 * lower; x++) picture[y * 28 + x] = 1
  return picture
})

/** The modes in turns, each a little brighter or darker; only the upper half is salient. */
export function toySet(count: number): SalientSet {
  const images = new Uint8Array(count * area)
  const masks = new Float32Array(count * area)
  for (let n = 0; n < count; n++) {
    const brightness = 200 + ((n * 37) % 56)
    toyModes[n % 3]!.forEach((value, i) => (images[n * area + i] = value * brightness))
    masks.fill(1, n * area, n * area + area / 2)
  }
  return { ...toySize, count, images, masks, outcomes: Int32Array.from({ length: count }, (_, n) => n % 3), labels: null }
}

export function toySettings(given: Partial<GeneratorSettings> = {}): GeneratorSettings {
  const values = resolveParameters(generatorSchema(toySize), { 'spatial': false, 'latent': 4, 'salient-weight': 10, 'epochs': 2, 'batch': 12, 'learning-rate': 0.003, 'warm-up': 1, 'floor': 0, 'dilation': 0, 'blur': 0 })
  // Twice as quick without the second encoder.
  return { ...settingsOf(values, toySize, 1), recognition: false, ...given }
}

export function toyTask(given: Partial<TrainingTask> = {}): TrainingTask {
  return {
    settings: toySettings(), set: toySet(24), validation: null, checkpoint: null, classifier: null, classes: 3,
    signal: new AbortController().signal, steer: async () => null, ...given,
  }
}

/** @param see called with every step; where it answers true, the training is broken off there */
export async function trainToy(task: TrainingTask, see: (step: TrainingStep) => boolean | void = () => false): Promise<TrainedGenerator | null> {
  const steps = trainGenerator(task)
  for (;;) {
    const step = await steps.next()
    if (step.done) return step.value
    if (see(step.value)) {
      await steps.return(undefined as never)
      return null
    }
  }
}

export async function checkpointAfter(task: TrainingTask, epoch: number): Promise<TrainingCheckpoint> {
  let found: TrainingCheckpoint | undefined
  await trainToy(task, ({ checkpoint }) => {
    if (checkpoint?.epoch === epoch) found = checkpoint
    return found !== undefined
  })
  return found!
}

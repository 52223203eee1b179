import { MaskscopeError } from '#shared/domain/errors.ts'
import type { BooleanParameter, Parameter, ParameterValues } from '#shared/domain/parameters.ts'
import { createRandom } from '#shared/random/random.ts'
import { scoreValues } from '../classifier/scores.ts'
import { checkCancelled } from '../methods/common/cancelled.ts'
import { numberOf, switchOf, wordOf } from '../methods/common/parameters.ts'
import { modelZero } from '../methods/gradients/zero.ts'
import { createFill, meanColour } from '../methods/masks/fills.ts'
import type { MetricTask } from './metric.ts'
import { scaled } from './scale.ts'
import { renderUnseenFill } from './unseen-fills.ts'

/**
 * What stands where a metric takes the image away. `road` is no picture of its own: it depends on what is left (imputation.ts).
 * `zero` is black,
 * `model-zero` the colour that the network receives as 0.
 */
export const standIns = ['mean', 'blur', 'noise', 'road', 'zero', 'model-zero'] as const
export type StandIn = (typeof standIns)[number]

const labels: Readonly<Record<StandIn, string>> = {
  mean: 'Mean colour of the image', blur: 'The image, blurred', noise: 'Noise about the mean colour', road: 'Imputation from what is left (ROAD)',
  zero: 'Black', 'model-zero': "The model's own zero",
}

/** A switch for each stand-in. @param on those that a metric averages over by default */
export function standInSwitches(on: readonly StandIn[]): BooleanParameter[] {
  return standIns.map((kind) => ({
    type: 'boolean', name: `fill-${kind}`, label: labels[kind], group: 'Fills', help: 'Whether this fill is among those that are averaged.', default: on.includes(kind),
  }))
}

/** Values of those switches. */
export function switchesFor(on: readonly StandIn[]): ParameterValues {
  return Object.fromEntries(standIns.map((kind) => [`fill-${kind}`, on.includes(kind)]))
}

/** One stand-in. */
export function standInChoice(fallback: Exclude<StandIn, 'road'>): Parameter {
  return {
    type: 'choice', name: 'fill', label: 'Fill', group: 'Fills', common: true, help: 'What stands where the map hides the image.', default: fallback,
    options: standIns.filter((kind) => kind !== 'road').map((value) => ({ value, label: labels[value] })),
  }
}

export const blurParameters: readonly Parameter[] = [
  {
    type: 'choice', name: 'blur', label: 'Blur', group: 'Fills', help: 'Whether the blurred fill is blurred until the target has at most a tenth, or by a fixed amount.',
    default: 'grown', options: [{ value: 'grown', label: 'Until the target is gone' }, { value: 'fixed', label: 'Fixed' }],
  },
  {
    type: 'number', name: 'blur-sigma', label: 'Fixed blur', group: 'Fills', unit: 'px at 224', default: 3.2, min: 0.1, max: 100, step: 0.1,
    help: 'Standard deviation of the fixed blur, and where the growing one begins, for a shorter side of 224 pixels; it scales with the image.',
  },
]

/** @throws MaskscopeError 'usage' where none is chosen */
export function chosenStandIns(parameters: ParameterValues): StandIn[] {
  const chosen = standIns.filter((kind) => switchOf(parameters, `fill-${kind}`))
  if (chosen.length > 0) return chosen
  throw new MaskscopeError('usage', 'No fill is chosen; switch on at least one.', { subject: 'fill-mean' })
}

export interface RenderedStandIn {
  /** H·W·C */
  picture: Float32Array
  /** For the measurement, e.g. how far a blur had to grow. */
  details: Record<string, number>
}

/** The same picture for every map of an image and a seed. */
export async function renderStandIn(kind: Exclude<StandIn, 'road'>, task: MetricTask): Promise<RenderedStandIn> {
  const { frame, image, classifier, seed } = task
  const { height, width, channels } = frame
  switch (kind) {
    case 'mean': {
      const mean = meanColour(frame, image)
      return { picture: Float32Array.from(image, (_, i) => mean[i % channels]!), details: {} }
    }
    case 'zero':
      return { picture: new Float32Array(image.length), details: {} }
    case 'model-zero': {
      const colour = modelZero(classifier.info.preprocessing, channels)
      return { picture: Float32Array.from(image, (_, i) => colour[i % channels]!), details: {} }
    }
    case 'noise':
      return { picture: renderUnseenFill('noise', image, height, width, channels, new Float32Array(0), createRandom(seed, 'metric', 'noise')), details: {} }
    case 'blur': {
      const sigma = scaled(frame, numberOf(task.parameters, 'blur-sigma'))
      return wordOf(task.parameters, 'blur') === 'fixed' ? { picture: blurred(task, sigma), details: {} } : grownBlur(task, sigma)
    }
  }
}

function blurred({ frame, image }: Pick<MetricTask, 'frame' | 'image'>, sigma: number): Float32Array {
  return createFill('blur', frame, image, sigma, createRandom(0)).next()
}

/** The target is gone where it has at most this probability. */
const gone = 0.1

/** Grows by half until the target is gone, at most to the shorter side. Without probabilities: until another class is on top. */
async function grownBlur(task: MetricTask, first: number): Promise<RenderedStandIn> {
  const { classifier, frame, target } = task
  const { head, classes } = classifier.info
  // One output that is no probability does not tell when its class is gone.
  if (head === 'none' && classes === 1) return { picture: blurred(task, first), details: { 'blur-sigma': first } }
  for (let sigma = first; ; sigma *= 1.5) {
    const picture = blurred(task, sigma)
    const logits = await classifier.logits({ ...frame, count: 1, data: picture })
    const kind = head === 'none' ? 'margin' as const : 'probability' as const
    const left = scoreValues([logits], { kind, target }, head)[0]!
    if (left <= (head === 'none' ? 0 : gone) || sigma >= Math.min(frame.height, frame.width)) {
      return { picture, details: { 'blur-sigma': sigma, ...(head === 'none' ? {} : { 'blur-probability': left }) } }
    }
    checkCancelled(task.signal)
  }
}

import { MaskscopeError } from '#shared/domain/errors.ts'
import type { ImageBatch } from '#shared/domain/image.ts'
import { upsample } from '#shared/imaging/interpolation.ts'
import { createRandom } from '#shared/random/random.ts'
import type { Classifier } from '../classifier/classifier.ts'
import { switchOf } from '../methods/common/parameters.ts'
import { compose, inPlace, type Frame } from '../methods/masks/compose.ts'
import { createFill } from '../methods/masks/fills.ts'
import { judgePrefix, type Metric, type MetricTask } from './metric.ts'
import { scaled } from './scale.ts'
import { maskOf } from './shown.ts'
import { topClassOf } from './top-class.ts'
import { harshFills, renderUnseenFill, unseenFills } from './unseen-fills.ts'

export const keepRateMetric: Metric = {
  id: 'keep-rate',
  title: 'Keep rate',
  citation: 'M. Alzantot et al.: NeuroMask. IEEE SMARTCOMP 2019 (its success rate); here over fills that no mask is optimised against.',
  definition: 'How often the target stays the top class when only what the map shows is left, over noise, an imputation and a checkerboard.',
  better: 'higher',
  range: [0, 1],
  cost: 'queries',
  needs: [],
  parameters: [{
    type: 'boolean', name: 'wrong-class', label: 'A wrong class, too', group: 'Controls', default: false,
    help: 'Also explains another class, drawn by the seed, and tells how often that one is named: what optimisation alone brings about. It takes the method again.',
  }],
  presets: [
    { id: 'ours', title: 'Its own class', source: 'Ours: over fills that no mask is optimised against.', values: {} },
    {
      id: 'wrong-class', title: 'A wrong class, too', cost: 'dear', values: { 'wrong-class': true },
      source: 'Ours, the control: what a mask for another class, drawn by the seed, keeps of that one is what optimisation alone brings about.',
    },
  ],
  async measure(task) {
    const mask = maskOf(task.map)
    const details: Record<string, number> = {}
    await rates(task, task.classifier, mask, task.target, '', details)
    if (task.judge) await rates(task, task.judge, mask, task.target, judgePrefix, details)
    if (switchOf(task.parameters, 'wrong-class')) {
      const { classes, name } = task.classifier.info
      if (classes < 2) throw new MaskscopeError('unavailable', `${name} has one class only, so there is no wrong one; switch the parameter wrong-class off.`, { subject: 'wrong-class' })
      const wrong = (task.target + 1 + createRandom(task.seed, 'wrong-class').below(classes - 1)) % classes
      const forged = maskOf(await task.explain(task.image, { target: wrong }))
      await rates(task, task.classifier, forged, wrong, 'wrong-', details)
      if (task.judge) await rates(task, task.judge, forged, wrong, `${judgePrefix}wrong-`, details)
    }
    return { value: details['unseen']!, details }
  },
}

/** Fills that masks here are optimised against, or may be. */
const seenFills = ['mean', 'zero', 'blur', 'drawn'] as const
const drawings = 8

/** Adds what a classifier makes of a mask: 0 or 1 each, shares for `seen`, `unseen` and `seen-drawn`. */
async function rates({ image, frame, seed }: MetricTask, asked: Classifier, mask: Float32Array, target: number, prefix: string, details: Record<string, number>): Promise<void> {
  if (target >= asked.info.classes) {
    throw new MaskscopeError('usage', `The judge ${asked.info.name} has ${asked.info.classes} classes, too few for the target ${target}; choose one with the same classes.`, { subject: 'judge' })
  }
  if (asked.info.classes === 1 && asked.info.head !== 'sigmoid') {
    throw new MaskscopeError('unavailable', `${asked.info.name} has one output that is no probability, so no class is on top; state that it is one, with the head sigmoid, or choose another metric.`, { subject: 'head' })
  }
  const { height, width, channels } = frame
  const kinds = [...unseenFills, ...harshFills]
  // A stream for each, so that they are the same for every mask but for what ROAD imputes.
  const unseen = kinds.map((kind) => renderUnseenFill(kind, image, height, width, channels, mask, createRandom(seed, 'keep-rate', kind)))
  const seen = seenFills.map((kind) => {
    const fill = createFill(kind, frame, image, scaled(frame, 10), createRandom(seed, 'keep-rate', 'seen'))
    return Array.from({ length: fill.changes ? drawings : 1 }, () => fill.next().slice())
  })
  const batch: ImageBatch = { count: 1, ...frame, data: image }
  const tops = await topClassesUnderMask(asked, batch, mask, [...unseen, ...seen.flat()])
  const [clean, outline] = await topClasses(asked, { ...batch, count: 2, data: joined(image, outlineImage(mask, channels)) })
  const share = (some: readonly number[]): number => some.filter((top) => top === target).length / some.length
  kinds.forEach((kind, k) => (details[`${prefix}${kind}`] = share([tops[k]!])))
  details[`${prefix}unseen`] = share(tops.slice(0, unseenFills.length))
  let from = kinds.length
  seenFills.forEach((kind, k) => {
    details[`${prefix}seen-${kind}`] = share(tops.slice(from, from + seen[k]!.length))
    from += seen[k]!.length
  })
  details[`${prefix}seen`] = seenFills.reduce((sum, kind) => sum + details[`${prefix}seen-${kind}`]! / seenFills.length, 0)
  if (!prefix.startsWith(judgePrefix)) details[`${prefix}area`] = mask.reduce((sum, value) => sum + value, 0) / mask.length
  details[`${prefix}mask-only`] = share([outline!])
  details[`${prefix}clean`] = share([clean!])
}

function joined(a: Float32Array, b: Float32Array): Float32Array {
  const out = new Float32Array(a.length + b.length)
  out.set(a)
  out.set(b, a.length)
  return out
}

/**
 * The top class of one image under one mask, over each of several fills: x·m + fill·(1 − m).
 * @param image one image
 * @param mask H·W in [0, 1]
 * @param fills H·W·C each
 * @returns one class per fill
 */
export async function topClassesUnderMask(
  classifier: Classifier, image: ImageBatch, mask: Float32Array, fills: readonly Float32Array[],
): Promise<number[]> {
  const frame: Frame = { height: image.height, width: image.width, channels: image.channels }
  const size = image.data.length
  const data = new Float32Array(fills.length * size)
  fills.forEach((fill, i) => compose(frame, image.data, mask, fill, 'preserve', inPlace, data.subarray(i * size, (i + 1) * size)))
  return topClasses(classifier, { ...image, count: fills.length, data })
}

/**
 * The mask's outline alone: grey .25 where it hides, .75 where it shows. A mask that is classified as its target by this
 * picture speaks with its own form, not with what it shows of the image.
 */
export function outlineImage(mask: Float32Array, channels: number): Float32Array {
  return Float32Array.from({ length: mask.length * channels }, (_, i) => 0.25 + 0.5 * mask[Math.floor(i / channels)]!)
}

/** The top class of each image, see `topClassOf`. */
export async function topClasses(classifier: Classifier, images: ImageBatch): Promise<number[]> {
  const logits = await classifier.logits(fitted(images, classifier.info.input))
  const classes = logits.length / images.count
  return Array.from({ length: images.count }, (_, i) => topClassOf(logits.subarray(i * classes, (i + 1) * classes), classifier.info.head))
}

/** Images at the input size of another classifier, by exact interpolation; the same ones where they fit. */
function fitted(images: ImageBatch, input: Frame): ImageBatch {
  const { count, height, width, channels } = images
  if (channels !== input.channels) {
    throw new MaskscopeError('usage', `The judge takes ${input.channels} channels and the image has ${channels}; choose a judge for such images.`, { subject: 'judge' })
  }
  if (height === input.height && width === input.width) return images
  const data = new Float32Array(count * input.height * input.width * channels)
  for (let plane = 0; plane < count * channels; plane++) {
    const [image, c] = [Math.floor(plane / channels), plane % channels]
    const small = Float32Array.from({ length: height * width }, (_, i) => images.data[(image * height * width + i) * channels + c]!)
    const large = upsample({ height, width, data: small }, input.height, input.width).data
    large.forEach((value, i) => (data[(image * large.length + i) * channels + c] = value))
  }
  return { ...input, count, data }
}

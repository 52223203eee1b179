import { setImmediate as nextTurn } from 'node:timers/promises'
import { MaskscopeError, serialiseError } from '#shared/domain/errors.ts'
import { resolveParameters, type ParameterValues } from '#shared/domain/parameters.ts'
import type { Evaluations, Explanation } from '#shared/domain/run.ts'
import type { Classifier } from './classifier/classifier.ts'
import { fatalReason } from './fatal.ts'
import { findMethod } from './methods/registry.ts'
import { judgedMapOf } from './metrics/judged-map.ts'
import type { JudgedMap, Measurement, Metric, MetricOutcome, MetricTask } from './metrics/metric.ts'
import { createOnce } from './metrics/once.ts'
import { findMetric } from './metrics/registry.ts'

/** One map and what is asked of it. */
export interface MeasureWork {
  /** What found the map: metrics that need it again run it with these parameters. */
  method: string
  methodParameters: ParameterValues
  /** H·W·C in [0, 1], as the classifier saw it. */
  image: Float32Array
  target: number
  /** Of all that the metrics draw. Maps that are to be compared on an image get the same. */
  seed: number
  /** With which the method found the map, and runs again; the one above where undefined. */
  methodSeed?: number
  map: JudgedMap
  /** 0 or 1 per pixel of the input. */
  object: Uint8Array | null
  /** What other methods answered to the same image, by id. */
  others: Readonly<Record<string, JudgedMap>>
  /** Of finding the map. */
  evaluations: Evaluations
  /** In the order of the answers. Parameters as given, not yet complete. */
  metrics: readonly { id: string; parameters: ParameterValues }[]
}

/** @throws MaskscopeError 'cancelled', and whatever ends the process; the failure of one metric is its own outcome */
export async function measureAll(work: MeasureWork, classifier: Classifier, judge: Classifier | null, signal: AbortSignal): Promise<MetricOutcome[]> {
  const outcomes: MetricOutcome[] = []
  const ofMap = new Map<string, unknown>()
  for (const { id, parameters: given } of work.metrics) {
    // Messages, `cancel` among them, are read between turns of the event loop only.
    await nextTurn()
    if (signal.aborted) throw cancelled()
    try {
      const metric = findMetric(id)
      const parameters = resolveParameters(metric, given)
      const once = createOnce(classifier, { image: work.image, target: work.target, seed: work.seed, metric: id, parameters }, ofMap)
      outcomes.push({ id, measurement: await measureOne(metric, { ...taskOf(work, classifier, judge, signal), parameters, once }), error: null })
    } catch (error) {
      if (signal.aborted) throw cancelled()
      if (fatalReason(error) !== undefined) throw error
      outcomes.push({ id, measurement: null, error: serialiseError(error) })
    }
  }
  return outcomes
}

/** @throws MaskscopeError of the metric's own, or 'unavailable' where something is missing that it needs */
export async function measureOne(metric: Metric, task: MetricTask): Promise<Measurement> {
  const missing = whyNotMeasured(metric, task)
  if (missing !== null) throw new MaskscopeError('unavailable', missing, { subject: metric.id })
  const { saliency, ranking } = task.map
  const pixels = task.frame.height * task.frame.width
  for (const { data, height, width } of [saliency, ranking]) {
    if (height !== task.frame.height || width !== task.frame.width || data.length !== pixels) {
      throw new MaskscopeError('usage', `The map is ${width}×${height} and the input ${task.frame.width}×${task.frame.height}; maps are measured at the size of the input.`, { subject: 'map' })
    }
  }
  const whole = [saliency, ranking].every(({ data }) => data.every(Number.isFinite))
  if (!whole && !metric.anyMap) return { value: NaN, note: 'The map holds values that are no finite numbers.' }
  return metric.measure(task)
}

/** What a metric needs that is not there, one sentence; null: nothing. */
export function whyNotMeasured({ title, needs }: Pick<Metric, 'title' | 'needs'>, { classifier, object, others }: Pick<MetricTask, 'classifier' | 'object' | 'others'>): string | null {
  for (const need of needs) {
    switch (need) {
      case 'object':
        if (!object) return `${title} needs the true object, which is known of scenes and of images with boxes or segmentations.`
        break
      case 'mosaic':
        if (!object) return `${title} needs a mosaic, whose cell with the target is known.`
        break
      case 'others':
        if (others.size === 0) return `${title} compares with maps of other methods for the same image, and there are none.`
        break
      case 'graph':
        if (!classifier.graph) return `${title} looks into the layers, and those of ${classifier.info.name} cannot be looked into: it runs as it is.`
    }
  }
  return null
}

function taskOf(work: MeasureWork, classifier: Classifier, judge: Classifier | null, signal: AbortSignal): Omit<MetricTask, 'parameters' | 'once'> {
  const { height, width, channels } = classifier.info.input
  const { image, target, seed, map, object, others, evaluations, method: id, methodParameters, methodSeed = seed } = work
  if (image.length !== height * width * channels) {
    throw new MaskscopeError('usage', `The image has ${image.length} numbers and the input of ${classifier.info.name} ${height * width * channels}.`, { subject: 'image' })
  }
  if (object && object.length !== height * width) {
    throw new MaskscopeError('usage', `The object has ${object.length} pixels and the input of ${classifier.info.name} ${height * width}.`, { subject: 'object' })
  }
  return {
    classifier, judge, frame: { height, width, channels }, image, target, map, object, others: new Map(Object.entries(others)), evaluations, seed, signal,
    async explain(other, options = {}) {
      const steps = findMethod(id).explain({
        classifier: options.classifier ?? classifier, images: { count: 1, height, width, channels, data: other }, targets: [options.target ?? target],
        seeds: [options.seed ?? methodSeed], parameters: methodParameters, signal, objects: [object],
      })
      return judgedMapOf(await lastOf(steps, signal))
    },
  }
}

async function lastOf(steps: AsyncGenerator<unknown, Explanation[], void>, signal: AbortSignal): Promise<Explanation> {
  try {
    for (;;) {
      const step = await steps.next()
      if (step.done) return step.value[0]!
      await nextTurn()
      if (signal.aborted) throw cancelled()
    }
  } catch (error) {
    // Lets the method give its tensors back.
    await steps.return([]).catch(() => undefined)
    throw error
  }
}

function cancelled(): MaskscopeError {
  return new MaskscopeError('cancelled', 'The measurement was cancelled.')
}

import { MaskscopeError } from '#shared/domain/errors.ts'
import type { Measurement, MetricTask } from './metric.ts'

/** The true object of the task. @throws MaskscopeError 'unavailable' where nobody knows it */
export function objectOf({ object }: Pick<MetricTask, 'object'>): Uint8Array {
  if (object) return object
  throw new MaskscopeError('unavailable', 'This metric needs the true object, which is known of scenes and of images with boxes or segmentations.', { subject: 'object' })
}

/** Pixels of the object. */
export function areaOf(object: Uint8Array): number {
  let area = 0
  for (const bit of object) area += bit
  return area
}

/** What a metric of localisation answers where the object has no pixel. */
export const emptyObject: Measurement = { value: NaN, note: 'The object has no pixel at the size of the input, so there is no place to find.' }

/** For metrics of the map alone. */
export const noParameters = { parameters: [], presets: [] } as const

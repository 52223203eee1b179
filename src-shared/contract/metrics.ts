import * as z from 'zod/mini'
import { call } from './define.ts'
import { error, handle, nothing, parameterValues, runId, text } from './values.ts'

/** null: infinite. */
const limit = z.nullable(z.number())

export const metricInfo = z.object({
  id: text(64),
  /** The id of the metric that this is another definition of; null: it is one by itself. */
  variantOf: z.nullable(text(64)),
  title: text(), citation: text(20_000),
  /** One sentence with the formula in words. */
  definition: text(20_000),
  better: z.nullable(z.enum(['higher', 'lower'])),
  range: z.tuple([limit, limit]),
  /** `map`: of the map alone; `queries`: asks the classifier; `dear`: runs the method again. */
  cost: z.enum(['map', 'queries', 'dear']),
  needs: z.array(z.enum(['object', 'mosaic', 'others', 'graph'])),
})
export type MetricInfo = z.infer<typeof metricInfo>

const value = z.nullable(z.number())
export const measurement = z.object({
  metric: text(64),
  parameters: parameterValues,
  /** null where it is not defined for this map; `note` says why. */
  value,
  details: z.record(text(64), value),
  curves: z.array(z.object({ name: text(), x: z.array(value), y: z.array(value) })),
  note: z.nullable(text(20_000)),
  error: z.nullable(error),
  /** The second classifier that was asked, where one was. */
  judge: z.nullable(text()),
})
export type MeasurementOfRun = z.infer<typeof measurement>

export const metrics = {
  calls: {
    'metrics.list': call(nothing, z.array(metricInfo)),
    /** What is known of a finished run, the latest of each metric. */
    'metrics.ofRun': call(z.object({ run: runId }), z.array(measurement)),
    /**
     * Measures a finished run's map with its model; metrics measured before are measured again. @returns all that is known
     * @throws 'input' where the model is gone; a metric that fails says so in its own result
     */
    'metrics.measure': call(z.object({ run: runId, metrics: z.array(text(64)).check(z.minLength(1), z.maxLength(100)), judge: z.nullable(handle) }), z.array(measurement)),
  },
  streams: {},
}

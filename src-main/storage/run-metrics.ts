import { z } from 'zod'
import { MaskscopeError } from '#shared/domain/errors.ts'

/** metrics.json of a run: what was measured of its map, the latest of each metric. It is no part of the run's own bytes. */
export const metricsFormat = 'maskscope-metrics'
export const metricsVersion = 1

/** JSON has no NaN. */
const number = z.number().nullable()

const resultSchema = z.object({
  metric: z.string().max(64),
  parameters: z.record(z.string(), z.union([z.number(), z.string(), z.boolean()])),
  /** null where it is not defined for this map; `note` says why. */
  value: number,
  details: z.record(z.string(), number),
  curves: z.array(z.object({ name: z.string(), x: z.array(number), y: z.array(number) })),
  note: z.string().nullable(),
  error: z.object({ code: z.string(), message: z.string(), subject: z.string().optional() }).nullable(),
  /** The second classifier that was asked, where one was. */
  judge: z.string().nullable(),
})

const metricsSchema = z.object({ format: z.literal(metricsFormat), version: z.literal(metricsVersion), results: z.array(resultSchema).max(1000) })

export type StoredMeasurement = z.infer<typeof resultSchema>
export type MetricsFile = z.infer<typeof metricsSchema>

/** @throws MaskscopeError 'storage' naming the file */
export function parseMetrics(text: string, file: string): StoredMeasurement[] {
  try {
    return metricsSchema.parse(JSON.parse(text)).results
  } catch (cause) {
    throw new MaskscopeError('storage', `${file} holds no measurements that this version can read; delete it and measure again.`, { subject: file, cause })
  }
}

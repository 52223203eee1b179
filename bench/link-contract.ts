import * as z from 'zod/mini'
import { call, stream } from '#shared/contract/define.ts'
import { floats, map } from '#shared/contract/values.ts'

/** What the benchmark asks over each wire: frames as `runs.watch` has them, and a call that does nothing. */
export const linkContract = {
  calls: { echo: call(z.object({ n: z.number() }), z.object({ n: z.number() })) },
  streams: { frames: stream(z.object({ count: z.int() }), z.object({ type: z.literal('frame'), iteration: z.int(), map, more: z.optional(floats()) })) },
}
export type LinkContract = typeof linkContract

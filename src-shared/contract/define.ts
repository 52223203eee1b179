import type * as z from 'zod/mini'

type Schema = z.ZodMiniType

/** A question with one answer. */
export interface CallDefinition<I extends Schema = Schema, O extends Schema = Schema> {
  input: I
  output: O
}

/** A question with any number of answers, until either side ends it. */
export interface StreamDefinition<I extends Schema = Schema, E extends Schema = Schema> {
  input: I
  event: E
}

export interface Contract {
  calls: Record<string, CallDefinition>
  streams: Record<string, StreamDefinition>
}

export function call<I extends Schema, O extends Schema>(input: I, output: O): CallDefinition<I, O> {
  return { input, output }
}

export function stream<I extends Schema, E extends Schema>(input: I, event: E): StreamDefinition<I, E> {
  return { input, event }
}

export type CallName<C extends Contract> = keyof C['calls'] & string
export type StreamName<C extends Contract> = keyof C['streams'] & string
export type Input<D extends { input: Schema }> = z.infer<D['input']>
export type Output<D extends { output: Schema }> = z.infer<D['output']>
export type StreamEvent<D extends { event: Schema }> = z.infer<D['event']>

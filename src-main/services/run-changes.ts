import { MaskscopeError } from '#shared/domain/errors.ts'
import { resolveChange, type ParameterSchema, type ParameterValues } from '#shared/domain/parameters.ts'
import type { ParameterChange } from '#shared/domain/run.ts'

/** A change as it was given: its values may be strings, as typed on a command line. */
export interface GivenChange {
  iteration: number
  parameters: Record<string, unknown>
}

/**
 * Changes on the way as they are stored: checked, one per iteration, in the order of their iterations, the names in the
 * order of the method's own. Of several values of one parameter at one iteration the last holds.
 * @param parameters complete, of the run's start
 * @throws MaskscopeError 'usage' naming the parameter, or 'changes' for an iteration that the run does not come to
 */
export function resolveChanges(schema: ParameterSchema, parameters: ParameterValues, given: readonly GivenChange[]): ParameterChange[] {
  return given.reduce<ParameterChange[]>((changes, { iteration, parameters: raw }) => {
    checkIteration(iteration, parameters['iterations'])
    const before = changes.find((change) => change.iteration === iteration)?.parameters
    return withChange(schema, changes, { iteration, parameters: { ...before, ...resolveChange(schema, raw) } })
  }, [])
}

/** `changes` with one that replaces what was said of its iteration. */
export function withChange(schema: ParameterSchema, changes: readonly ParameterChange[], { iteration, parameters }: ParameterChange): ParameterChange[] {
  const others = changes.filter((change) => change.iteration !== iteration)
  return [...others, { iteration, parameters: inOrder(schema, parameters) }].sort((a, b) => a.iteration - b.iteration)
}

function inOrder(schema: ParameterSchema, values: ParameterValues): ParameterValues {
  return Object.fromEntries(schema.parameters.flatMap(({ name }) => (values[name] === undefined ? [] : [[name, values[name]]])))
}

function checkIteration(iteration: number, iterations: unknown): void {
  if (typeof iterations !== 'number') {
    throw new MaskscopeError('usage', 'This method makes no iterations, so nothing can change on the way.', { subject: 'changes' })
  }
  if (!Number.isSafeInteger(iteration) || iteration < 0 || iteration > iterations) {
    throw new MaskscopeError('usage', `A change is to hold from iteration ${iteration} on; it must be a whole number from 0 to ${iterations}, the iterations of the run.`, { subject: 'changes' })
  }
}

import { MaskscopeError, serialiseError, type SerialisedError } from '#shared/domain/errors.ts'
import { resolveChange, type ParameterSchema, type ParameterValues } from '#shared/domain/parameters.ts'
import type { ParameterChange } from '#shared/domain/run.ts'

export type SteeringNews =
  | { type: 'paused'; iteration: number }
  | { type: 'resumed' }
  | { type: 'changed'; change: ParameterChange }
  | { type: 'refused'; error: SerialisedError }

/** The hands on one run: pausing it, changing it while it stands, and replaying changes of another time. */
export interface Steering {
  /** From the next step on; nothing where it is paused already. */
  pause(): void
  resume(): void
  /** Answered by `changed` or `refused`. */
  change(given: ParameterValues): void
  /**
   * What a method calls before every step (`ExplainTask.steer`).
   * @param changes replayed at their iterations
   * @throws MaskscopeError 'usage' for a change that cannot be, before anything is computed
   */
  follow(schema: ParameterSchema, changes: readonly ParameterChange[], signal: AbortSignal): (iteration: number) => Promise<ParameterValues | null>
  /** Iterations of given changes that the run never came to. */
  missed(): number[]
}

/** A run that waits before the step that makes `iteration`. */
interface Stand {
  iteration: number
  schema: ParameterSchema
  /** What is to hold from `iteration` on: all changes of this pause in one, over those replayed here. */
  due: ParameterValues
  goOn(): void
}

export function createSteering(tell: (news: SteeringNews) => void): Steering {
  let wanted = false
  let stand: Stand | undefined
  const replayed = new Map<number, ParameterValues>()

  function change(given: ParameterValues): void {
    try {
      if (!stand) throw new MaskscopeError('usage', 'Pause the run first: parameters change while it stands.')
      const values = resolveChange(stand.schema, given)
      if (Object.keys(values).length === 0) throw new MaskscopeError('usage', 'No parameter was named; name at least one to change.')
      Object.assign(stand.due, values)
      tell({ type: 'changed', change: { iteration: stand.iteration, parameters: { ...stand.due } } })
    } catch (error) {
      tell({ type: 'refused', error: serialiseError(error) })
    }
  }

  /** Waits without computing; whoever cancels the run ends the wait, too. */
  function wait(iteration: number, schema: ParameterSchema, due: ParameterValues, signal: AbortSignal): Promise<void> {
    return new Promise((resolve) => {
      const goOn = (): void => {
        signal.removeEventListener('abort', goOn)
        stand = undefined
        resolve()
      }
      stand = { iteration, schema, due, goOn }
      signal.addEventListener('abort', goOn)
      tell({ type: 'paused', iteration: Math.max(0, iteration - 1) })
    })
  }

  return {
    change,
    pause() {
      wanted = true
    },
    resume() {
      wanted = false
      stand?.goOn()
    },
    follow(schema, changes, signal) {
      for (const { iteration, parameters } of changes) {
        if (!Number.isSafeInteger(iteration) || iteration < 0) {
          throw new MaskscopeError('usage', `A change is to hold from iteration ${iteration} on; it must be a whole number from 0.`, { subject: 'changes' })
        }
        replayed.set(iteration, { ...replayed.get(iteration), ...resolveChange(schema, parameters) })
      }
      return async (iteration) => {
        const due: ParameterValues = { ...replayed.get(iteration) }
        replayed.delete(iteration)
        if (wanted && !signal.aborted) {
          await wait(iteration, schema, due, signal)
          if (!signal.aborted) tell({ type: 'resumed' })
        }
        if (signal.aborted) throw new MaskscopeError('cancelled', 'The run was cancelled.')
        return Object.keys(due).length > 0 ? due : null
      }
    },
    missed: () => [...replayed.keys()].sort((a, b) => a - b),
  }
}

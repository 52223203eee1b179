import { MaskscopeError } from '#shared/domain/errors.ts'
import type { Method } from './method.ts'
import { neuromask } from './neuromask.ts'

/** Every method of the workbench, in the order in which it is offered. */
export const methods: readonly Method[] = [neuromask]

/** @throws MaskscopeError 'usage' for an unknown id. */
export function findMethod(id: string): Method {
  const method = methods.find((candidate) => candidate.id === id)
  if (method) return method
  throw new MaskscopeError('usage', `There is no method "${id}"; choose one of ${methods.map((m) => m.id).join(', ')}.`, {
    subject: 'method',
  })
}

import { findMethod } from '#engine/methods/registry.ts'
import type { WindowOrder } from '#shared/contract/runs.ts'
import { MaskscopeError } from '#shared/domain/errors.ts'
import { resolveParameters } from '#shared/domain/parameters.ts'
import type { OpenImages } from './open-images.ts'
import type { OpenModels } from './open-models.ts'
import type { RunOrder } from './runs.ts'

/**
 * What the window asks for, as the queue takes it; all that can be known to be wrong is refused here, before anything is
 * queued or written.
 * @throws MaskscopeError naming the field: 'model', 'image', 'method', 'target', 'seed', or the parameter
 */
export async function makeOrder(order: WindowOrder, models: OpenModels, images: OpenImages): Promise<RunOrder> {
  const method = findMethod(order.method)
  resolveParameters(method, order.parameters)
  const { item } = images.get(order.image)
  const { source, info, place, options } = await models.get(order.model)
  if (method.access === 'gradient' && info.access !== 'gradient') {
    throw new MaskscopeError('unavailable', `${method.title} needs gradients, which the model ${info.name} does not give; choose another model or method.`, { subject: 'method' })
  }
  const { target, seed, parameters } = order
  if (target !== 'auto' && target >= info.classes) {
    throw new MaskscopeError('usage', `Target ${target} is out of range: ${info.name} has the classes 0 to ${info.classes - 1}.`, { subject: 'target' })
  }
  if (!Number.isSafeInteger(seed) || seed < 0) {
    throw new MaskscopeError('usage', `The seed is ${seed}; it must be a whole number from 0.`, { subject: 'seed' })
  }
  return { model: { source, place, stated: options }, item, method: method.id, parameters, seed, target, executor: info.executor, live: true }
}

import { MaskscopeError } from '#shared/domain/errors.ts'
import type { Shape } from '../graph.ts'

/**
 * The input as [-1, height, width, channels].
 * @throws MaskscopeError 'input' where it is not a batch of images of known size with one or three channels.
 */
export function checkInputShape(stated: readonly (number | null | undefined)[] | null): Shape {
  const said = stated ? `[${stated.map((n) => (n == null || n < 0 ? '?' : n)).join(', ')}]` : 'no shape'
  if (!stated || stated.length !== 4) {
    throw new MaskscopeError('input', `The model takes an input of ${said}; images as [batch, height, width, channels] are needed. Choose an image classifier.`, { subject: 'input' })
  }
  const [, height, width, channels] = stated
  if (channels !== 1 && channels !== 3) {
    const hint = stated[1] === 3 || stated[1] === 1 ? ' Channels come first here: export the model channels-last.' : ' Grey (1) or RGB (3) images are needed.'
    throw new MaskscopeError('input', `The model takes an input of ${said}, with ${channels ?? 'an unknown number of'} channels.${hint}`, { subject: 'input' })
  }
  if (height == null || width == null || height < 1 || width < 1) {
    throw new MaskscopeError('input', `The model takes an input of ${said}, whose height or width is not fixed. Export it with a fixed input size.`, { subject: 'input' })
  }
  return [-1, height, width, channels]
}

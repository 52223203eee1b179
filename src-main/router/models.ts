import { readFile } from 'node:fs/promises'
import { methods } from '#engine/methods/registry.ts'
import type { MethodInfo } from '#shared/contract/models.ts'
import { shortPlace } from '#services/handles.ts'
import type { CallsOf, Parts } from './parts.ts'

export function modelCalls({ models }: Parts): CallsOf<'models' | 'methods'> {
  return {
    'models.bundled': () => models.bundled(),
    'models.open': ({ from, stated }) => models.open(from, stated),
    'models.saveCard': async ({ model }) => {
      const file = await models.saveCard(model)
      return { file: shortPlace(file), card: await readFile(file, 'utf8') }
    },
    'methods.list': () => methods.map(({ id, title, citation, access, parameters, presets }) => ({
      // Descriptors are the same on both sides; here they are read-only.
      id, title, citation, access, parameters: parameters as MethodInfo['parameters'], presets: presets as MethodInfo['presets'],
    })),
  }
}

import { readFile } from 'node:fs/promises'
import { methods } from '#engine/methods/registry.ts'
import type { LayersReport, MethodInfo } from '#shared/contract/models.ts'
import type { GraphReport } from '#shared/domain/layers.ts'
import { shortPlace } from '#services/handles.ts'
import type { CallsOf, Parts } from './parts.ts'

export function modelCalls({ models, pool, host }: Parts): CallsOf<'models' | 'methods'> {
  const told = host.told ?? ((text: string) => text)
  return {
    'models.bundled': () => models.bundled(),
    'models.open': async ({ from, stated }) => {
      const answer = await models.open(from, stated)
      return answer.state === 'open' ? { ...answer, place: told(answer.place) } : answer
    },
    'models.choose': ({ model }) => models.choose(model),
    'models.inspect': async ({ model }) => {
      const report = await pool.describe((await models.get(model)).source)
      return { report: report && plain(report) }
    },
    'models.saveCard': async ({ model }) => {
      const file = await models.saveCard(model)
      return { file: told(shortPlace(file)), card: await readFile(file, 'utf8') }
    },
    'methods.list': () => methods.map(({ id, title, citation, access, family, needs = [], parameters, presets }) => ({
      // Descriptors are the same on both sides; here they are read-only.
      id, title, citation, access, family, needs: [...needs], parameters: parameters as MethodInfo['parameters'], presets: presets as MethodInfo['presets'],
    })),
  }
}

/** As the contract has it: nothing read-only. */
function plain({ layers, camLayer, notes }: GraphReport): LayersReport {
  return {
    layers: layers.map((layer) => ({ ...layer, inputs: [...layer.inputs], shape: [...layer.shape], computes: [...layer.computes] })),
    camLayer, notes: [...notes],
  }
}

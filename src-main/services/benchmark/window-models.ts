import type { Pool } from '#pool/pool.ts'
import { modelKey } from '#pool/worker-handle.ts'
import { MaskscopeError } from '#shared/domain/errors.ts'
import type { ModelInfo, ModelSource } from '#shared/domain/model.ts'
import type { Reach } from '../datasets/reach.ts'
import { isBundled, loadModel, type ModelOptions } from '../models.ts'
import type { OpenModels } from '../open-models.ts'
import type { BenchmarkManifest } from './manifest.ts'
import { readPlaces, type Places } from './places.ts'

type Wanted = BenchmarkManifest['model']

export interface FoundModel {
  source: ModelSource
  place: string
  options: ModelOptions
}

/** Finds the models of a benchmark again: where its folder says that they lie, or among those that are open. */
export interface BenchmarkModels {
  /** @param given open in the window, or null @throws MaskscopeError 'input' with the subject 'model' or 'judge' */
  find(folder: string, manifest: BenchmarkManifest, which: 'model' | 'judge', given: string | null): Promise<FoundModel>
  /** What the model takes; null where it cannot be found. */
  info(folder: string, manifest: BenchmarkManifest): Promise<ModelInfo | null>
  places(folder: string, manifest: BenchmarkManifest): Promise<Places | null>
}

export function createBenchmarkModels({ pool, models, reach }: { pool: Pick<Pool, 'info'>; models: OpenModels; reach: Reach | null }): BenchmarkModels {
  const infos = new Map<string, Promise<ModelInfo>>()

  async function at(place: string, options: ModelOptions, wanted: Wanted): Promise<FoundModel | null> {
    if (reach && !isBundled(place)) await reach.check(place)
    const { source } = await loadModel(place, options)
    return modelKey(source) === wanted.key ? { source, place, options } : null
  }

  async function find(folder: string, manifest: BenchmarkManifest, which: 'model' | 'judge', given: string | null): Promise<FoundModel> {
    const wanted = manifest[which]
    if (!wanted) throw new MaskscopeError('usage', 'This benchmark has no judge.', { subject: which })
    const open = given === null ? null : await models.get(given).catch(() => null)
    if (open && modelKey(open.source) === wanted.key) return { source: open.source, place: open.place, options: open.options }
    const places = await readPlaces(folder)
    const told = places?.[which]
    for (const place of [...(told ? [told] : []), ...(/^[a-z0-9-]+$/.test(wanted.name) ? [{ place: wanted.name, stated: {} }] : [])]) {
      const found = await at(place.place, place.stated, wanted).catch(() => null)
      if (found) return found
    }
    const name = which === 'judge' ? `Its judge was ${wanted.name}` : `It explains ${wanted.name}`
    throw new MaskscopeError('input', `${name} (SHA-256 ${wanted.sha256.slice(0, 12)}…), which is not where it was. Open that model${which === 'judge' ? ' as the judge' : ''}, stated as it was then, and go on.`, { subject: which })
  }

  return {
    find,
    async info(folder, manifest) {
      const known = infos.get(manifest.model.key) ?? find(folder, manifest, 'model', null).then(({ source }) => pool.info(source))
      infos.set(manifest.model.key, known)
      known.catch(() => infos.delete(manifest.model.key))
      return known.catch(() => null)
    },
    async places(folder, manifest) {
      const told = await readPlaces(folder)
      if (told) return told
      const model = await find(folder, manifest, 'model', null).catch(() => null)
      const judge = manifest.judge && await find(folder, manifest, 'judge', null).catch(() => null)
      if (!model || (manifest.judge && !judge)) return null
      return { model: { place: model.place, stated: model.options }, judge: judge && { place: judge.place, stated: judge.options }, configurations: false }
    },
  }
}

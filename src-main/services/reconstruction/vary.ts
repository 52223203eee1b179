import { existsSync } from 'node:fs'
import path from 'node:path'
import type { Pool } from '#pool/pool.ts'
import { MaskscopeError } from '#shared/domain/errors.ts'
import type { ModelInfo } from '#shared/domain/model.ts'
import type { GeneratorFiles, VariationRequest, VariationSet } from '#shared/domain/reconstruction.ts'
import { readGenerator } from '#storage/generator-files.ts'
import { readReconstruction, reconstructionFiles, type ReconstructionManifest } from '#storage/reconstructions.ts'
import type { DataItem } from '../datasets.ts'
import type { LoadedModel } from '../models.ts'
import { modelAgain } from './resume.ts'
import { explainChunk } from './salient-chunk.ts'

/** A trained generator with all that it takes to ask it about a new image. */
export interface OpenGenerator {
  files: GeneratorFiles
  manifest: ReconstructionManifest
  model: LoadedModel
}

/**
 * @param folder of a reconstruction, or of the generator inside it
 * @throws MaskscopeError 'input' where there is none, or its classifier is gone or has changed; 'storage' where it is damaged
 */
export async function openGenerator(folder: string): Promise<OpenGenerator> {
  const files = await readGenerator(folder)
  const above = [folder, path.dirname(path.resolve(folder))].find((place) => existsSync(path.join(place, reconstructionFiles.manifest)))
  if (above === undefined) {
    throw new MaskscopeError('input', `Beside the generator ${folder} there is no ${reconstructionFiles.manifest}, which says what classifier and method it belongs to; name the folder of its reconstruction.`, { subject: '--generator' })
  }
  const manifest = await readReconstruction(above)
  const { model } = await modelAgain(manifest.model, '--generator')
  return { files, manifest, model }
}

/**
 * The mask of an image by the method that the generator was trained with, and variations of what it leaves.
 * @throws MaskscopeError 'input' where the image cannot be read, 'run' where it has no mask, 'usage', 'cancelled'
 */
export async function varyImage(
  pool: Pick<Pool, 'info' | 'classify' | 'explain' | 'generate'>, { files, manifest, model }: OpenGenerator, item: DataItem, request: VariationRequest, signal: AbortSignal,
): Promise<{ info: ModelInfo; set: VariationSet }> {
  const info = await pool.info(model.source, { executor: manifest.executor })
  const { method, parameters, seed } = manifest
  const { rows: [row], images, masks } = await explainChunk(pool, { model: model.source, info, method, parameters, seed }, [{ index: 0, item, label: null }], signal)
  if (!row || row.failure !== null) throw new MaskscopeError('run', `${item.reference} has no mask: ${row?.failure ?? 'the method gave none.'}`, { subject: item.reference })
  const { result } = await pool.generate(model.source, { kind: 'vary', generator: files, image: images, mask: masks, request }, { signal })
  return { info, set: result.variations }
}

import { existsSync } from 'node:fs'
import { cp } from 'node:fs/promises'
import path from 'node:path'
import { isDeepStrictEqual } from 'node:util'
import type { Files } from '#storage/files.ts'
import { listReconstructions, readReconstruction, readReconstructionRecord, reconstructionFiles, reconstructionPath, type ReconstructionManifest } from '#storage/reconstructions.ts'

/** What masks depend on. */
function masksOf({ program, model, data, images, method, parameters, seed, backend, executor }: ReconstructionManifest): unknown {
  const { sha256, preprocessing } = model
  return { program, sha256, preprocessing, data, images: { seen: images.seen, test: images.test }, method, parameters, seed, backend, executor }
}

/** Where another reconstruction of the study has come through the same masks, they are copied: a second generator for them need not wait. */
export async function takeMasks(files: Files, study: string, id: string): Promise<void> {
  const own = path.join(reconstructionPath(study, id), reconstructionFiles.salient)
  if (existsSync(own)) return
  const manifest = await readReconstruction(reconstructionPath(study, id))
  for (const other of await listReconstructions(study)) {
    if (other === id) continue
    const folder = reconstructionPath(study, other)
    try {
      const { phase, state } = await readReconstructionRecord(folder)
      const whole = phase === 'training' || phase === 'report' || state === 'finished'
      if (!whole || !isDeepStrictEqual(masksOf(await readReconstruction(folder)), masksOf(manifest))) continue
      const copy = `${own}.part`
      await files.remove(copy)
      await cp(path.join(folder, reconstructionFiles.salient), copy, { recursive: true })
      return await files.move(copy, own)
    } catch {
      // Masks that cannot be copied are computed.
      continue
    }
  }
}

import { constants } from 'node:fs'
import { copyFile, link, readFile } from 'node:fs/promises'
import path from 'node:path'
import { MaskscopeError } from '#shared/domain/errors.ts'
import type { ModelInfo } from '#shared/domain/model.ts'
import { createFiles, storageError, type Files } from '#storage/files.ts'
import { cardBeside, ownCard } from './model-card.ts'
import type { LoadedModel } from './models.ts'

/**
 * Writes down beside a model, in its card, what was stated or assumed of it, so that it opens without being asked again. A labels file
 * from elsewhere is copied beside it.
 * @returns the path of the card
 * @throws MaskscopeError 'usage' where there is a card already, 'storage' where the folder cannot be written
 */
export async function saveModelCard(loaded: Pick<LoadedModel, 'file' | 'labelsFile'>, info: ModelInfo, files: Files = createFiles()): Promise<string> {
  const folder = path.dirname(loaded.file)
  if (cardBeside(loaded.file) !== undefined) throw taken(cardBeside(loaded.file)!)
  const { fit, cropFraction, resizeFilter, range, mean, std, channelOrder, inputScale } = info.preprocessing
  const labels = loaded.labelsFile === undefined ? undefined : await labelsBeside(loaded.labelsFile, folder, files)
  const card = {
    name: info.name, fit, ...(fit === 'crop' ? { cropFraction } : {}), resizeFilter, range, mean, std, channelOrder,
    ...(inputScale === undefined ? {} : { inputScale }),
    ...(labels === undefined ? {} : { labels }), head: info.head,
  }
  const file = ownCard(loaded.file)
  const draft = path.join(folder, `.${path.basename(file)}.draft`)
  try {
    await files.write(draft, `${JSON.stringify(card, undefined, 2)}\n`)
    await placeNew(draft, file)
  } catch (error) {
    // The person never sees the draft.
    throw error instanceof MaskscopeError ? new MaskscopeError(error.code, error.message.replaceAll(draft, file), { subject: 'model', cause: error }) : error
  } finally {
    await files.remove(draft).catch(() => undefined)
  }
  return file
}

/** Whole or not at all, and never over a card that came to be meanwhile. */
async function placeNew(draft: string, file: string): Promise<void> {
  try {
    await link(draft, file).catch(async (error: NodeJS.ErrnoException) => {
      if (error.code === 'EEXIST') throw error
      // Disks without hard links.
      await copyFile(draft, file, constants.COPYFILE_EXCL)
    })
  } catch (error) {
    throw (error as NodeJS.ErrnoException).code === 'EEXIST' ? taken(file) : storageError(error, file, 'write')
  }
}

/** The name of the labels file in the model's folder. */
async function labelsBeside(file: string, folder: string, files: Files): Promise<string> {
  if (path.dirname(path.resolve(file)) === folder) return path.basename(file)
  const bytes = await readFile(file).catch((error: unknown) => {
    throw storageError(error, file, 'read')
  })
  const { name, ext } = path.parse(file)
  for (let n = 1; ; n++) {
    const candidate = n === 1 ? `${name}${ext}` : `${name}-${n}${ext}`
    const there = await readFile(path.join(folder, candidate)).catch((error: NodeJS.ErrnoException) => {
      if (error.code === 'ENOENT') return null
      throw storageError(error, path.join(folder, candidate), 'read')
    })
    if (there?.equals(bytes)) return candidate
    if (there === null) {
      await files.write(path.join(folder, candidate), bytes)
      return candidate
    }
  }
}

function taken(file: string): MaskscopeError {
  return new MaskscopeError('usage', `There is a ${path.basename(file)} in ${path.dirname(file)} already; change it by hand, or remove it first.`, { subject: 'model' })
}

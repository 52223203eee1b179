import path from 'node:path'
import { MaskscopeError } from '#shared/domain/errors.ts'
import { parseFigureSpec, type FigureSpec } from '#shared/figure/spec.ts'
import { createFiles, type Files } from '#storage/files.ts'
import { figurePath, figuresFolder, listFigures } from '#storage/figures.ts'
import { slug } from '#storage/layout.ts'
import { formatJson } from '#storage/migrations.ts'
import { readText } from '../studies.ts'

/** The figures that a study keeps. */
export interface FigureBook {
  list(study: string): Promise<string[]>
  /** @throws MaskscopeError 'storage' for one that is gone, 'usage' for one that cannot be read */
  read(study: string, name: string): Promise<FigureSpec>
  /** Whole or not at all. @throws MaskscopeError 'storage' naming the file */
  write(study: string, name: string, spec: FigureSpec): Promise<void>
  remove(study: string, name: string): Promise<void>
  /** A name that is not taken: `figure`, `figure-2`, … */
  freshName(study: string, wish: string): Promise<string>
}

export function createFigureBook(files: Files = createFiles()): FigureBook {
  return {
    list: listFigures,
    async read(study, name) {
      const file = figurePath(study, name)
      const text = await readText(file)
      let value: unknown
      try {
        value = JSON.parse(text)
      } catch (cause) {
        throw new MaskscopeError('storage', `${file} is not whole JSON; remove it, or mend it by hand.`, { subject: file, cause })
      }
      return parseFigureSpec(value)
    },
    async write(study, name, spec) {
      const file = figurePath(study, name)
      await files.makeFolder(path.join(study, figuresFolder))
      await files.write(file, formatJson(spec))
    },
    remove: async (study, name) => files.remove(figurePath(study, name)),
    async freshName(study, wish) {
      const taken = new Set(await listFigures(study))
      const stem = slug(wish)
      for (let n = 1; ; n++) {
        const name = n === 1 ? stem : `${stem}-${n}`
        if (!taken.has(name)) return name
      }
    },
  }
}

import { readdir } from 'node:fs/promises'
import path from 'node:path'
import { MaskscopeError } from '#shared/domain/errors.ts'

/** Figures of a study: `figures/NAME.json`, each a spec (docs/figures.md). NAME is a slug. */
export const figuresFolder = 'figures'
const ending = '.json'
const pattern = /^[a-z0-9]+(-[a-z0-9]+)*$/

/** @throws MaskscopeError 'storage' for anything but the name of a figure */
export function figurePath(study: string, name: string): string {
  if (!pattern.test(name) || name.length > 60) {
    throw new MaskscopeError('storage', `"${name}" is not the name of a figure: small letters, digits and hyphens.`, { subject: 'name' })
  }
  return path.join(study, figuresFolder, `${name}${ending}`)
}

/** By name. */
export async function listFigures(study: string): Promise<string[]> {
  const names = await readdir(path.join(study, figuresFolder)).catch((): string[] => [])
  return names.filter((name) => name.endsWith(ending) && pattern.test(name.slice(0, -ending.length))).map((name) => name.slice(0, -ending.length)).sort()
}

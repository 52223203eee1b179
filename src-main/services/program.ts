import { existsSync, readFileSync } from 'node:fs'
import path from 'node:path'

/**
 * Maskscope's own folder: the one of its package.json, seen from the built files in out/main as from the sources.
 * @throws Error when the program was moved out of its package.
 */
export function programFolder(): string {
  for (let folder = import.meta.dirname; ; folder = path.dirname(folder)) {
    const file = path.join(folder, 'package.json')
    if (existsSync(file) && (JSON.parse(readFileSync(file, 'utf8')) as { name?: string }).name === 'maskscope') return folder
    if (folder === path.dirname(folder)) throw new Error(`Maskscope's package.json is not above ${import.meta.dirname}`)
  }
}

/** As package.json states it. */
export function programVersion(): string {
  const file = path.join(programFolder(), 'package.json')
  return (JSON.parse(readFileSync(file, 'utf8')) as { version: string }).version
}

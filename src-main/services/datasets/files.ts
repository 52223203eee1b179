import { readdir, stat } from 'node:fs/promises'
import path from 'node:path'
import { MaskscopeError } from '#shared/domain/errors.ts'
import { imageEndings, loadImage } from '../images.ts'
import { counted, wrongSpec, type DataItem } from './item.ts'

export function fileItem(file: string): DataItem {
  return { kind: 'file', reference: file, load: () => loadImage(file) }
}

/** All images of a folder, by name. @throws MaskscopeError 'input' where it cannot be read or holds none */
export async function folderItems(folder: string): Promise<DataItem[]> {
  return (await imagesIn(folder)).map((name) => fileItem(path.join(folder, name)))
}

/** The names of a folder's images, in order. @throws MaskscopeError 'input' where it cannot be read or holds none */
export async function imagesIn(folder: string): Promise<string[]> {
  const images = sorted((await namesIn(folder)).filter(isImage))
  if (images.length > 0) return images
  throw new MaskscopeError('input', `The folder ${folder} holds no images (files that end in ${imageEndings.join(', ')}).`, { subject: folder })
}

export function isImage(name: string): boolean {
  return !name.startsWith('.') && imageEndings.includes(path.extname(name).toLowerCase())
}

/** All names in a folder. @throws MaskscopeError 'input' */
export async function namesIn(folder: string): Promise<string[]> {
  try {
    return await readdir(folder)
  } catch (cause) {
    throw new MaskscopeError('input', `The folder ${folder} cannot be read (${(cause as NodeJS.ErrnoException).code}); check its permissions.`, { subject: folder, cause })
  }
}

/** As people number files: a9 before a10. */
export function sorted(names: readonly string[]): string[] {
  return [...names].sort((a, b) => a.localeCompare(b, 'en', { numeric: true }) || (a < b ? -1 : 1))
}

/** @throws MaskscopeError 'usage' where a data set's folder is none */
export async function requireFolder(folder: string, spec: string): Promise<void> {
  const info = await stat(folder).catch(() => undefined)
  if (info?.isDirectory()) return
  throw wrongSpec(spec, `"${spec}" names the folder ${folder === '' ? '(nothing)' : folder}, ${info ? 'which is a file' : 'which does not exist'}; give the data set's folder.`)
}

/** The one file of a folder that matches. @throws MaskscopeError 'input' where there is none, or several */
export function onlyFile(folder: string, names: readonly string[], pattern: RegExp, example: string): string {
  const found = names.filter((name) => pattern.test(name))
  if (found.length === 1) return path.join(folder, found[0]!)
  const problem = found.length === 0 ? `lacks a file such as ${example}` : `holds ${counted(found.length, 'file')} that could be meant: ${found.join(', ')}`
  throw new MaskscopeError('input', `The folder ${folder} ${problem}.`, { subject: folder })
}

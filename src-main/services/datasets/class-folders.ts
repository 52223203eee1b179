import { stat } from 'node:fs/promises'
import path from 'node:path'
import { MaskscopeError } from '#shared/domain/errors.ts'
import { loadImage } from '../images.ts'
import { isImage, namesIn, requireFolder, sorted } from './files.ts'
import type { DataItem, Label } from './item.ts'

/**
 * `folder:DIR`: a folder per class. Its name is the class's label; a name of digits alone is the class's index.
 * @throws MaskscopeError 'input' where there are no such folders, or one holds no images
 */
export async function classFolderItems(folder: string, spec: string): Promise<DataItem[]> {
  await requireFolder(folder, spec)
  const items: DataItem[] = []
  const empty: string[] = []
  for (const name of sorted((await namesIn(folder)).filter((entry) => !entry.startsWith('.')))) {
    const inner = path.join(folder, name)
    const facts = await stat(inner).catch((error: NodeJS.ErrnoException) => {
      throw new MaskscopeError('input', `The folder ${folder} holds ${name}, which cannot be looked into (${error.code}): a link to nothing, perhaps. Repair or remove it.`, { subject: inner, cause: error })
    })
    if (!facts.isDirectory()) continue
    const images = sorted((await namesIn(inner)).filter(isImage))
    if (images.length === 0) empty.push(name)
    const label: Label = /^\d{1,6}$/.test(name) ? { index: Number(name) } : { text: name }
    for (const image of images) items.push(labelledFile(path.join(inner, image), label, `folder:${folder}#${items.length}`))
  }
  if (empty.length > 0) throw new MaskscopeError('input', `The folder ${path.join(folder, empty[0]!)} holds no images; every folder in ${folder} stands for a class.`, { subject: folder })
  if (items.length === 0) throw new MaskscopeError('input', `The folder ${folder} holds no folders; "folder:" means one folder per class. For the images themselves write ${folder} alone.`, { subject: folder })
  return items
}

/** An image file whose class is known. */
export function labelledFile(file: string, label: Label, member: string): DataItem {
  return {
    kind: 'file', reference: file, member, label: () => Promise.resolve(label),
    load: async () => ({ ...await loadImage(file), label }),
  }
}

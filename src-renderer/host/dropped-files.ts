import { MaskscopeError } from '#shared/domain/errors.ts'

/** Files that belong together: one file, or a folder with what is in it. */
export interface FileGroup {
  /** Paths with forward slashes; of several files, all in the same folder. */
  files: { path: string; file: File }[]
  bytes: number
}

const mostFiles = 10_000
const mostBytes = 4 * 2 ** 30
const mostDepth = 15

/** Of pictures and studies: they lie beside a model by chance. */
const standAlone = /\.(png|jpe?g|webp|tiff?|bmp|gif|avif|maskscope)$/i

/**
 * What was dropped or chosen, as groups. Files dropped loosely beside a model.json, its shards and labels, are taken as
 * one folder with it; so are weights of any name beside a single .onnx file.
 * @throws MaskscopeError 'input' for too many or too large files, or one that cannot be read
 */
export async function collectGroups(given: DataTransfer | readonly File[]): Promise<FileGroup[]> {
  const found = Array.isArray(given) ? (given as readonly File[]).map((file) => ({ path: file.webkitRelativePath || file.name, file })) : await walk(given as DataTransfer)
  const bytes = found.reduce((sum, { file }) => sum + file.size, 0)
  if (bytes > mostBytes) throw new MaskscopeError('input', 'These files are larger than the 4 GB that can be sent at once. Copy them to the machine that Maskscope runs on and choose them there.')
  const family = familyOf(found.map(({ path }) => path).filter((path) => !path.includes('/')))
  const groups = new Map<string, FileGroup>()
  for (const { path, file } of found) {
    const loose = !path.includes('/')
    const joins = loose && family !== null && family.joins(path)
    const top = joins ? `${family.folder}/` : loose ? path : path.slice(0, path.indexOf('/') + 1)
    const group = groups.get(top) ?? { files: [], bytes: 0 }
    group.files.push({ path: joins ? `${family.folder}/${path}` : path, file })
    group.bytes += file.size
    groups.set(top, group)
  }
  return [...groups.values()]
}

/** Which of the loose files are one model, and what its folder is called; null where none of them is a model of several files. */
function familyOf(names: readonly string[]): { folder: string; joins(name: string): boolean } | null {
  if (names.includes('model.json')) return { folder: 'model', joins: (name) => /\.(json|bin|txt|csv)$/i.test(name) }
  const [onnx, ...more] = names.filter((name) => /\.onnx$/i.test(name))
  if (onnx === undefined || more.length > 0) return null
  const stem = onnx.replace(/\.onnx$/i, '')
  const joins = (name: string): boolean => !standAlone.test(name)
  return names.filter(joins).length > 1 ? { folder: stem === '' ? 'model' : stem, joins } : null
}

async function walk(transfer: DataTransfer): Promise<FileGroup['files']> {
  // Before the first wait: a browser empties the list after the event.
  const items = [...transfer.items].filter((item) => item.kind === 'file')
  const entries = items.map((item) => item.webkitGetAsEntry?.() ?? item.getAsFile())
  const found: FileGroup['files'] = []
  for (const entry of entries) {
    if (entry instanceof File) add(found, entry.name, entry)
    else if (entry) await walkEntry(entry, '', 0, found)
  }
  return found
}

async function walkEntry(entry: FileSystemEntry, parent: string, depth: number, found: FileGroup['files']): Promise<void> {
  const path = parent + entry.name
  // What systems leave about in folders.
  if (depth > 0 && entry.name.startsWith('.')) return
  if (entry.isFile) {
    add(found, path, await new Promise<File>((resolve, reject) => (entry as FileSystemFileEntry).file(resolve, (cause) => reject(unreadable(path, cause)))))
  } else {
    if (depth >= mostDepth) throw new MaskscopeError('input', `${path} lies too deep in its folders to be sent.`, { subject: path })
    const reader = (entry as FileSystemDirectoryEntry).createReader()
    for (;;) {
      // A browser gives a hundred at a time.
      const some = await new Promise<FileSystemEntry[]>((resolve, reject) => reader.readEntries(resolve, (cause) => reject(unreadable(path, cause))))
      if (some.length === 0) break
      for (const inner of some) await walkEntry(inner, `${path}/`, depth + 1, found)
    }
  }
}

function add(found: FileGroup['files'], path: string, file: File): void {
  if (found.length >= mostFiles) throw new MaskscopeError('input', `More than ${mostFiles.toLocaleString('en')} files cannot be sent at once. Copy them to the machine that Maskscope runs on and choose them there.`)
  found.push({ path, file })
}

function unreadable(path: string, cause: unknown): MaskscopeError {
  return new MaskscopeError('input', `${path} could not be read. Check that it still exists and may be read.`, { subject: path, cause })
}

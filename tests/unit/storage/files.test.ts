import { mkdtemp, readFile, readdir, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { createFiles, nodeOperations, type FileOperations } from '#storage/files.ts'

let folder: string
beforeEach(async () => (folder = await mkdtemp(path.join(tmpdir(), 'maskscope-files-'))))
afterEach(() => rm(folder, { recursive: true, force: true }))

function failure(code: string): NodeJS.ErrnoException {
  return Object.assign(new Error(`${code}: injected`), { code })
}

/** Lets writing into the temporary file fail half way, as a full disk does: a part has been written by then. */
function failingWrite(code: string): FileOperations {
  return {
    ...nodeOperations,
    open: (async (...args: Parameters<FileOperations['open']>) => {
      const handle = await nodeOperations.open(...args)
      if (args[1] === 'r') return handle
      return new Proxy(handle, {
        get(target, name) {
          if (name === 'writeFile') {
            return async (part: string) => {
              await target.writeFile(part.slice(0, 3))
              throw failure(code)
            }
          }
          const value = Reflect.get(target, name) as unknown
          return typeof value === 'function' ? value.bind(target) : value
        },
      })
    }) as FileOperations['open'],
  }
}

test('a file is written whole, over an old one too, and nothing else is left', async () => {
  const file = path.join(folder, 'a.json')
  const files = createFiles()
  await files.write(file, 'old content that is longer')
  await files.write(file, 'new', new Uint8Array([33]))
  expect(await readFile(file, 'utf8')).toBe('new!')
  expect(await readdir(folder)).toEqual(['a.json'])
})

test.each([
  ['ENOSPC', /disk is full/],
  ['EFBIG', /larger than/],
  ['EIO', /disk reports an error/],
])('%s in the middle of a write keeps the old file, leaves no temporary one, and says what to do', async (code, words) => {
  const file = path.join(folder, 'a.json')
  await writeFile(file, 'old')
  const attempt = createFiles(failingWrite(code)).write(file, 'new content')
  await expect(attempt).rejects.toMatchObject({ code: 'storage', subject: file, message: expect.stringMatching(words) as string })
  await expect(attempt).rejects.toThrow(file)
  expect(await readFile(file, 'utf8')).toBe('old')
  expect(await readdir(folder)).toEqual(['a.json'])
})

test.each(['open', 'rename'] as const)('EACCES in %s keeps the old file and leaves no temporary one', async (call) => {
  const file = path.join(folder, 'a.json')
  await writeFile(file, 'old')
  const files = createFiles({ ...nodeOperations, [call]: () => Promise.reject(failure('EACCES')) })
  await expect(files.write(file, 'new')).rejects.toMatchObject({ code: 'storage', message: expect.stringContaining('permission') as string })
  expect(await readFile(file, 'utf8')).toBe('old')
  expect(await readdir(folder)).toEqual(['a.json'])
})

test('EROFS when a folder is made names the folder', async () => {
  const files = createFiles({ ...nodeOperations, mkdir: (() => Promise.reject(failure('EROFS'))) as never })
  await expect(files.makeFolder('/some/where')).rejects.toMatchObject({ code: 'storage', subject: '/some/where', message: expect.stringContaining('read-only') as string })
})

test('the content is on the disk before the name points at it, and the folder after', async () => {
  const order: string[] = []
  const operations: FileOperations = {
    ...nodeOperations,
    open: (async (...args: Parameters<FileOperations['open']>) => {
      const handle = await nodeOperations.open(...args)
      return new Proxy(handle, {
        get(target, name) {
          if (name === 'sync') order.push(args[1] === 'r' ? 'sync folder' : 'sync file')
          const value = Reflect.get(target, name) as unknown
          return typeof value === 'function' ? value.bind(target) : value
        },
      })
    }) as FileOperations['open'],
    rename: async (from, to) => {
      order.push('rename')
      await nodeOperations.rename(from, to)
    },
  }
  await createFiles(operations).write(path.join(folder, 'a'), 'x')
  expect(order).toEqual(['sync file', 'rename', 'sync folder'])
})

test('a file where a folder is needed is a storage error with advice', async () => {
  await writeFile(path.join(folder, 'file'), '')
  await expect(createFiles().write(path.join(folder, 'file', 'b'), 'x')).rejects.toMatchObject({ code: 'storage' })
})

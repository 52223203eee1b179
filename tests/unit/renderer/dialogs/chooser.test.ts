// @vitest-environment happy-dom
import { flushPromises } from '@vue/test-utils'
import { beforeEach, expect, test } from 'vitest'
import FileChooser from '#renderer/components/dialogs/FileChooser.vue'
import { findTyped, sizeText, useOf } from '#renderer/components/dialogs/chooser.ts'
import { useFiles } from '#renderer/stores/files.ts'
import { useSession } from '#renderer/stores/session.ts'
import type { FileEntry } from '#shared/contract/system.ts'
import { MaskscopeError } from '#shared/domain/errors.ts'
import { beginStores, show } from '../mount.ts'

const entry = (name: string, kind: FileEntry['kind'], bytes: number | null = null): FileEntry => ({ handle: name, name, kind, place: '~', bytes })
const folders: Record<string, FileEntry[]> = {
  '': [entry('photos', 'folder')],
  photos: [entry('older', 'folder'), entry('notes.pdf', 'other', 2), entry('cat.png', 'image', 12_345), entry('cow.png', 'image', 9)],
  older: [],
}

beforeEach(async () => {
  await beginStores({
    'files.browse': ({ folder }) => {
      if (folder === 'older') throw new MaskscopeError('input', 'The folder older cannot be read; check its permissions.')
      return { folder: folder === null ? null : entry(folder, 'folder'), parent: null, entries: folders[folder ?? '']!, note: null }
    },
  })
  useSession().hello = { version: '1', shell: 'web', platform: 'linux', nativeDialogs: false }
})

const list = (): HTMLElement => document.querySelector<HTMLElement>('[role="listbox"]')!
const selected = (): string | undefined => list().querySelector('[aria-selected="true"] .name')?.textContent ?? undefined
async function press(key: string): Promise<void> {
  list().dispatchEvent(new KeyboardEvent('keydown', { key, bubbles: true, cancelable: true }))
  await flushPromises()
}

test('an image is chosen by keys alone; what is of no use is greyed', async () => {
  show(FileChooser)
  const chosen = useFiles().choose('image')
  await flushPromises()
  // The only place is entered by itself.
  expect([...list().querySelectorAll('.name')].map((name) => name.textContent)).toEqual(['older', 'notes.pdf', 'cat.png', 'cow.png'])
  expect([...list().querySelectorAll('[aria-disabled="true"] .name')].map((name) => name.textContent)).toEqual(['notes.pdf'])
  await press('ArrowDown')
  await press('Enter')
  expect(useFiles().asked).not.toBeNull()
  await press('c')
  expect(selected()).toBe('cat.png')
  await press('o')
  expect(selected()).toBe('cow.png')
  await press('Enter')
  expect(await chosen).toEqual([entry('cow.png', 'image', 9)])
})

test('a folder that cannot be read says so, and the one before stays', async () => {
  show(FileChooser)
  const chosen = useFiles().choose('image')
  await flushPromises()
  await press('Home')
  await press('Enter')
  expect(document.querySelector('[role="alert"]')?.textContent).toContain('check its permissions')
  expect(list().querySelectorAll('[role="option"]')).toHaveLength(4)
  await press('Backspace')
  expect(selected()).toBe('photos')
  useFiles().answer([])
  expect(await chosen).toEqual([])
})

test('folders are entered, what was asked for is taken, the rest is neither', () => {
  expect(useOf(entry('m', 'model'), 'model')).toBe('take')
  expect(useOf(entry('m', 'model'), 'labels')).toBe('enter')
  expect(useOf(entry('f', 'folder'), 'image')).toBe('enter')
  expect(useOf(entry('a.png', 'image', 1), 'model')).toBeNull()
})

test('sizes are told in three signs, names found by their first letters', () => {
  expect([null, 0, 999, 1000, 12_345, 999_600, 3_400_000_000].map(sizeText)).toEqual(['', '0 B', '999 B', '1.0 kB', '12 kB', '1.0 MB', '3.4 GB'])
  const names = folders['photos']!
  expect([findTyped(names, 'c', 0), findTyped(names, 'c', 2), findTyped(names, 'c', 3), findTyped(names, 'co', 2), findTyped(names, 'x', 0)]).toEqual([2, 3, 2, 3, -1])
})

// @vitest-environment happy-dom
import { flushPromises } from '@vue/test-utils'
import { afterEach, beforeEach, expect, test } from 'vitest'
import DataDialog from '#renderer/components/inputs/DataDialog.vue'
import { useDialogs } from '#renderer/stores/dialogs.ts'
import { useFiles } from '#renderer/stores/files.ts'
import { useImages } from '#renderer/stores/images.ts'
import { MaskscopeError } from '#shared/domain/errors.ts'
import type { FakeClient } from '../fake-client.ts'
import { beginStores, settled, show } from '../mount.ts'
import { openImage, png } from '../samples.ts'

const folder = { handle: 'folder-1', name: 'pets', kind: 'folder', place: '~', bytes: null } as const
const entry = (index: number) => ({ index, label: 'cat', truth: true, thumbnail: png, problem: null })
let client: FakeClient
let wrapper: ReturnType<typeof show>

beforeEach(async () => {
  client = await beginStores({
    'data.page': ({ first, count }) => ({ total: 90, entries: Array.from({ length: Math.min(count, 90 - first) }, (_, i) => entry(first + i)) }),
    'images.open': () => [openImage({ label: 'cat', truth: true })],
  })
  wrapper = show(DataDialog)
  useDialogs().show('data')
  await settled()
})
afterEach(() => wrapper.unmount())

const button = (text: string): HTMLButtonElement => [...document.querySelectorAll('button')].findLast((one) => one.textContent.trim() === text || one.getAttribute('aria-label') === text)!
const options = (): HTMLElement[] => [...document.querySelectorAll<HTMLElement>('[aria-label="Images of the data set"] [role="option"]')]

async function chooseFolder(): Promise<void> {
  button('Choose the folder').click()
  await flushPromises()
  expect(useFiles().asked?.purpose).toBe('data')
  useFiles().answer([{ ...folder }])
  await settled()
}

test('says what has to lie there, then shows the first page; what is marked is opened', async () => {
  expect(document.body.textContent).toContain('one folder of images for each class')
  expect(client.inputsOf('data.page')).toEqual([])
  await chooseFolder()
  const data = { kind: 'folder', place: 'folder-1', part: 'test', mosaic: null }
  expect(client.inputsOf('data.page')).toEqual([{ data, first: 0, count: 40 }])
  expect(document.body.textContent).toContain('0 to 39 of 90; where their objects lie is known')
  expect(options()[0]!.textContent).toContain('cat#0')

  button('Next page').click()
  await settled()
  expect(client.inputsOf('data.page').at(-1)).toMatchObject({ first: 40 })
  options()[2]!.click()
  await settled()
  options()[1]!.dispatchEvent(new MouseEvent('click', { bubbles: true, ctrlKey: true }))
  await settled()
  button('Open 2 images').click()
  await settled()
  expect(client.inputsOf('images.open')).toEqual([{ from: { data, indices: [41, 42] } }])
  expect(useImages().current).toMatchObject({ label: 'cat', truth: true })
  expect(useDialogs().open).toBeNull()
})

test('a broken file is named at the dialog', async () => {
  client.answers['data.page'] = () => Promise.reject(new MaskscopeError('input', 'The list pets/list.csv names no images.'))
  await chooseFolder()
  expect(document.body.textContent).toContain('The list pets/list.csv names no images.')
  expect(options()).toEqual([])
  // One image alone does not keep the others away.
  client.answers['data.page'] = () => ({ total: 2, entries: [entry(0), { index: 1, label: null, truth: false, thumbnail: null, problem: 'The picture b.png is cut off.' }] })
  useDialogs().close()
  await settled()
  useDialogs().show('data')
  await settled()
  expect(document.body.textContent).toContain('The picture b.png is cut off.')
  expect(options()).toHaveLength(2)
  button('Mark all shown').click()
  await settled()
  button('Open image').click()
  await settled()
  expect(client.inputsOf('images.open')).toMatchObject([{ from: { indices: [0] } }])
})

// @vitest-environment happy-dom
import { createPinia, setActivePinia } from 'pinia'
import { beforeEach, expect, test } from 'vitest'
import type { FileEntry } from '#shared/contract/system.ts'
import { MaskscopeError } from '#shared/domain/errors.ts'
import type { Host } from '#renderer/host/host.ts'
import { useClient } from '#renderer/rpc.ts'
import { useDialogs } from '#renderer/stores/dialogs.ts'
import { useFiles } from '#renderer/stores/files.ts'
import { useNotices } from '#renderer/stores/notices.ts'
import { useSession } from '#renderer/stores/session.ts'
import { fakeClient, type FakeClient } from '../fake-client.ts'

const file = (name: string, kind: FileEntry['kind']): FileEntry => ({ handle: name, name, kind, place: '~', bytes: 10 })
const given = (...names: string[]): File[] => names.map((name) => new File(['x'], name, { type: name.endsWith('.png') ? 'image/png' : '' }))

let client: FakeClient
let answerGive: () => Promise<FileEntry[]>
const host: Host = {
  connect: () => Promise.reject(new Error('Not in this test.')),
  give: () => answerGive(),
  download: () => undefined,
}

beforeEach(() => {
  setActivePinia(createPinia())
  client = fakeClient({
    'images.open': ({ from }) => [{
      image: `image ${'file' in from ? from.file : 'name' in from ? from.name : 'scene' in from ? from.scene : from.data.place}`, name: 'a', kind: 'file', width: 2, height: 2, label: null, truth: false, notes: [], thumbnail: new Uint8Array(1),
    }],
    'models.open': () => ({ state: 'incomplete', file: 'm', name: 'm', stated: {}, missing: ['range'], message: 'Say its range.' }),
    'studies.open': () => ({ name: 'pets' }),
  })
  useClient(client, host)
})

test('each file goes where its kind belongs; weights and cards go with their model; the first image is looked at', async () => {
  await useFiles().open([file('one.png', 'image'), file('two.png', 'image'), file('mobilenet', 'model'), file('w.bin', 'other'), file('model-card.json', 'card'), file('pets', 'study')])
  expect(client.inputsOf('studies.open')).toEqual([{ study: 'pets' }])
  expect(client.inputsOf('models.open')).toEqual([{ from: { file: 'mobilenet' }, stated: {} }])
  expect(client.inputsOf('images.open')).toEqual([{ from: { file: 'two.png' } }, { from: { file: 'one.png' } }])
  expect(useNotices().notices).toEqual([])
})

test('labels are stated of the model that is open, and asked back for where there is none', async () => {
  const files = useFiles()
  await files.open([file('classes.txt', 'labels')])
  expect(useNotices().notices.map((notice) => notice.message)).toEqual([expect.stringContaining('Open the model first')])
  await files.open([file('mobilenet', 'model')])
  await files.open([file('classes.txt', 'labels')])
  expect(client.inputsOf('models.open').at(-1)).toEqual({ from: { file: 'mobilenet' }, stated: { labels: 'classes.txt' } })
})

test('what is none of these is named in one notice that says what would be', async () => {
  await useFiles().open([file('notes.pdf', 'other'), file('b.zip', 'other')])
  expect(useNotices().notices.map((notice) => notice.message)).toEqual([expect.stringMatching(/^notes\.pdf, b\.zip: this is no image.*Maskscope opens PNG/)])
})

test('an upload that fails is told, one that was stopped is not, and neither leaves its progress behind', async () => {
  const files = useFiles()
  answerGive = () => Promise.reject(new MaskscopeError('input', 'a.png is larger than 4 GB.'))
  await files.take(given('a.png'))
  answerGive = () => Promise.reject(new MaskscopeError('cancelled', 'Cancelled.'))
  await files.take(given('a.png'))
  expect(useNotices().notices.map((notice) => notice.message)).toEqual(['a.png is larger than 4 GB.'])
  expect(files.sending).toBeNull()
})

test('of two uploads at once the first that ends, or goes on, leaves the other its progress, and nothing stays', async () => {
  const files = useFiles()
  const ends: (() => void)[] = []
  answerGive = () => new Promise((resolve) => ends.push(() => resolve([])))
  const [first, second] = [files.take(given('model.json', 'w.bin')), files.take(given('a.png'))]
  expect(files.sending?.what).toBe('a.png')
  ends[1]!()
  await second
  expect(files.sending?.what).toBe('2 files')
  ends[0]!()
  await first
  expect(files.sending).toBeNull()
})

test('a pasted picture needs no file; other pasted files are sent', async () => {
  answerGive = () => Promise.resolve([file('notes.pdf', 'other')])
  await useFiles().paste(given('image.png', 'notes.pdf'))
  expect(client.inputsOf('images.open')).toEqual([{ from: { name: 'Pasted image', bytes: new Uint8Array([120]) } }])
  expect(useNotices().notices).toHaveLength(1)
})

test('files are chosen by native dialog where there is one, in the page elsewhere; a second question ends the first', async () => {
  const files = useFiles()
  const session = useSession()
  const dialogs = useDialogs()
  client.answers['files.choose'] = () => [file('m', 'model')]
  session.hello = { version: '1', shell: 'electron', platform: 'linux', nativeDialogs: true }
  expect(await files.choose('model')).toEqual([file('m', 'model')])

  session.hello = { version: '1', shell: 'web', platform: 'linux', nativeDialogs: false }
  const first = files.choose('image')
  expect(dialogs.open).toBe('chooser')
  const second = files.choose('labels')
  expect(await first).toEqual([])
  files.answer([file('l.txt', 'labels')])
  expect(await second).toEqual([file('l.txt', 'labels')])
  expect(dialogs.open).toBeNull()
})

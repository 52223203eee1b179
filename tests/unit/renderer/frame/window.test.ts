// @vitest-environment happy-dom
import { flushPromises } from '@vue/test-utils'
import axe from 'axe-core'
import { createApp } from 'vue'
import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import App from '#renderer/App.vue'
import { catchErrors, hearShell } from '#renderer/boot.ts'
import { connection, connectionError } from '#renderer/rpc.ts'
import { useDialogs } from '#renderer/stores/dialogs.ts'
import { useModels } from '#renderer/stores/models.ts'
import { useNotices } from '#renderer/stores/notices.ts'
import { useSession } from '#renderer/stores/session.ts'
import type { VueWrapper } from '@vue/test-utils'
import type { FakeClient } from '../fake-client.ts'
import { beginStores, show } from '../mount.ts'
import { openModel } from '../samples.ts'

let client: FakeClient
let window_: VueWrapper

beforeEach(async () => {
  client = await beginStores({
    'system.hello': () => ({ version: '1.0.0', shell: 'web', platform: 'linux x64', nativeDialogs: false }),
    'settings.get': () => useSession().settings,
    'system.report': () => ({}),
    'studies.list': () => [{ study: 's1', name: 'pets', runs: 3, changed: '2026-01-01T00:00:00Z' }],
    'files.recent': () => ({ models: [], images: [], studies: [] }),
    'studies.create': () => { throw new Error('A study of this name exists; choose another.') },
  })
  await useSession().begin()
  window_ = show(App)
  await flushPromises()
})
afterEach(() => {
  window_.unmount()
  connection.value = 'open'
})

const press = async (key: string, init: KeyboardEventInit = {}): Promise<void> => {
  (document.activeElement ?? document.body).dispatchEvent(new KeyboardEvent('keydown', { key, bubbles: true, cancelable: true, ...init }))
  await flushPromises()
}
const button = (name: RegExp): HTMLButtonElement => [...document.querySelectorAll('button')].find((one) => name.test(one.getAttribute('aria-label') ?? one.textContent ?? ''))!

test('the frame has no faults that axe can find without a layout', async () => {
  const { violations } = await axe.run(document.querySelector('header')!, { rules: { 'color-contrast': { enabled: false }, region: { enabled: false } } })
  const rail = await axe.run(document.querySelector('nav')!, { rules: { 'color-contrast': { enabled: false }, region: { enabled: false } } })
  expect([...violations, ...rail.violations].map((violation) => violation.id)).toEqual([])
  expect([...document.querySelectorAll('nav button')].map((one) => one.textContent?.trim())).toEqual(['Explain', 'Compare', 'Reconstruct', 'Figures', 'Benchmark'])
  expect(document.querySelectorAll('[role="separator"]')).toHaveLength(3)
})

test('the palette is opened by key, found by typing and run by enter', async () => {
  await press('k', { ctrlKey: true })
  const query = document.querySelector<HTMLInputElement>('[role="combobox"][aria-label="Find a command"]')!
  query.value = 'theme'
  query.dispatchEvent(new Event('input'))
  await flushPromises()
  query.dispatchEvent(new KeyboardEvent('keydown', { key: 'Enter', bubbles: true, cancelable: true }))
  await flushPromises()
  expect(useSession().settings.theme).toBe('light')
  expect(useDialogs().open).toBeNull()
})

test('the theme goes from the system’s to light to dark and back, and stands at the root', async () => {
  const session = useSession()
  for (const [theme, shown] of [['light', 'light'], ['dark', 'dark'], ['system', session.dark ? 'dark' : 'light']] as const) {
    button(/^Theme/).click()
    await flushPromises()
    expect(session.settings.theme).toBe(theme)
    if (theme !== 'system') expect(document.documentElement.dataset['theme']).toBe(shown)
  }
})

test('a refused name of a study is told in the dialog', async () => {
  hearShell({ type: 'command', id: 'new-study' })
  await flushPromises()
  const name = document.querySelector<HTMLInputElement>('[role="dialog"] input')!
  name.value = 'pets'
  name.dispatchEvent(new Event('input'))
  document.querySelector('[role="dialog"] form')!.dispatchEvent(new Event('submit', { cancelable: true }))
  await flushPromises()
  expect(client.inputsOf('studies.create')).toEqual([{ name: 'pets' }])
  expect(document.querySelector('[role="dialog"] [role="alert"]')?.textContent).toContain('A study of this name exists')
})

test('the badge says that the backend starts, what it is, or why there is none', async () => {
  const badge = (): string => document.querySelector('.backend')!.textContent!
  expect(badge()).toContain('Starting')
  await useSession().findBackend()
  await flushPromises()
  expect(badge()).toContain('Nothing to compute on')
  client.answers['system.backend'] = () => ({ id: 'wasm', device: 'CPU', rejected: [], workers: 2, threads: 2 })
  await useSession().findBackend()
  await flushPromises()
  expect(badge()).toContain('WebAssembly')
  expect(badge()).toContain('2 workers')
  useModels().adopt(openModel({}, { executor: { id: 'onnxruntime', reason: 'It is the faster.', measured: {}, version: '1.30.0' } }))
  await flushPromises()
  expect(badge()).toContain('ONNX Runtime')
})

test('a lost connection is told and the window stays', async () => {
  connection.value = 'lost'
  await flushPromises()
  const bar = document.querySelector('[role="status"].connection')!
  expect(bar.textContent).toContain('Connection lost. Runs go on')
  // Nobody answers the next attempt.
  connectionError.value = 'Maskscope does not answer.'
  await flushPromises()
  expect(bar.textContent).toContain('if you start Maskscope anew, open the address that it prints.')
  connectionError.value = null
  expect(document.querySelector('header')).not.toBeNull()
})

test('notices stand until dismissed or acted on', async () => {
  const undo = vi.fn()
  useNotices().say('Run deleted.', { label: 'Undo', run: undo })
  hearShell({ type: 'notice', level: 'error', message: 'A worker ended.' })
  await flushPromises()
  expect(document.querySelector('.notices [role="alert"]')?.textContent).toContain('A worker ended.')
  button(/^Undo$/).click()
  await flushPromises()
  expect(undo).toHaveBeenCalledTimes(1)
  expect(useNotices().notices.map((notice) => notice.message)).toEqual(['A worker ended.'])
})

test('an error that nobody caught is shown and told to the main side', async () => {
  const page = new EventTarget()
  catchErrors(createApp({}), page as Window)
  page.dispatchEvent(new ErrorEvent('error', { message: 'x', error: new Error('The chart broke.') }))
  page.dispatchEvent(new ErrorEvent('error', { message: 'ResizeObserver loop completed with undelivered notifications.' }))
  await flushPromises()
  expect(useNotices().notices.map((notice) => notice.message)).toEqual(['The chart broke.'])
  expect(client.inputsOf('system.report')).toEqual([{ message: 'The chart broke.', stack: expect.stringContaining('The chart broke.') as string }])
})

test('what is dropped never makes the browser leave the page', () => {
  const drop = new Event('drop', { bubbles: true, cancelable: true })
  document.body.dispatchEvent(drop)
  expect(drop.defaultPrevented).toBe(true)
})

// @vitest-environment happy-dom
import { enableAutoUnmount, flushPromises } from '@vue/test-utils'
import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import ExportDialog from '#renderer/components/runs/ExportDialog.vue'
import type { Host } from '#renderer/host/host.ts'
import { useDialogs } from '#renderer/stores/dialogs.ts'
import { useSession } from '#renderer/stores/session.ts'
import { MaskscopeError } from '#shared/domain/errors.ts'
import type { FakeClient } from '../fake-client.ts'
import { beginStores, show, showRuns } from '../mount.ts'
import { runRow } from '../samples.ts'

enableAutoUnmount(afterEach)

const svg = '<svg xmlns="http://www.w3.org/2000/svg"/>'
const download = vi.fn<Host['download']>()
const host = { download } as unknown as Host
let client: FakeClient

beforeEach(async () => {
  vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] })
  download.mockClear()
  client = await beginStores({
    'figures.preview': ({ options }) => ({ svg, widthMm: options.widthMm, heightMm: 60, caption: 'The caption.' }),
    'figures.render': () => ({ name: 'figure.pdf', bytes: new Uint8Array([37]) }),
    'figures.command': () => ({ command: 'maskscope figure study 1' }),
  }, host)
  await showRuns([runRow()])
  useDialogs().show('export')
})
afterEach(() => void vi.useRealTimers())

async function open(): Promise<void> {
  show(ExportDialog)
  await calm()
}

async function calm(): Promise<void> {
  await vi.advanceTimersByTimeAsync(300)
  await flushPromises()
}

const image = (): HTMLImageElement | null => document.querySelector('.desk img')
const button = (text: string): HTMLButtonElement => [...document.querySelectorAll<HTMLButtonElement>('.dialog button')].find((entry) => entry.textContent?.trim() === text)!

async function type(name: string, text: string): Promise<void> {
  const input = document.querySelector<HTMLInputElement>(`input[aria-label="${name}"]`)!
  input.value = text
  input.dispatchEvent(new Event('input'))
  await flushPromises()
  input.dispatchEvent(new Event('change'))
  await flushPromises()
}

test('the preview is the very print, shown as an image of its own', async () => {
  await open()
  expect(image()?.getAttribute('src')).toMatch(/^blob:/)
  expect(document.querySelector('.dialog svg[xmlns="http://www.w3.org/2000/svg"]:not([class])')).toBeNull()
  expect(document.querySelector('.size')?.textContent).toBe('88.9 × 60.0 mm')
})

test('at 100% it has its size in mm', async () => {
  await open()
  ;[...document.querySelectorAll<HTMLButtonElement>('.segment')].find((entry) => entry.textContent === '200%')!.click()
  await flushPromises()
  expect([image()!.style.width, image()!.style.height]).toEqual(['177.8mm', '120mm'])
})

test('of several changes in a row only the last is drawn', async () => {
  await open()
  await type('Width', '100')
  await type('Width', '110')
  await type('Width', '120')
  await calm()
  expect(client.inputsOf('figures.preview').map((input) => input.options.widthMm)).toEqual([88.9, 120])
})

test('an answer that comes late does not replace a newer one', async () => {
  const late: ((value: { svg: string; widthMm: number; heightMm: number; caption: string }) => void)[] = []
  client.answers['figures.preview'] = () => new Promise((resolve) => late.push(resolve))
  await open()
  await type('Width', '120')
  await calm()
  late[1]!({ svg, widthMm: 120, heightMm: 70, caption: '' })
  await flushPromises()
  late[0]!({ svg, widthMm: 88.9, heightMm: 60, caption: '' })
  await flushPromises()
  expect(document.querySelector('.size')?.textContent).toBe('120.0 × 70.0 mm')
})

test('a width that cannot be is told while typed, and nothing is saved with it', async () => {
  await open()
  const input = document.querySelector<HTMLInputElement>('input[aria-label="Width"]')!
  input.value = '5'
  input.dispatchEvent(new Event('input'))
  await flushPromises()
  expect(document.querySelector('.fields .problem')?.textContent).toBe('Enter a number from 60 to 500.')
  expect(button('Save').disabled).toBe(true)
})

test('what the main side refuses stands at its field', async () => {
  client.answers['figures.preview'] = () => Promise.reject(new MaskscopeError('usage', 'This map has no stated limits.', { subject: 'normalisation' }))
  await open()
  expect(document.querySelector('.fields .problem')?.textContent).toBe('This map has no stated limits.')
  expect(document.querySelector('.dialog .error-note')).toBeNull()
})

test('what belongs to no field stands below', async () => {
  client.answers['figures.preview'] = () => Promise.reject(new MaskscopeError('storage', 'The run was moved away.'))
  await open()
  expect(document.querySelector('.dialog .error-note')?.textContent).toContain('The run was moved away.')
})

test('in a browser the figure is downloaded', async () => {
  await open()
  button('Save').click()
  await calm()
  expect(client.inputsOf('figures.render')[0]).toMatchObject({ run: '0001-ball-neuromask', format: 'pdf', options: { widthMm: 88.9, dpi: 600 } })
  expect(download).toHaveBeenCalledWith('figure.pdf', new Uint8Array([37]), 'application/pdf')
  expect(useDialogs().open).toBeNull()
})

test('in the desktop program a closed dialog saves nothing and leaves the choices', async () => {
  useSession().hello = { version: '1', shell: 'electron', platform: 'linux', nativeDialogs: true }
  client.answers['figures.save'] = () => ({ file: null })
  await open()
  button('Save').click()
  await calm()
  expect(useDialogs().open).toBe('export')
  client.answers['figures.save'] = () => Promise.reject(new MaskscopeError('storage', 'The disk is full.'))
  button('Save').click()
  await calm()
  expect(document.querySelector('.dialog .error-note')?.textContent).toContain('The disk is full.')
  expect(download).not.toHaveBeenCalled()
})

test('without a finished run it says what to select', async () => {
  await showRuns([runRow({ state: 'running', iteration: 3 })])
  await open()
  expect(document.querySelector('.dialog')?.textContent).toContain('A figure is made from a finished run.')
  expect(client.inputsOf('figures.preview')).toEqual([])
})

import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { readArguments } from '#main/shells/web/arguments.ts'
import { browserCommand } from '#main/shells/web/browser.ts'
import { checkStart, listenError } from '#main/shells/web/checks.ts'
import { createWebHost } from '#main/shells/web/host.ts'

let folder: string
beforeEach(async () => {
  folder = await mkdtemp(path.join(tmpdir(), 'web-start-'))
})
afterEach(() => rm(folder, { recursive: true, force: true }))

test('arguments have the defaults of a terminal', () => {
  expect(readArguments([], '/here')).toEqual({ port: 0, open: true, studies: path.resolve('/here/maskscope-studies'), roots: [path.resolve('/here')], backend: undefined })
  expect(readArguments(['--port', '8080', '--no-open', '--studies', 's', '--root', 'a', '--root', '/b', '--backend', 'cpu'], '/here'))
    .toEqual({ port: 8080, open: false, studies: path.resolve('/here/s'), roots: [path.resolve('/here/a'), path.resolve('/b')], backend: 'cpu' })
})

test('arguments that cannot be are refused by name', () => {
  for (const args of [['--port', '70000'], ['--port', 'x'], ['--port', '-1'], ['--backend', 'gpu'], ['--other'], ['file']]) {
    expect(() => readArguments(args, '/'), args.join(' ')).toThrow(expect.objectContaining({ code: 'usage' }))
  }
})

describe('before anything starts', () => {
  const start = (more: Partial<ReturnType<typeof readArguments>>): ReturnType<typeof readArguments> => ({ ...readArguments([], folder), ...more })

  test('what is missing is said', async () => {
    expect(() => checkStart(start({}), folder)).toThrow('The window is not built')
    await writeFile(path.join(folder, 'index.html'), '')
    expect(() => checkStart(start({}), folder)).not.toThrow()
    expect(() => checkStart(start({ roots: [path.join(folder, 'none')] }), folder)).toThrow(expect.objectContaining({ code: 'usage', subject: '--root' }))
  })

  test('a place where no studies can be kept is refused', async () => {
    await writeFile(path.join(folder, 'index.html'), '')
    expect(() => checkStart(start({ studies: path.join(folder, 'index.html') }), folder)).toThrow('is a file')
    expect(() => checkStart(start({ studies: path.join(folder, 'index.html', 'deeper') }), folder)).toThrow('is a file')
    const locked = path.join(folder, 'locked')
    await mkdir(locked, { mode: 0o500 })
    // Root may write everywhere.
    if (process.getuid?.() !== 0) expect(() => checkStart(start({ studies: path.join(locked, 'new') }), folder)).toThrow('may not be written')
  })

  test('a port that cannot be had is said with what to do', () => {
    expect(listenError({ code: 'EADDRINUSE' }, 80).message).toBe('Port 80 is in use by another program. Choose another with --port, or leave --port out for any free one.')
    expect(listenError({ code: 'EACCES' }, 80).message).toContain('above 1023')
    expect(listenError(new Error('odd'), 80)).toMatchObject({ code: 'unavailable', message: 'Maskscope could not listen on 127.0.0.1: odd.' })
  })
})

test('the browser opens where there is a display, with the address as one argument', () => {
  const url = 'http://127.0.0.1:1/?token=a&b'
  expect(browserCommand(url, 'linux', {})).toBeNull()
  expect(browserCommand(url, 'linux', { DISPLAY: ':0' })).toEqual(['xdg-open', [url]])
  expect(browserCommand(url, 'linux', { WAYLAND_DISPLAY: 'w' })).toEqual(['xdg-open', [url]])
  expect(browserCommand(url, 'darwin', {})).toEqual(['open', [url]])
  expect(browserCommand(url, 'win32', {})?.[1].at(-1)).toBe(url)
})

test('notices wait for a page', () => {
  const { host, events } = createWebHost(['/r'])
  events.emit({ type: 'notice', level: 'error', message: 'early' })
  const heard: unknown[] = []
  const end = host.subscribe((event) => heard.push(event))
  events.emit({ type: 'notice', level: 'error', message: 'late' })
  end()
  events.emit({ type: 'notice', level: 'error', message: 'kept' })
  expect(heard.map((event) => (event as { message: string }).message)).toEqual(['early', 'late'])
  expect(host).toMatchObject({ shell: 'web', dialogs: null, roots: ['/r'] })
})

import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { afterAll, beforeAll, beforeEach, describe, expect, test, vi } from 'vitest'
import { answer, registerScheme, serveBundle } from '#main/shells/electron/protocol.ts'
import { protocol, resetElectron } from './electron-stub.ts'

vi.mock('electron', () => import('./electron-stub.ts'))

let folder: string
let root: string

beforeEach(resetElectron)
beforeAll(() => {
  folder = mkdtempSync(path.join(tmpdir(), 'maskscope-protocol-'))
  root = path.join(folder, 'renderer')
  mkdirSync(path.join(root, 'assets'), { recursive: true })
  writeFileSync(path.join(root, 'index.html'), '<!doctype html>')
  writeFileSync(path.join(root, 'assets', 'index.js'), 'export {}')
  writeFileSync(path.join(root, 'notes.txt'), 'no page of ours')
  writeFileSync(path.join(folder, 'secret.js'), 'secret')
  symlinkSync(path.join(folder, 'secret.js'), path.join(root, 'link.js'))
})
afterAll(() => rmSync(folder, { recursive: true, force: true }))

const get = (url: string, method = 'GET'): Promise<Response> => answer(root, { url, method })

test('security 2: the scheme is standard and secure, and served by one handler', async () => {
  registerScheme()
  expect(protocol.registerSchemesAsPrivileged).toHaveBeenCalledExactlyOnceWith([
    { scheme: 'app', privileges: { standard: true, secure: true, supportFetchAPI: true, codeCache: true } },
  ])
  serveBundle(root)
  const [scheme, handler] = protocol.handle.mock.calls[0] as [string, (request: Request) => Promise<Response>]
  expect(scheme).toBe('app')
  expect(await (await handler(new Request('app://bundle/index.html'))).text()).toBe('<!doctype html>')
})

describe('security 2: what the scheme serves', () => {
  test.each([
    ['app://bundle/', 'text/html; charset=utf-8'],
    ['app://bundle/index.html', 'text/html; charset=utf-8'],
    ['app://bundle/index.html?x=1#y', 'text/html; charset=utf-8'],
    ['app://bundle/assets/index.js', 'text/javascript; charset=utf-8'],
  ])('%s', async (url, type) => {
    const response = await get(url)
    expect(response.status).toBe(200)
    expect(response.headers.get('content-type')).toBe(type)
    expect((await response.text()).length).toBeGreaterThan(0)
    expect(await (await get(url, 'HEAD')).text()).toBe('')
  })

  test.each([
    'app://bundle/missing.js', 'app://bundle/assets', 'app://bundle/notes.txt', 'app://other/index.html', 'app://bundle:1/index.html',
    'app://bundle/%2e%2e/secret.js', 'app://bundle/..%2fsecret.js', 'app://bundle/..%5csecret.js', 'app://bundle//etc/passwd.js', 'app://bundle/C:/x.js',
    'app://bundle/index.html%00.js', 'app://bundle/link.js', 'file:///etc/passwd',
  ])('not %s', async (url) => {
    const response = await get(url)
    expect(response.status).toBe(404)
    expect(await response.text()).toBe('')
  })

  test('a page that is missing is a load that fails, not an empty window', async () => {
    expect((await answer(path.join(folder, 'elsewhere'), { url: 'app://bundle/index.html', method: 'GET' })).type).toBe('error')
  })

  test('nothing can be sent to it', async () => {
    expect((await get('app://bundle/index.html', 'POST')).status).toBe(405)
  })
})

test('security 3: every answer carries the policy, refusals too', async () => {
  for (const url of ['app://bundle/index.html', 'app://bundle/missing.js']) {
    const { headers } = await get(url)
    expect(headers.get('content-security-policy')).toBe("default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' blob: data:; font-src 'self'; "
      + "connect-src 'self'; worker-src 'self' blob:; object-src 'none'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'")
    expect(headers.get('x-content-type-options')).toBe('nosniff')
    expect(headers.get('referrer-policy')).toBe('no-referrer')
    expect(headers.get('cross-origin-opener-policy')).toBe('same-origin')
    expect(headers.get('cross-origin-embedder-policy')).toBe('require-corp')
  }
})

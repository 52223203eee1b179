import { once } from 'node:events'
import { createServer, type AddressInfo } from 'node:net'
import { execFile } from 'node:child_process'
import path from 'node:path'
import { afterAll, afterEach, expect, test } from 'vitest'
import { root } from '../../scripts/build/ensure-built.js'
import { browserTest } from '../browser.ts'
import { startShell, type Shell } from './shell.ts'
import { closeWindows, openWindow } from './window.ts'

const shells: Shell[] = []
afterEach(async () => {
  for (const shell of shells.splice(0)) await shell.stop()
})
afterAll(closeWindows)

async function start(): Promise<Shell> {
  const shell = await startShell()
  shells.push(shell)
  return shell
}

browserTest('security 3, 12: the page keeps to its policy, nothing inline runs, and the address works once', async () => {
  const shell = await start()
  const { page, complaints, close } = await openWindow(shell.url)
  expect(new URL(page.url()).search).toBe('')
  expect(await page.evaluate(() => document.cookie)).toBe('')
  await page.reload()
  await page.getByRole('navigation').first().waitFor()
  expect(complaints).toEqual([])
  const blocked = await page.evaluate(async () => {
    const violation = new Promise<string>((resolve) => document.addEventListener('securitypolicyviolation', (event) => resolve(event.effectiveDirective), { once: true }))
    const script = document.createElement('script')
    script.textContent = 'globalThis.injected = true'
    document.body.append(script)
    return { directive: await violation, ran: 'injected' in globalThis }
  })
  expect(blocked).toEqual({ directive: 'script-src-elem', ran: false })
  const other = await fetch(shell.url, { redirect: 'manual' })
  expect(other.status).toBe(403)
  await close()
})

browserTest('a page of another site reaches neither the link nor the upload', async () => {
  const shell = await start()
  const { page, context, close } = await openWindow(shell.url)
  const { host } = new URL(shell.url)
  const foreign = await context.newPage()
  await context.route('http://evil.example/', (route) => route.fulfill({ contentType: 'text/html', body: '<!doctype html>' }))
  await foreign.goto('http://evil.example/')
  const reached = await foreign.evaluate(async (target) => {
    const socket = new WebSocket(`ws://${target}/engine`)
    const opened = await new Promise<boolean>((resolve) => {
      socket.onopen = () => resolve(true)
      socket.onerror = () => resolve(false)
    })
    const upload = await fetch(`http://${target}/upload?group=12345678&file=a&offset=0`, { method: 'POST', body: 'x', credentials: 'include' }).then(() => true, () => false)
    return { opened, upload }
  }, host)
  expect(reached).toEqual({ opened: false, upload: false })
  expect(await page.title()).toContain('Maskscope')
  await close()
})

test('Ctrl+C ends it in order and says so', async () => {
  const shell = await start()
  // Once the page answers, the desk behind it is there.
  const cookie = (await fetch(shell.url, { redirect: 'manual' })).headers.get('set-cookie')!.split(';')[0]!
  expect((await fetch(new URL('/', shell.url), { headers: { cookie } })).status).toBe(200)
  shell.process.kill('SIGINT')
  const [code] = (await once(shell.process, 'exit')) as [number | null]
  expect(code).toBe(0)
  expect(shell.output()).toContain('Maskscope ends.')
})

test('a port in use and a studies folder that is a file are said in one line', async () => {
  const taken = createServer().listen(0, '127.0.0.1')
  await once(taken, 'listening')
  const { port } = taken.address() as AddressInfo
  const run = (...args: string[]): Promise<{ code: unknown; said: string }> => new Promise((resolve) => {
    execFile(process.execPath, [path.join(root, 'bin/start.js'), '--web', '--no-open', ...args], (error, _, said) => resolve({ code: error?.code, said }))
  })
  expect(await run('--port', String(port))).toEqual({ code: 1, said: `Port ${port} is in use by another program. Choose another with --port, or leave --port out for any free one.\n` })
  const file = path.join(root, 'package.json')
  expect(await run('--studies', file)).toEqual({ code: 1, said: `Studies cannot be kept in ${file}: ${file} is a file. Choose another folder with --studies.\n` })
  expect((await run('--port', 'x')).code).toBe(2)
  taken.close()
})

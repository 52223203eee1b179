import { existsSync } from 'node:fs'
import { mkdtemp, readdir, rm } from 'node:fs/promises'
import { createRequire } from 'node:module'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { _electron, type ElectronApplication, type Page } from 'playwright-core'
import { afterEach, expect, test } from 'vitest'
import { root } from '../../scripts/build/ensure-built.js'
import { electronTest, findElectron } from '../electron-binary.ts'

interface Started {
  program: ElectronApplication
  page: Page
  studies: string
  /** Errors of the console and exceptions of the page. */
  complaints: string[]
}

const ends: (() => Promise<void>)[] = []
afterEach(async () => {
  for (const end of ends.splice(0)) await end()
})

/** The desktop program with settings and studies of its own. */
async function start(...files: string[]): Promise<Started> {
  const home = await mkdtemp(path.join(tmpdir(), 'maskscope-electron-'))
  const studies = path.join(home, 'studies')
  // Electron as root has no sandbox of the system; the program is never shipped so.
  const asRoot = process.platform === 'linux' && process.getuid?.() === 0 ? ['--no-sandbox'] : []
  const program = await _electron.launch({
    executablePath: findElectron()!,
    args: [...asRoot, root, `--user-data-dir=${path.join(home, 'data')}`, `--studies=${studies}`, ...files],
    env: { ...process.env as Record<string, string>, HOME: home, XDG_CONFIG_HOME: path.join(home, 'config') },
  })
  ends.push(async () => {
    await program.close().catch(() => undefined)
    await rm(home, { recursive: true, force: true, maxRetries: 5 })
  })
  const page = await program.firstWindow()
  const complaints: string[] = []
  page.on('pageerror', (error) => complaints.push(error.message))
  page.on('console', (message) => {
    if (message.type() === 'error') complaints.push(message.text())
  })
  return { program, page, studies, complaints }
}

electronTest('from the start to a finished run of the demo, and a clean end', async () => {
  const { program, page, studies, complaints } = await start()
  expect(page.url()).toBe('app://bundle/index.html')
  await page.getByRole('navigation', { name: 'Views' }).getByRole('button', { name: 'Explain' }).waitFor()
  await page.getByRole('button', { name: 'Try the demo' }).first().click()
  await page.getByRole('button', { name: /^Run\b/ }).first().click()
  await page.getByRole('grid', { name: 'Runs of this study' }).getByText(/finished/i).first().waitFor({ timeout: 90_000 })
  expect(complaints).toEqual([])
  expect((await readdir(studies)).length).toBeGreaterThan(0)
  const ended = new Promise<number | null>((resolve) => program.process().once('exit', resolve))
  await program.evaluate(({ app }) => app.quit())
  expect(await ended).toBe(0)
}, 180_000)

electronTest('security 1, 7: the page has no more than its bridge', async () => {
  const { page } = await start()
  const found = await page.evaluate(() => {
    const inside = globalThis as unknown as Record<string, unknown>
    const bridge = inside['maskscope'] as object
    return { bridge: Object.keys(bridge).sort(), frozen: Object.isFrozen(bridge), node: ['require', 'process', 'module', 'Buffer'].filter((name) => name in inside) }
  })
  expect(found).toEqual({ bridge: ['connect', 'give'], frozen: true, node: [] })
})

electronTest('security 3, 4: nothing inline runs, and the window goes nowhere', async () => {
  const { page } = await start()
  const blocked = await page.evaluate(async () => {
    const violation = new Promise<string>((resolve) => document.addEventListener('securitypolicyviolation', (event) => resolve(event.effectiveDirective), { once: true }))
    const script = document.createElement('script')
    script.textContent = 'globalThis.injected = true'
    document.body.append(script)
    return { directive: await violation, ran: 'injected' in globalThis }
  })
  expect(blocked.directive).toContain('script-src')
  expect(blocked.ran).toBe(false)
  await page.evaluate(() => void (location.href = 'https://example.org/'))
  await page.waitForTimeout(500)
  expect(page.url()).toBe('app://bundle/index.html')
})

electronTest('security 15: a reload finds its way back', async () => {
  const { page, complaints } = await start()
  await page.getByRole('navigation', { name: 'Views' }).waitFor()
  await page.reload()
  await page.getByRole('button', { name: 'Try the demo' }).first().waitFor()
  expect(complaints).toEqual([])
})

const packaged = ['dist/linux-unpacked/maskscope', 'dist/mac-arm64/Maskscope.app', 'dist/mac/Maskscope.app', 'dist/win-unpacked/Maskscope.exe']
  .map((file) => path.join(root, file)).find((file) => existsSync(file))

test.skipIf(packaged === undefined)('[packaged] security 10: the fuses of the packaged program', async () => {
  const parts = createRequire(createRequire(import.meta.url).resolve('electron-builder/package.json'))
  const fuses = createRequire(parts.resolve('app-builder-lib/package.json'))('@electron/fuses') as { getCurrentFuseWire(file: string): Promise<Record<number, number>> }
  const wire = await fuses.getCurrentFuseWire(packaged!)
  // In the order of the wire, as characters: runAsNode, cookies, NODE_OPTIONS, inspect, asar integrity, only asar, file privileges.
  expect([0, 1, 2, 3, 4, 5, 7].map((fuse) => String.fromCharCode(wire[fuse]!))).toEqual(['0', '1', '0', '0', '1', '1', '0'])
})

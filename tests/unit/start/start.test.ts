import { execFile } from 'node:child_process'
import { mkdir, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { promisify } from 'node:util'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { chooseShell } from '../../../scripts/start/choose.js'
import { desktopObstacle, electronBinary } from '../../../scripts/start/electron.js'
import { fetchElectron, shortReason } from '../../../scripts/start/fetch-electron.js'
import { help, readFlags } from '../../../scripts/start/flags.js'

let root: string
beforeEach(async () => {
  root = await mkdtemp(path.join(tmpdir(), 'start-'))
  await mkdir(path.join(root, 'node_modules', 'electron'), { recursive: true })
})
afterEach(() => rm(root, { recursive: true, force: true }))

const packageFile = (...parts: string[]): string => path.join(root, 'node_modules', 'electron', ...parts)

async function installBinary(): Promise<string> {
  await mkdir(packageFile('dist'))
  await writeFile(packageFile('path.txt'), 'electron')
  await writeFile(packageFile('dist', 'electron'), '')
  return packageFile('dist', 'electron')
}

describe('flags', () => {
  test('go to the shell they belong to', () => {
    const flags = readFlags(['--no-fetch', '--studies', 's', '--port=80', '--no-open', '--root', 'a', '--root', 'b'])
    expect(flags).toEqual({
      help: false, web: false, fetch: false,
      webArgs: ['--studies', 's', '--port', '80', '--no-open', '--root', 'a', '--root', 'b'],
      desktopArgs: ['--studies', 's'],
      unused: ['--port', '--no-open', '--root', '--root'],
    })
    expect(readFlags([])).toMatchObject({ web: false, fetch: true, webArgs: [], unused: [] })
  })

  test('that do not exist are refused, and every one that does is in the help', () => {
    expect(() => readFlags(['--prot', '1'])).toThrow('--help')
    expect(() => readFlags(['file.png'])).toThrow('--help')
    for (const flag of ['--web', '--no-fetch', '--port', '--no-open', '--studies', '--root', '--backend', '--help']) expect(help).toContain(flag)
  })
})

describe('the binary', () => {
  test('is found by its files, without loading the package', async () => {
    await writeFile(packageFile('index.js'), 'throw new Error("loaded")')
    expect(electronBinary(root, {})).toBeNull()
    await writeFile(packageFile('path.txt'), 'electron')
    expect(electronBinary(root, {})).toBeNull()
    await rm(packageFile('path.txt'))
    const binary = await installBinary()
    expect(electronBinary(root, {})).toBe(binary)
    expect(electronBinary(root, { ELECTRON_OVERRIDE_DIST_PATH: path.join(root, 'other') })).toBeNull()
  })

  test('is of no use without a display, or to root on Linux', () => {
    const linux = { platform: 'linux', environment: { DISPLAY: ':0' }, user: 1000 } as const
    expect(desktopObstacle(linux)).toBeNull()
    expect(desktopObstacle({ ...linux, environment: { WAYLAND_DISPLAY: 'wayland-0' } })).toBeNull()
    expect(desktopObstacle({ ...linux, environment: {} })).toContain('no display')
    expect(desktopObstacle({ ...linux, user: 0 })).toContain('root')
    expect(desktopObstacle({ platform: 'win32', environment: {}, user: undefined })).toBeNull()
  })
})

describe('fetching', () => {
  async function fetchWith(source: string, patience = 2000): Promise<{ reason: string | null; said: string; ms: number }> {
    const installer = path.join(root, 'installer.cjs')
    await writeFile(installer, source)
    let said = ''
    const start = performance.now()
    const reason = await fetchElectron({ root, installer, patience, out: { write: (text) => (said += text) } })
    return { reason, said, ms: performance.now() - start }
  }

  test('waits as long as bytes arrive, however long that takes, and tidies up', async () => {
    const before = await leftovers()
    const { reason, said } = await fetchWith(`
      const fs = require('node:fs'), path = require('node:path'), os = require('node:os')
      const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'electron-download-'))
      let n = 0
      const timer = setInterval(() => {
        fs.appendFileSync(path.join(folder, 'electron.zip'), 'x'.repeat(1000))
        if (++n === 12) clearInterval(timer)
      }, 200)`)
    expect(reason).toBeNull()
    expect(said.split('\n')).toHaveLength(2)
    expect(await leftovers()).toEqual(before)
  })

  test('gives up when nothing arrives, and ends the installer', async () => {
    const { reason, ms } = await fetchWith(`
      require('node:fs').writeFileSync(${JSON.stringify(path.join(root, 'pid'))}, String(process.pid))
      setInterval(() => {}, 1000)`, 1500)
    expect(reason).toBe('nothing arrived for 1.5 s')
    expect(ms).toBeLessThan(10_000)
    const pid = Number(await readFile(path.join(root, 'pid'), 'utf8'))
    expect(() => process.kill(pid, 0)).toThrow()
  })

  test('says why in a few words', async () => {
    expect((await fetchWith('console.error(new TypeError("fetch failed").stack); process.exit(1)')).reason).toBe('the place it is fetched from cannot be reached')
    expect((await fetchWith('console.error("HTTPError: Response code 404 (Not Found)"); process.exit(1)')).reason).toBe('its installer said "HTTPError: Response code 404 (Not Found)"')
    expect((await fetchWith('process.exit(1)')).reason).toContain('no reason')
    expect(shortReason(`Error: ${'long '.repeat(200)}`).length).toBeLessThan(200)
    expect(await fetchElectron({ root, out: { write: () => undefined } })).toBe('it is not among the installed packages')
  })

  async function leftovers(): Promise<string[]> {
    return (await readdir(tmpdir())).filter((name) => name.startsWith('maskscope-electron-'))
  }
})

describe('the choice', () => {
  const flags = { web: false, fetch: true }
  const never = (): never => {
    throw new Error('not to be asked')
  }

  test('is the desktop program where it is there', async () => {
    expect(await chooseShell(flags, root, { binary: () => '/electron', fetch: never, obstacle: () => null })).toEqual({ shell: 'desktop', binary: '/electron' })
  })

  test('is the browser when asked, without looking', async () => {
    expect(await chooseShell({ ...flags, web: true }, root, { binary: never, fetch: never, obstacle: never })).toEqual({ shell: 'web', reason: null })
  })

  test('tries to fetch once, and only where it may', async () => {
    expect(await chooseShell({ web: false, fetch: false }, root, { binary: () => null, fetch: never })).toEqual({ shell: 'web', reason: 'Electron is not there' })
    let tries = 0
    const fetch = async (): Promise<string> => `try ${++tries}`
    expect(await chooseShell(flags, root, { binary: () => null, fetch })).toEqual({ shell: 'web', reason: 'Electron could not be fetched: try 1' })
    let there = false
    const works = async (): Promise<null> => {
      there = true
      return null
    }
    expect(await chooseShell(flags, root, { binary: () => (there ? '/electron' : null), fetch: works, obstacle: () => null })).toEqual({ shell: 'desktop', binary: '/electron' })
    expect(await chooseShell(flags, root, { binary: () => null, fetch: async () => null })).toMatchObject({ reason: expect.stringContaining('left no program') as string })
  })

  test('is the browser where no window can open', async () => {
    expect(await chooseShell(flags, root, { binary: () => '/electron', obstacle: () => 'there is no display here' })).toEqual({ shell: 'web', reason: 'there is no display here' })
  })
})

test('the launcher prints its flags, and refuses others, without building', async () => {
  const launcher = path.resolve('bin/start.js')
  const run = promisify(execFile)
  expect((await run(process.execPath, [launcher, '--help'])).stdout).toBe(help)
  await expect(run(process.execPath, [launcher, '--nonsense'])).rejects.toMatchObject({ code: 2, stderr: expect.stringContaining('--nonsense') as string })
})

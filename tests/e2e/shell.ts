import { spawn, type ChildProcess } from 'node:child_process'
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { root } from '../../scripts/build/ensure-built.js'

/** The web shell as a person starts it, over studies of its own. */
export interface Shell {
  /** Carries the one-time token. */
  url: string
  studies: string
  process: ChildProcess
  /** All that it printed so far. */
  output(): string
  stop(): Promise<void>
}

const patience = 30_000

export interface ShellOptions {
  /** For the chooser of the page, `--root`. */
  folders?: readonly string[]
  arguments?: readonly string[]
  /** Runs on TF.js last several times as long, for tests that must do something before a run ends. */
  executor?: 'tfjs'
}

export async function startShell(options: ShellOptions = {}): Promise<Shell> {
  const home = await mkdtemp(path.join(tmpdir(), 'maskscope-e2e-'))
  if (options.executor) await choose(options.executor, home)
  const studies = path.join(home, 'studies')
  const child = spawn(process.execPath, [
    path.join(root, 'bin', 'start.js'), '--web', '--no-open', '--studies', studies,
    ...(options.folders ?? [home]).flatMap((folder) => ['--root', folder]), ...(options.arguments ?? []),
  ], {
    // Settings and recent files of whoever runs the tests stay out of it.
    env: { ...process.env, HOME: home, XDG_CONFIG_HOME: path.join(home, 'config'), XDG_STATE_HOME: path.join(home, 'state'), APPDATA: home, LOCALAPPDATA: home },
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  let printed = ''
  child.stdout.on('data', (chunk: Buffer) => (printed += chunk.toString()))
  child.stderr.on('data', (chunk: Buffer) => (printed += chunk.toString()))
  const ended = new Promise<void>((resolve) => child.once('exit', () => resolve()))

  async function stop(): Promise<void> {
    if (child.exitCode === null && child.signalCode === null) child.kill('SIGTERM')
    const late = setTimeout(() => child.kill('SIGKILL'), 10_000)
    await ended
    clearTimeout(late)
    await rm(home, { recursive: true, force: true, maxRetries: 5 })
  }

  const until = Date.now() + patience
  for (;;) {
    const url = /http:\/\/127\.0\.0\.1:\d+\/\S*/.exec(printed)?.[0]
    if (url !== undefined) return { url, studies, process: child, output: () => printed, stop }
    if (child.exitCode !== null || Date.now() > until) {
      await stop()
      throw new Error(`The web shell did not start:\n${printed}`)
    }
    await new Promise((resolve) => setTimeout(resolve, 50))
  }
}

/** In the settings, where Linux and others that follow it keep them. */
async function choose(executor: string, home: string): Promise<void> {
  const folder = path.join(home, 'config', 'maskscope')
  await mkdir(folder, { recursive: true })
  await writeFile(path.join(folder, 'settings.json'), JSON.stringify({ settings: { executor } }))
}

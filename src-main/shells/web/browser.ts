import { spawn } from 'node:child_process'

/** The command that opens a page in the default browser; null where there is no display. */
export function browserCommand(url: string, platform: NodeJS.Platform = process.platform, environment: NodeJS.ProcessEnv = process.env): readonly [string, readonly string[]] | null {
  if (platform === 'darwin') return ['open', [url]]
  // Not `start`: that is a word of the shell, which would read the address as well.
  if (platform === 'win32') return ['rundll32', ['url.dll,FileProtocolHandler', url]]
  return environment['DISPLAY'] || environment['WAYLAND_DISPLAY'] ? ['xdg-open', [url]] : null
}

/** Opens the page where that can be; the address stands in the terminal anyway, so failing is no harm. */
export function openBrowser(url: string): void {
  const command = browserCommand(url)
  if (!command) return
  const child = spawn(command[0], command[1], { stdio: 'ignore', detached: true })
  child.on('error', () => undefined)
  child.unref()
}

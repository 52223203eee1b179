import { existsSync } from 'node:fs'
import path from 'node:path'

/** Names on the PATH, then the usual places of other systems. */
const names = ['chromium', 'chromium-browser', 'google-chrome', 'google-chrome-stable', 'chrome']
const places = [
  '/Applications/Google Chrome.app/Contents/MacOS/Google Chrome', '/Applications/Chromium.app/Contents/MacOS/Chromium',
  'C:/Program Files/Google/Chrome/Application/chrome.exe', 'C:/Program Files (x86)/Google/Chrome/Application/chrome.exe',
]

/** Chromium or Chrome on this machine, or undefined. MASKSCOPE_BROWSER names another. */
export function findBrowser(): string | undefined {
  const named = process.env['MASKSCOPE_BROWSER']
  if (named !== undefined && named !== '') return named
  const folders = (process.env['PATH'] ?? '').split(path.delimiter)
  return [...names.flatMap((name) => folders.map((folder) => path.join(folder, name))), ...places].find((file) => existsSync(file))
}

import { existsSync } from 'node:fs'
import path from 'node:path'
import { expect, test } from 'vitest'

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

const browser = findBrowser()

/** Without a browser a skip is a failure: CI sets this. */
const required = process.env['MASKSCOPE_BROWSER_REQUIRED'] === '1'

/** A test in a real browser: its name says so, and without one it is skipped and counted by the reporter. */
export function browserTest(name: string, fn: () => Promise<void>, timeout?: number): void {
  const title = `[browser] ${name}`
  if (browser === undefined && required) {
    test(title, () => expect.fail('There is no Chromium or Chrome on this machine; install it with "apt-get install chromium".'))
    return
  }
  test.skipIf(browser === undefined)(title, fn, timeout)
}

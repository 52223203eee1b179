import { expect, test } from 'vitest'
import { hasData } from './data.ts'
import { findBrowser } from './find-browser.ts'

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

/** A test in a real browser on real data: its name begins with what it lacks, or else with the browser. */
export function browserDataTest(name: string, fn: () => Promise<void>, timeout?: number): void {
  if (hasData) browserTest(`[data] ${name}`, fn, timeout)
  else test.skip(`[data] [browser] ${name}`, fn, timeout)
}

import { chromium, type Browser, type BrowserContext, type Page } from 'playwright-core'
import { findBrowser } from '../find-browser.ts'

/** A window on the web shell, with everything the page complains about. */
export interface Window {
  page: Page
  context: BrowserContext
  /** Errors of the console, exceptions and violations of the content security policy. */
  complaints: string[]
  close(): Promise<void>
}

export interface WindowOptions {
  theme?: 'light' | 'dark'
  width?: number
  height?: number
}

const reportViolations = `document.addEventListener('securitypolicyviolation', (event) => {
  console.error('content security policy: ' + event.violatedDirective + ' ' + event.blockedURI)
})`

let browser: Promise<Browser> | undefined

function launch(): Promise<Browser> {
  const asRoot = process.getuid?.() === 0
  return (browser ??= chromium.launch({
    executablePath: findBrowser()!,
    args: ['--disable-gpu', '--disable-quic', '--no-first-run', '--disable-background-networking', '--disable-component-update', '--disable-sync',
      ...(asRoot ? ['--no-sandbox'] : [])],
  }))
}

/** Opens the page and waits until it can be used. */
export async function openWindow(url: string, { theme = 'light', width = 1280, height = 800 }: WindowOptions = {}): Promise<Window> {
  const context = await (await launch()).newContext({ viewport: { width, height }, colorScheme: theme, reducedMotion: 'reduce' })
  const page = await context.newPage()
  const complaints: string[] = []
  page.on('pageerror', (error) => complaints.push(`exception: ${error.message}`))
  page.on('console', (message) => {
    if (message.type() === 'error') complaints.push(`console: ${message.text()}`)
  })
  // As text: benchmarks use this file too, and are checked without the types of a page.
  await page.addInitScript({ content: reportViolations })
  await page.goto(url)
  await page.getByRole('navigation').first().waitFor()
  return { page, context, complaints, close: () => context.close() }
}

/** The browser itself stays for the next file of tests: to start it takes seconds. */
export async function closeWindows(): Promise<void> {
  await Promise.all((await browser)?.contexts().map((context) => context.close()) ?? [])
}

export async function closeBrowser(): Promise<void> {
  await (await browser)?.close()
  browser = undefined
}

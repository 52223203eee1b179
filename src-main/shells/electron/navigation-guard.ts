import { app, shell, type WebContents } from 'electron'
import type { Log } from './log.ts'
import { decide, type Departure } from './navigation-policy.ts'

/** Installed before the first window, for every page there will ever be. */
export function guardNavigation(log: Log): void {
  app.on('web-contents-created', (_event, contents) => guard(contents, log))
}

function guard(contents: WebContents, log: Log): void {
  function refuse(departure: Departure, event: { preventDefault(): void }, address: string): void {
    event.preventDefault()
    log.warn('navigation refused', { departure, address })
  }
  contents.on('will-navigate', (event) => refuse('will-navigate', event, event.url))
  contents.on('will-redirect', (event) => refuse('will-redirect', event, event.url))
  contents.on('will-frame-navigate', (event) => refuse('will-frame-navigate', event, event.url))
  contents.on('will-attach-webview', (event, _preferences, parameters) => refuse('will-attach-webview', event, parameters['src'] ?? ''))
  contents.setWindowOpenHandler(({ url }) => {
    const { open } = decide('window-open', url)
    if (open === null) log.warn('navigation refused', { departure: 'window-open', address: url })
    else void shell.openExternal(open).catch((error: unknown) => log.error('no browser opened', { address: open, error }))
    return { action: 'deny' }
  })
}

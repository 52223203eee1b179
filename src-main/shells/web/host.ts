import type { ShellHost } from '#main/shell-host.ts'
import { createShellEvents, type ShellEvents } from '../shell-events.ts'

/**
 * What a browser is to the program: no dialogs, the roots to choose files below, and notices.
 * @param told see `ShellHost`
 * @param sent see `ShellHost`
 */
export function createWebHost(roots: readonly string[], told: (text: string) => string = (text) => text, sent: () => string | undefined = () => undefined): { host: ShellHost; events: Pick<ShellEvents, 'emit'> } {
  const events = createShellEvents()
  return { host: { shell: 'web', dialogs: null, roots, told, sent, subscribe: (listener) => events.subscribe(listener) }, events }
}

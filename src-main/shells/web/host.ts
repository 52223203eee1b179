import type { ShellEvent } from '#shared/contract/system.ts'
import type { ShellHost } from '#main/shell-host.ts'

const mostKept = 20

/** What a browser is to the program: no dialogs, the roots to choose files below, and notices. */
export function createWebHost(roots: readonly string[]): { host: ShellHost; events: { emit(event: ShellEvent): void } } {
  const listeners = new Set<(event: ShellEvent) => void>()
  let kept: ShellEvent[] = []
  return {
    host: {
      shell: 'web',
      dialogs: null,
      roots,
      subscribe(listener) {
        listeners.add(listener)
        const waiting = kept
        kept = []
        for (const event of waiting) listener(event)
        return () => void listeners.delete(listener)
      },
    },
    events: {
      emit(event) {
        // What happens while no page is open is told to the next.
        if (listeners.size === 0) kept = [...kept, event].slice(-mostKept)
        for (const listener of listeners) listener(event)
      },
    },
  }
}

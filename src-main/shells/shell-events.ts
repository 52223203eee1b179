import type { ShellEvent } from '#shared/contract/system.ts'

/** What the shell tells the window. What nobody hears yet is kept for the first who listens. */
export interface ShellEvents {
  emit(event: ShellEvent): void
  subscribe(listener: (event: ShellEvent) => void): () => void
}

const mostKept = 100

export function createShellEvents(): ShellEvents {
  const listeners = new Set<(event: ShellEvent) => void>()
  let kept: ShellEvent[] = []
  return {
    emit(event) {
      if (listeners.size === 0) kept = [...kept, event].slice(-mostKept)
      for (const listener of listeners) listener(event)
    },
    subscribe(listener) {
      listeners.add(listener)
      const waiting = kept
      kept = []
      for (const event of waiting) listener(event)
      return () => void listeners.delete(listener)
    },
  }
}

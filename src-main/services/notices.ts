export interface Notice {
  level: 'info' | 'error'
  message: string
}

/** What the person is told without having asked; kept until somebody listens. */
export interface Notices {
  tell(level: Notice['level'], message: string): void
  /** @returns what ends it */
  subscribe(listener: (notice: Notice) => void): () => void
}

const mostWaiting = 20

export function createNotices(): Notices {
  const listeners = new Set<(notice: Notice) => void>()
  let waiting: Notice[] = []
  return {
    tell(level, message) {
      const notice = { level, message }
      if (listeners.size === 0) waiting = [...waiting, notice].slice(-mostWaiting)
      else for (const listener of listeners) listener(notice)
    },
    subscribe(listener) {
      listeners.add(listener)
      const missed = waiting
      waiting = []
      missed.forEach(listener)
      return () => listeners.delete(listener)
    },
  }
}

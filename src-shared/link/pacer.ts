/** How events are paced of which only the latest counts. */
export interface PacerOptions {
  /** @returns false where the wire is busy; asked again after `interval` */
  ready(): boolean
  send(key: string, event: unknown): void
  /** Shortest time between two events of a key, in ms. */
  interval: number
  /** Events of a key that may be on their way and not yet seen. */
  inFlight: number
}

export interface Pacer {
  offer(key: string, event: unknown): void
  seen(key: string): void
  stop(): void
}

interface Lane {
  /** null: nothing waits. */
  waiting: { event: unknown } | null
  sentAt: number
  flying: number
}

/**
 * Holds back, per key, what comes faster than it may be sent; a newer event replaces the one that waits. Within a key
 * events leave in the order in which they came, and the last one always leaves in the end.
 */
export function createPacer({ ready, send, interval, inFlight }: PacerOptions): Pacer {
  const lanes = new Map<string, Lane>()
  let timer: ReturnType<typeof setTimeout> | undefined

  function pass(): void {
    timer = undefined
    const now = performance.now()
    let next = Infinity
    for (const [key, lane] of lanes) {
      const due = lane.sentAt + interval
      if (lane.waiting && lane.flying < inFlight) {
        if (now >= due && ready()) {
          const { event } = lane.waiting
          lane.waiting = null
          lane.sentAt = now
          lane.flying++
          send(key, event)
        } else {
          next = Math.min(next, now >= due ? now + interval : due)
        }
      } else if (!lane.waiting && lane.flying === 0 && now >= due) {
        lanes.delete(key)
      }
    }
    if (next < Infinity) timer ??= setTimeout(pass, Math.max(1, next - now))
  }

  return {
    offer(key, event) {
      const lane = lanes.get(key) ?? { waiting: null, sentAt: -Infinity, flying: 0 }
      lane.waiting = { event }
      lanes.set(key, lane)
      // Where the timer runs, something waits already and is asked for in time.
      if (timer === undefined || now() >= lane.sentAt + interval) wake()
    },
    seen(key) {
      const lane = lanes.get(key)
      if (!lane || lane.flying === 0) return
      lane.flying--
      wake()
    },
    stop() {
      clearTimeout(timer)
      timer = undefined
      lanes.clear()
    },
  }

  function now(): number {
    return performance.now()
  }

  function wake(): void {
    clearTimeout(timer)
    pass()
  }
}

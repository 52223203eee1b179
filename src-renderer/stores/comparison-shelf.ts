import { shallowReactive } from 'vue'

/** Things that are fetched when they are looked at, the last used kept up to a size. Reading one in an effect follows it. */
export interface Shelf<T> {
  /** Fetches it where it is not there; undefined until then. */
  get(key: string): T | undefined
  /** Without fetching. */
  peek(key: string): T | undefined
  error(key: string): string | undefined
  put(key: string, value: T): void
  forget(key: string): void
  clear(): void
  /** What is kept now. */
  bytes(): number
}

/** Of those that wait the latest are fetched first: they are in sight. Older ones past this number are dropped and asked for again. */
const mostWaiting = 300

export function createShelf<T>(options: { most: number; bytesOf(value: T): number; fetch(key: string): Promise<T>; atOnce: number; release?(value: T): void }): Shelf<T> {
  const { most, bytesOf, fetch, atOnce, release } = options
  const kept = shallowReactive(new Map<string, T>())
  const errors = shallowReactive(new Map<string, string>())
  /** In the order of their last use. */
  const used = new Map<string, number>()
  const busy = new Set<string>()
  let waiting: string[] = []
  let total = 0
  let round = 0

  function touch(key: string, bytes = used.get(key) ?? 0): void {
    used.delete(key)
    used.set(key, bytes)
  }

  function drop(key: string): void {
    const value = kept.get(key)
    if (value === undefined) return
    total -= used.get(key) ?? 0
    used.delete(key)
    kept.delete(key)
    release?.(value)
  }

  function put(key: string, value: T): void {
    drop(key)
    const bytes = bytesOf(value)
    total += bytes
    kept.set(key, value)
    touch(key, bytes)
    errors.delete(key)
    for (const oldest of [...used.keys()]) {
      if (total <= most || used.size <= 1) break
      drop(oldest)
    }
  }

  function pump(): void {
    while (busy.size < atOnce && waiting.length > 0) {
      const key = waiting.pop()!
      const mine = round
      busy.add(key)
      fetch(key).then((value) => {
        if (mine === round) put(key, value)
        else release?.(value)
      }, (error: unknown) => {
        if (mine === round) errors.set(key, error instanceof Error ? error.message : String(error))
      }).finally(() => {
        busy.delete(key)
        pump()
      })
    }
  }

  return {
    get(key) {
      const value = kept.get(key)
      if (value !== undefined) touch(key)
      else if (!busy.has(key) && !errors.has(key)) {
        waiting = [...waiting.filter((other) => other !== key), key].slice(-mostWaiting)
        // Not within the effect that asks.
        queueMicrotask(pump)
      }
      return value
    },
    peek: (key) => kept.get(key),
    error: (key) => errors.get(key),
    put,
    forget(key) {
      drop(key)
      errors.delete(key)
    },
    clear() {
      round++
      waiting = []
      errors.clear()
      for (const key of [...kept.keys()]) drop(key)
    },
    bytes: () => total,
  }
}

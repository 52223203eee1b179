/** Keeps what was used last, up to a number and to a size; what is dropped is made again when it is asked for. */
export interface Lru<T> {
  /** Made once, also where several ask at the same time; a failure is not kept. */
  get(key: string, make: () => Promise<T>): Promise<T>
  put(key: string, value: T): void
  delete(key: string): void
}

export function createLru<T>(limits: { count: number; bytes: number }, bytesOf: (value: T) => number): Lru<T> {
  const kept = new Map<string, { value: T; bytes: number }>()
  const making = new Map<string, Promise<T>>()
  let total = 0

  function drop(key: string): void {
    total -= kept.get(key)?.bytes ?? 0
    kept.delete(key)
  }

  function put(key: string, value: T): void {
    drop(key)
    const bytes = bytesOf(value)
    kept.set(key, { value, bytes })
    total += bytes
    for (const oldest of kept.keys()) {
      // The last one stays, however large it is: somebody works with it.
      if (kept.size <= 1 || (kept.size <= limits.count && total <= limits.bytes)) break
      drop(oldest)
    }
  }

  return {
    put,
    delete: drop,
    async get(key, make) {
      const known = kept.get(key)
      if (known) {
        kept.delete(key)
        kept.set(key, known)
        return known.value
      }
      const underWay = making.get(key)
      if (underWay) return underWay
      const made = make().then((value) => {
        put(key, value)
        return value
      }).finally(() => making.delete(key))
      making.set(key, made)
      return made
    },
  }
}

export interface TimeLeft {
  /** Work of a kind begins. @returns to be called at its end */
  begin(kind: string): () => void
  /** Seconds until all of these are done, side by side as they were so far; null before anything has ended. */
  left(kinds: readonly string[]): number | null
}

/** Guesses how long the rest takes: each kind of work as long as it took so far, those not seen yet as long as the mean. */
export function createTimeLeft(now: () => number = () => performance.now()): TimeLeft {
  const started = now()
  const seen = new Map<string, { count: number; seconds: number }>()
  return {
    begin(kind) {
      const since = now()
      return () => {
        const { count, seconds } = seen.get(kind) ?? { count: 0, seconds: 0 }
        seen.set(kind, { count: count + 1, seconds: seconds + (now() - since) / 1000 })
      }
    },
    left(kinds) {
      const all = [...seen.values()].reduce((sum, { count, seconds }) => ({ count: sum.count + count, seconds: sum.seconds + seconds }), { count: 0, seconds: 0 })
      if (all.count === 0 || all.seconds === 0) return null
      const ahead = kinds.reduce((sum, kind) => {
        const known = seen.get(kind)
        return sum + (known ? known.seconds / known.count : all.seconds / all.count)
      }, 0)
      return (ahead / all.seconds) * ((now() - started) / 1000)
    },
  }
}

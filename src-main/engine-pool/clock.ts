/** Runs from the start; pauses do not count. */
export interface Clock {
  start(): void
  stop(): void
  seconds(): number
}

export function createClock(): Clock {
  let counted = 0
  let since: number | undefined = performance.now()
  const sum = (): number => counted + (since === undefined ? 0 : performance.now() - since)
  return {
    start: () => void (since ??= performance.now()),
    stop() {
      counted = sum()
      since = undefined
    },
    seconds: () => sum() / 1000,
  }
}

export interface Leaving {
  /** Runs queued, running or paused. */
  busy(): number
  end(): Promise<void>
}

/** Ctrl+C ends the program in order and says what that stops; a second one ends it at once. */
export function endInOrder({ busy, end }: Leaving, out: (text: string) => void = (text) => void process.stderr.write(text)): void {
  let ending = false
  const leave = (): void => {
    if (ending) process.exit(130)
    ending = true
    const runs = busy()
    out(runs === 0 ? '\nMaskscope ends.\n' : `\nMaskscope ends and stops ${runs === 1 ? 'a run that is' : `${runs} runs that are`} not finished. Press Ctrl+C again to end at once.\n`)
    end().then(() => process.exit(0), (error: unknown) => {
      out(`${error instanceof Error ? error.message : String(error)}\n`)
      process.exit(1)
    })
  }
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(signal, leave)
}

/** The listening side of a wire: keeps what comes before there is a listener, and tells of the end once. */
export interface Mailbox {
  /** Not heard after the end. */
  deliver(message: unknown): void
  end(reason: string): void
  readonly ended: boolean
  onMessage(listener: (message: unknown) => void): void
  onClose(listener: (reason: string) => void): void
}

export function createMailbox(): Mailbox {
  let listener: ((message: unknown) => void) | undefined
  let kept: unknown[] = []
  let reason: string | undefined
  const endings: ((reason: string) => void)[] = []
  return {
    get ended() {
      return reason !== undefined
    },
    deliver(message) {
      if (reason !== undefined) return
      if (listener) listener(message)
      else kept.push(message)
    },
    end(why) {
      if (reason !== undefined) return
      reason = why
      for (const ending of endings) ending(why)
    },
    onMessage(given) {
      listener = given
      const waiting = kept
      kept = []
      for (const message of waiting) given(message)
    },
    onClose(ending) {
      if (reason === undefined) endings.push(ending)
      else ending(reason)
    },
  }
}

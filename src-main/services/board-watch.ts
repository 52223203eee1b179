import type { OpenedStudy, StudyKeeper } from './study-keeper.ts'

type CurrentStudy = Awaited<ReturnType<StudyKeeper['current']>>

/** What changes in a table of the study that is shown. */
export interface BoardWatch<Event> {
  /** Follows the table of an open study. @returns what ends it */
  follow(opened: OpenedStudy, listener: (event: Event) => void): () => void
  /** How everything stands, also of a study that is not on the disk yet. */
  snapshot(current: CurrentStudy): Promise<Event>
  tell(event: Event): void
  /** Whether what happened while the snapshot was made is told after it; default all of it. */
  keeps?(event: Event): boolean
}

/**
 * Tells a window of the study that is shown: first how everything stands, then what happens; anew when another study is shown.
 * @param signal ends it
 * @returns when it has ended
 */
export async function watchBoard<Event>(keeper: Pick<StudyKeeper, 'current' | 'subscribe'>, { follow, snapshot, tell, keeps = () => true }: BoardWatch<Event>, signal: AbortSignal): Promise<void> {
  let endBoard = (): void => undefined
  let round = 0

  async function begin(): Promise<void> {
    const mine = ++round
    endBoard()
    endBoard = () => undefined
    const current = await keeper.current()
    if (mine !== round || signal.aborted) return
    // What happens while the snapshot is made comes after it.
    let waiting: Event[] | null = []
    if (current.opened) {
      endBoard = follow(current.opened, (event) => {
        if (waiting) waiting.push(event)
        else tell(event)
      })
    }
    const whole = await snapshot(current)
    if (mine !== round || signal.aborted) return
    tell(whole)
    const missed = waiting
    waiting = null
    missed.filter(keeps).forEach(tell)
  }

  await new Promise<void>((resolve, reject) => {
    const endKeeper = keeper.subscribe(() => void begin().catch(fail))
    function end(): void {
      round++
      endKeeper()
      endBoard()
    }
    function fail(error: Error): void {
      end()
      reject(error)
    }
    signal.addEventListener('abort', () => {
      end()
      resolve()
    }, { once: true })
    begin().catch(fail)
  })
}

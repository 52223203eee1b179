import type { RunsEvent } from '#shared/contract/runs.ts'
import type { Emit } from '#shared/link/link.ts'
import type { RunBoard } from './run-board.ts'
import type { OpenedStudy, StudyKeeper } from './study-keeper.ts'

/**
 * Tells a window of all runs of the study that is shown: first how everything stands, then what happens; anew when
 * another study is shown.
 * @param boardOf the table of a study's runs
 * @param signal ends it
 * @returns when it has ended
 */
export async function watchRuns(
  keeper: StudyKeeper, boardOf: (opened: OpenedStudy) => RunBoard, emit: Emit<RunsEvent>, signal: AbortSignal,
): Promise<void> {
  let endBoard = (): void => undefined
  let round = 0

  async function begin(): Promise<void> {
    const mine = ++round
    endBoard()
    endBoard = () => undefined
    const { name, place, opened } = await keeper.current()
    if (mine !== round || signal.aborted) return
    if (!opened) return emit({ type: 'snapshot', study: { name, place }, rows: [] })
    // What happens while the snapshot is made comes after it.
    let waiting: RunsEvent[] | null = []
    const board = boardOf(opened)
    endBoard = board.subscribe((event) => {
      if (waiting) waiting.push(event)
      else if (event.type === 'frame') emit.latest(event.run, event)
      else if (event.type === 'strip') emit.latest(`${event.run} strip`, event)
      else emit(event)
    })
    const rows = await board.rows()
    if (mine !== round || signal.aborted) return
    emit({ type: 'snapshot', study: { name, place }, rows })
    const missed = waiting
    waiting = null
    for (const event of missed) if (event.type !== 'frame' && event.type !== 'strip') emit(event)
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

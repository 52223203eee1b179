import type { ReconstructionEvent } from '#shared/contract/reconstruction.ts'
import type { Emit } from '#shared/link/link.ts'
import type { OpenedStudy, StudyKeeper } from '../study-keeper.ts'
import type { ReconstructionBoard } from './window-board.ts'

/**
 * Tells a window of all reconstructions of the study that is shown: first how everything stands, then what happens; anew when another
 * study is shown.
 * @param boardOf the table of a study's reconstructions
 * @param signal ends it
 * @returns when it has ended
 */
export async function watchReconstructions(
  keeper: Pick<StudyKeeper, 'current' | 'subscribe'>, boardOf: (opened: OpenedStudy) => ReconstructionBoard, emit: Emit<ReconstructionEvent>, signal: AbortSignal,
): Promise<void> {
  let endBoard = (): void => undefined
  let round = 0

  async function begin(): Promise<void> {
    const mine = ++round
    endBoard()
    endBoard = () => undefined
    const { opened } = await keeper.current()
    if (mine !== round || signal.aborted) return
    if (!opened) return emit({ type: 'snapshot', rows: [] })
    // What happens while the snapshot is made comes after it.
    let waiting: ReconstructionEvent[] | null = []
    const board = boardOf(opened)
    endBoard = board.subscribe((event) => {
      if (waiting) waiting.push(event)
      else tell(event)
    })
    const rows = await board.rows()
    if (mine !== round || signal.aborted) return
    emit({ type: 'snapshot', rows })
    const missed = waiting
    waiting = null
    missed.forEach(tell)
  }

  function tell(event: ReconstructionEvent): void {
    if (event.type === 'progress') emit.latest(event.reconstruction, event)
    else emit(event)
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

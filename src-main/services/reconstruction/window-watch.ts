import type { ReconstructionEvent } from '#shared/contract/reconstruction.ts'
import type { Emit } from '#shared/link/link.ts'
import { watchBoard } from '../board-watch.ts'
import type { OpenedStudy, StudyKeeper } from '../study-keeper.ts'
import type { ReconstructionBoard } from './window-board.ts'

/** `watchBoard` of all reconstructions. @param boardOf the table of a study's reconstructions */
export function watchReconstructions(
  keeper: Pick<StudyKeeper, 'current' | 'subscribe'>, boardOf: (opened: OpenedStudy) => ReconstructionBoard, emit: Emit<ReconstructionEvent>, signal: AbortSignal,
): Promise<void> {
  return watchBoard<ReconstructionEvent>(keeper, {
    follow: (opened, listener) => boardOf(opened).subscribe(listener),
    snapshot: async ({ opened }) => ({ type: 'snapshot', rows: opened ? await boardOf(opened).rows() : [] }),
    tell: (event) => (event.type === 'progress' ? emit.latest(event.reconstruction, event) : emit(event)),
  }, signal)
}

import type { RunsEvent } from '#shared/contract/runs.ts'
import type { Emit } from '#shared/link/link.ts'
import { watchBoard } from './board-watch.ts'
import type { RunBoard } from './run-board.ts'
import type { OpenedStudy, StudyKeeper } from './study-keeper.ts'

/** `watchBoard` of all runs; of pictures a slow window gets the latest. @param boardOf the table of a study's runs */
export function watchRuns(keeper: StudyKeeper, boardOf: (opened: OpenedStudy) => RunBoard, emit: Emit<RunsEvent>, signal: AbortSignal): Promise<void> {
  return watchBoard<RunsEvent>(keeper, {
    follow: (opened, listener) => boardOf(opened).subscribe(listener),
    snapshot: async ({ name, place, opened }) => ({ type: 'snapshot', study: { name, place }, rows: opened ? await boardOf(opened).rows() : [] }),
    tell(event) {
      if (event.type === 'frame') emit.latest(event.run, event)
      else if (event.type === 'strip') emit.latest(`${event.run} strip`, event)
      else emit(event)
    },
    keeps: ({ type }) => type !== 'frame' && type !== 'strip',
  }, signal)
}

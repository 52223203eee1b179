import type { RunRow, RunsEvent } from '#shared/contract/runs.ts'
import { MaskscopeError } from '#shared/domain/errors.ts'
import { emptyCourse, liveCourse, liveDetail, recordDetail, storedCourse, storedDetail } from '#services/run-detail.ts'
import { noSuchRun } from '#services/run-board.ts'
import { makeOrder } from '#services/window-order.ts'
import { watchRuns } from '#services/run-watch.ts'
import { createRunSource } from '#services/run-source.ts'
import { commandOfOrder, commandOfRun } from '#services/copied-command.ts'
import { reopenRun } from '#services/reopen.ts'
import type { OpenedStudy } from '#services/study-keeper.ts'
import type { CallsOf, Parts, StreamsOf } from './parts.ts'

export function runCalls(parts: Parts): CallsOf<'runs'> {
  const { keeper, boardOf, models, images } = parts
  const source = createRunSource((opened, run) => boardOf(opened).record(run))

  /** The study that is shown, where it is on the disk. */
  async function study(run: string): Promise<OpenedStudy> {
    const { opened } = await keeper.current()
    if (!opened) throw noSuchRun(run)
    return opened
  }

  return {
    'runs.submit': async (order) => {
      const made = await makeOrder(order, models, images)
      const { runs } = await keeper.forWriting()
      return { run: runs.submit(made).id }
    },
    'runs.pause': async ({ run }) => {
      (await study(run)).runs.pause(run)
      return {}
    },
    'runs.resume': async ({ run }) => {
      (await study(run)).runs.resume(run)
      return {}
    },
    'runs.cancel': async ({ run }) => {
      (await study(run)).runs.cancel(run)
      return {}
    },
    'runs.cancelAll': async () => {
      await Promise.all(keeper.writing().map(({ runs }) => runs.cancelAll()))
      return {}
    },
    'runs.change': async ({ run, parameters }) => (await study(run)).runs.change(run, parameters),
    'runs.read': async ({ run }) => {
      const opened = await study(run)
      const board = boardOf(opened)
      const row = await board.row(run)
      const live = opened.runs.find(run) ?? board.remains(run)
      if (live) return liveDetail(row, live)
      if (row.state === 'finished') return storedDetail(row, await opened.study.readRun(run))
      return recordDetail(row, await board.record(run))
    },
    'runs.course': async ({ run }) => {
      const opened = await study(run)
      const board = boardOf(opened)
      const { state } = await board.row(run)
      const live = opened.runs.find(run) ?? board.remains(run)
      if (live) return liveCourse(live)
      return state === 'finished' ? storedCourse(await opened.study.readRun(run)) : emptyCourse()
    },
    'runs.picture': async ({ run }) => ({ png: await source.picture(await study(run), run) }),
    'runs.inputs': async ({ run }) => source.inputs(await study(run), run),
    'runs.maps': async ({ run }) => {
      const stored = await (await study(run)).study.readRun(run)
      const [own, ranking] = await Promise.all([stored.own(), stored.ranking()])
      return { own: owned(own), ranking: ranking && owned(ranking) }
    },
    'runs.part': async ({ run, part }) => {
      const found = (await (await (await study(run)).study.readRun(run)).parts()).find(({ name }) => name === part)
      if (!found) throw new MaskscopeError('usage', `Run ${run} has no part "${part}".`, { subject: 'part' })
      const { count, height, width, data } = found
      return { count, height, width, data: Float32Array.from(data) }
    },
    'runs.reopen': async ({ run }) => {
      const opened = await study(run)
      return reopenRun(await boardOf(opened).record(run), opened, models, images)
    },
    'runs.command': async ({ run }) => {
      const opened = await study(run)
      return { command: await commandOfRun(opened, await boardOf(opened).record(run)) }
    },
    'runs.commandFor': async (order) => ({ command: await commandOfOrder(await makeOrder(order, models, images)) }),
    'runs.delete': async ({ runs }) => {
      const { opened } = await keeper.current()
      if (opened) await boardOf(opened).delete(runs)
      return {}
    },
    'runs.restore': async ({ runs }) => {
      const { opened } = await keeper.current()
      if (opened) await boardOf(opened).restore(runs)
      return {}
    },
  }
}

export function runStreams({ keeper, boardOf, host }: Parts): StreamsOf<'runs'> {
  const told = host.told ?? ((text: string) => text)
  const tell = (row: RunRow): RunRow => (row.error ? { ...row, error: { ...row.error, message: told(row.error.message) } } : row)
  function plain(event: RunsEvent): RunsEvent {
    if (event.type === 'row') return { ...event, row: tell(event.row) }
    return event.type === 'snapshot' ? { ...event, rows: event.rows.map(tell) } : event
  }
  return {
    'runs.watch': (_, emit, { signal }) => {
      const emitTold = Object.assign((event: RunsEvent): void => emit(plain(event)), { latest: emit.latest })
      return watchRuns(keeper, boardOf, emitTold, signal)
    },
  }
}

function owned({ height, width, data }: { height: number; width: number; data: Float32Array }): { height: number; width: number; data: Float32Array<ArrayBuffer> } {
  return { height, width, data: Float32Array.from(data) }
}

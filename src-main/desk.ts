import path from 'node:path'
import type { WorkbenchContract } from '#shared/contract/contract.ts'
import type { Handlers } from '#shared/link/link.ts'
import { createHandles, type Handles } from '#services/handles.ts'
import { createBenchmarks } from '#services/benchmark/window.ts'
import { reachOf } from '#services/datasets/reach.ts'
import { createWindowReconstructions } from '#services/reconstruction/window.ts'
import { createNotices } from '#services/notices.ts'
import { createOpenImages } from '#services/open-images.ts'
import { createOpenModels } from '#services/open-models.ts'
import { createRunBoard, type RunBoard } from '#services/run-board.ts'
import { openSettings, type RecentKind } from '#services/settings.ts'
import { createStudyKeeper, type OpenedStudy } from '#services/study-keeper.ts'
import { comparisonCalls } from './router/comparisons.ts'
import { benchmarkCalls, benchmarkStreams } from './router/benchmark.ts'
import { figureCalls } from './router/figures.ts'
import { imageCalls } from './router/images.ts'
import { modelCalls } from './router/models.ts'
import type { Parts } from './router/parts.ts'
import { metricCalls } from './router/metrics.ts'
import { reconstructionCalls, reconstructionStreams } from './router/reconstruction.ts'
import { runCalls, runStreams } from './router/runs.ts'
import { studyCalls } from './router/studies.ts'
import { systemCalls, systemStreams } from './router/system.ts'
import { toldBy } from './router/told.ts'
import type { ShellHost } from './shell-host.ts'
import { createWorkbench, type WorkbenchOptions } from './workbench.ts'

export interface DeskOptions {
  /** How the workbench beneath is made. */
  workbench?: WorkbenchOptions
  /** Absolute; new studies are made there. */
  studiesFolder: string
  /** Absolute. */
  settingsFile: string
  host: ShellHost
  /** Errors in the page that nobody caught; standard error where undefined. */
  log?(message: string): void
}

/** The main side of a window: what every call and stream of the contract is answered from. */
export interface Desk {
  handlers: Handlers<WorkbenchContract>
  handles: Handles
  /** Runs queued, running or paused. */
  busy(): number
  /** Opens a study in place of the one shown. @throws MaskscopeError 'usage' or 'storage'; the shown one stays then */
  openStudy(place: string): Promise<void>
  /** Cancels what runs, closes the studies, ends the workers. */
  dispose(): Promise<void>
}

export async function createDesk(options: DeskOptions): Promise<Desk> {
  const { host, studiesFolder, settingsFile } = options
  const notices = createNotices()
  const settings = await openSettings(settingsFile, {
    ...(options.workbench?.files ? { files: options.workbench.files } : {}),
    onProblem: (message) => notices.tell('error', message),
  })
  if (settings.notice !== null) notices.tell('error', settings.notice)
  const workbench = createWorkbench({
    executor: () => settings.get().executor,
    memoryMegabytes: () => settings.get().memoryMegabytes,
    timingsFile: path.join(path.dirname(settingsFile), 'executor-timings.json'),
    ...(options.log ? { log: options.log } : {}),
    ...options.workbench,
  })
  const { pool } = workbench
  const handles = createHandles()

  function remember(kind: RecentKind, place: string): void {
    if (!path.isAbsolute(place)) return
    settings.remember(kind, place)
    if (kind !== 'benchmarks') host.opened?.(place)
  }

  // A page reads what its shell was started for, and what it has sent.
  const reach = host.shell === 'web' ? reachOf(() => [...host.roots, ...[host.sent?.()].filter((place) => place !== undefined)]) : null
  const images = createOpenImages({ handles, reach, onOpen: (file) => remember('images', file), onNotice: (message) => notices.tell('info', message) })
  const models = createOpenModels({
    pool, handles,
    // A folder's name says more than model.json.
    onOpen: (place) => remember('models', path.basename(place) === 'model.json' ? path.dirname(place) : place),
  })
  const keeper = createStudyKeeper({
    studiesFolder, last: settings.recent('studies')[0],
    openRuns: (folder, name) => workbench.openRuns(folder, name),
    onOpen: (folder) => remember('studies', folder),
    settled: (opened) => reconstructions.settled(opened),
    onNotice: (message) => notices.tell('error', message),
  })
  const boards = new WeakMap<OpenedStudy, RunBoard>()
  function boardOf(opened: OpenedStudy): RunBoard {
    const board = boards.get(opened) ?? createRunBoard({ opened, thumbnailOf: (item) => images.thumbnailOf(item) })
    boards.set(opened, board)
    return board
  }

  const benchmarks = createBenchmarks({
    // Beside the studies, as those of the command line lie in the folder where it runs.
    pool, handles, models, images, usualFolder: path.join(path.dirname(studiesFolder), 'maskscope-benchmarks'), reach,
    recent: () => settings.recent('benchmarks'), remember: (folder) => remember('benchmarks', folder),
  })

  const reconstructions = createWindowReconstructions({ pool, handles, models, keeper, reach })

  const log = options.log ?? ((message: string) => void process.stderr.write(`${message}\n`))
  const told = host.told ?? ((text: string) => text)
  const parts: Parts = { host, pool, handles, settings, notices, models, images, keeper, boardOf, log }
  return {
    handlers: {
      calls: toldBy({
        ...systemCalls(parts), ...modelCalls(parts), ...imageCalls(parts), ...runCalls(parts), ...metricCalls(parts), ...studyCalls(parts), ...figureCalls(parts),
        ...benchmarkCalls({ benchmarks, host }), ...comparisonCalls(parts), ...reconstructionCalls({ ...parts, reconstructions }),
      }, told),
      streams: { ...systemStreams(parts), ...runStreams(parts), ...benchmarkStreams({ benchmarks, host }), ...reconstructionStreams({ ...parts, reconstructions }) },
    },
    handles,
    busy: () => keeper.writing().reduce((sum, { runs }) => sum + runs.live().length, benchmarks.busy() + reconstructions.busy()),
    openStudy: async (place) => void (await keeper.open(place)),
    async dispose() {
      try {
        // What they write must be whole before their study is closed.
        await reconstructions.dispose()
        await Promise.all([keeper.dispose(), benchmarks.dispose()])
      } finally {
        await workbench.dispose()
        await settings.flush()
      }
    },
  }
}

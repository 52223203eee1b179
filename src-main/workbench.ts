import path from 'node:path'
import { createPool, type Pool } from '#pool/pool.ts'
import { createTimings } from '#pool/timings.ts'
import { forkLauncher, type Launch } from '#pool/wire.ts'
import type { BackendId } from '#shared/domain/backend.ts'
import type { ExecutorWish } from '#shared/domain/executor.ts'
import { createExecutorCache } from '#services/executor-cache.ts'
import { memoryBudget } from '#services/memory-budget.ts'
import { programFolder, programVersion } from '#services/program.ts'
import { createRuns, type Runs } from '#services/runs.ts'
import { openStudyForWriting, type StudyWriter } from '#services/study-writer.ts'
import type { Files } from '#storage/files.ts'

export interface WorkbenchOptions {
  /** The best there is where undefined. */
  backend?: BackendId
  /** At most so many runs at a time; one per core, or one on a GPU, where undefined. */
  jobs?: number
  /** What runs models, asked each time; the faster where undefined. */
  executor?: () => ExecutorWish
  /** MB that all workers together may take, asked each time; null or undefined: a quarter of the machine's memory. */
  memoryMegabytes?: () => number | null
  /** Where to keep how fast models run; nowhere where undefined. */
  timingsFile?: string
  /** What should be in the program's log; standard error where undefined. */
  log?(message: string): void
  /** Options of Node for the workers, e.g. a limit of memory. */
  workerArguments?: readonly string[]
  /** Starts an engine worker; a child process of Node where undefined. */
  launch?: Launch
  /** Writes the studies; a test gives one that fails. */
  files?: Files
}

/** A study that is being written, and the queue that fills it. */
export interface OpenRuns {
  study: StudyWriter
  runs: Runs
  /** Cancels what runs, waits for its end and closes the study. */
  close(): Promise<void>
}

/** The composition root: what every shell builds on. */
export interface Workbench {
  pool: Pool
  /** Opens a study to write, or makes it with this name. @throws MaskscopeError 'storage' where another process writes to it */
  openRuns(studyFolder: string, name?: string): Promise<OpenRuns>
  /** Cancels what runs, closes the studies and ends the workers. */
  dispose(): Promise<void>
}

export function createWorkbench(options: WorkbenchOptions = {}): Workbench {
  const log = options.log ?? ((message: string) => void process.stderr.write(`note: ${message}\n`))
  const { executor, memoryMegabytes, timingsFile } = options
  const timings = timingsFile === undefined ? createTimings() : createExecutorCache(timingsFile, { version: programVersion(), onProblem: log })
  const pool = createPool({
    timings,
    log,
    memory: () => memoryBudget(memoryMegabytes?.() ?? null),
    ...(executor === undefined ? {} : { executor }),
    launch: options.launch ?? forkLauncher(workerPath(), options.workerArguments),
    ...(options.backend === undefined ? {} : { backend: options.backend }),
    ...(options.jobs === undefined ? {} : { jobs: options.jobs }),
  })
  const opened = new Set<OpenRuns>()
  return {
    pool,
    async openRuns(studyFolder, name) {
      const study = await openStudyForWriting(studyFolder, { ...(options.files ? { files: options.files } : {}), ...(name === undefined ? {} : { name }) })
      const runs = createRuns({ pool, study, version: programVersion() })
      const open: OpenRuns = {
        study, runs,
        async close() {
          if (!opened.delete(open)) return
          await runs.cancelAll()
          await study.close()
        },
      }
      opened.add(open)
      return open
    },
    async dispose() {
      const ending = [...opened]
      opened.clear()
      await Promise.all(ending.map(({ runs }) => runs.cancelAll()))
      await pool.dispose()
      await timings.settled()
      const closings = await Promise.allSettled(ending.map(({ study }) => study.close()))
      const failed = closings.find((closing) => closing.status === 'rejected')
      if (failed) throw failed.reason
    },
  }
}

/** The built worker: it is the same file whether the program runs from out/ or from its sources. */
export function workerPath(): string {
  return path.join(programFolder(), 'out', 'main', 'worker.js')
}

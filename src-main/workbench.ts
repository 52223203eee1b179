import path from 'node:path'
import { createPool, type Pool } from '#pool/pool.ts'
import { forkLauncher } from '#pool/wire.ts'
import type { BackendId } from '#shared/domain/backend.ts'
import { programFolder, programVersion } from '#services/program.ts'
import { createRuns, type Runs } from '#services/runs.ts'
import { openStudyForWriting, type StudyWriter } from '#services/study-writer.ts'
import type { Files } from '#storage/files.ts'

export interface WorkbenchOptions {
  /** The best there is where undefined. */
  backend?: BackendId
  /** At most so many runs at a time; one per core, or one on a GPU, where undefined. */
  jobs?: number
  /** Options of Node for the workers, e.g. a limit of memory. */
  workerArguments?: readonly string[]
  /** Writes the studies; a test gives one that fails. */
  files?: Files
}

/** The composition root: what every shell builds on. */
export interface Workbench {
  pool: Pool
  /** Opens a study to write, or makes it, and the queue that fills it. */
  openRuns(studyFolder: string): Promise<{ study: StudyWriter; runs: Runs }>
  /** Cancels what runs, closes the studies and ends the workers. */
  dispose(): Promise<void>
}

export function createWorkbench(options: WorkbenchOptions = {}): Workbench {
  const pool = createPool({
    launch: forkLauncher(workerPath(), options.workerArguments),
    ...(options.backend === undefined ? {} : { backend: options.backend }),
    ...(options.jobs === undefined ? {} : { jobs: options.jobs }),
  })
  const opened: { study: StudyWriter; runs: Runs }[] = []
  return {
    pool,
    async openRuns(studyFolder) {
      const study = await openStudyForWriting(studyFolder, options.files ? { files: options.files } : {})
      const pair = { study, runs: createRuns({ pool, study, version: programVersion() }) }
      opened.push(pair)
      return pair
    },
    async dispose() {
      await Promise.all(opened.map(({ runs }) => runs.cancelAll()))
      await pool.dispose()
      const closings = await Promise.allSettled(opened.map(({ study }) => study.close()))
      const failed = closings.find((closing) => closing.status === 'rejected')
      if (failed) throw failed.reason
    },
  }
}

/** The built worker: it is the same file whether the program runs from out/ or from its sources. */
export function workerPath(): string {
  return path.join(programFolder(), 'out', 'main', 'worker.js')
}

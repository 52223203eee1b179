import type { BackendChoice } from '#shared/domain/backend.ts'
import { deletesMarked } from '#engine/methods/registry.ts'
import type { Workbench } from '#main/workbench.ts'
import { figureOfStoredRun } from '#services/figures.ts'
import { figureOf, summariseRun, type RunSummary } from '#services/run-summary.ts'
import type { RunOrder } from '#services/runs.ts'
import type { StoredRun } from '#services/studies.ts'
import type { StudyWriter } from '#services/study-writer.ts'
import { MaskscopeError } from '#shared/domain/errors.ts'
import { note, print } from './context.ts'
import { exitCodeOf, reportError } from './errors.ts'
import type { Interruption } from './interruption.ts'
import { duration, progressLine } from './progress.ts'

/** The document that `--json` prints. */
export interface RunsDocument {
  backend: { id: string; device: string }
  /** null where no run finished. */
  executor: string | null
  /** Absolute; the paths of the runs start there. */
  study: string
  runs: RunSummary[]
}

export interface Performed {
  /** The worst that happened: 0, 1, 2, or 130. */
  exitCode: number
  finished: StoredRun[]
  document: RunsDocument
  /** Open to write until the workbench is disposed of. */
  study: StudyWriter
}

/**
 * Makes the runs, stores them and their figures, and tells of each as it ends. An interrupt cancels what runs and waits;
 * what has finished is kept.
 * @throws MaskscopeError 'storage' where the study cannot be opened; nothing has been run then.
 */
export async function performRuns(
  workbench: Workbench, orders: readonly RunOrder[], folder: string, { interruption, json }: { interruption: Interruption; json: boolean },
): Promise<Performed> {
  const backend: BackendChoice = await interruption.race(workbench.pool.backend())
  const { study, runs } = await workbench.openRuns(folder)
  const line = progressLine(orders.length)
  runs.subscribe(line.event)
  interruption.signal.addEventListener('abort', () => void runs.cancelAll(), { once: true })

  const finished: StoredRun[] = []
  const codes: number[] = []
  /** One figure at a time: drawing is this process's own work. */
  let drawing: Promise<void> = Promise.resolve()
  const seen = new Set<string>()

  function fail(image: string, error: unknown): void {
    line.clear()
    // One bad image among many is a run that failed, whatever kind of error it met.
    codes.push(orders.length > 1 ? 1 : exitCodeOf(error))
    const prefixed = error instanceof MaskscopeError && orders.length > 1 && !error.message.includes(image)
      ? new MaskscopeError(error.code, `${image}: ${error.message}`, { cause: error }) : error
    reportError(prefixed)
  }

  function tell(run: StoredRun): void {
    line.clear()
    for (const text of run.manifest.notes) {
      const full = `${run.record.found.image}: ${text}`
      if (!seen.has(full)) note(full)
      seen.add(full)
    }
    if (!json) print(describe(run, study))
  }

  await Promise.all(orders.map(async (order) => {
    const ticket = runs.submit(order)
    if (interruption.signal.aborted) ticket.cancel()
    const outcome = await ticket.outcome
    if (outcome.state === 'failed') return fail(order.item.reference, outcome.error)
    if (outcome.state !== 'finished') return
    drawing = drawing.then(async () => {
      try {
        await study.storeFigure(outcome.id, await figureOfStoredRun(outcome.run, { format: 'png' }))
        finished.push(outcome.run)
        tell(outcome.run)
      } catch (error) {
        fail(order.item.reference, error)
      }
    })
    await drawing
  }))
  await drawing
  line.clear()

  finished.sort((a, b) => (a.id < b.id ? -1 : 1))
  if (interruption.signal.aborted) {
    process.stderr.write(`maskscope: interrupted; ${finished.length} of ${orders.length} runs finished and are kept in ${study.folder}\n`)
  }
  return {
    exitCode: interruption.signal.aborted ? 130 : Math.max(0, ...codes),
    finished, study,
    document: {
      backend: { id: backend.id, device: backend.device },
      executor: finished[0]?.manifest.executor ?? null,
      study: study.folder,
      runs: finished.map((run) => summariseRun(run, figureOf(run))),
    },
  }
}

/** One line for a person. */
function describe({ id, manifest, record }: StoredRun, study: StudyWriter): string {
  const { target, probability } = manifest
  const p = (value: number | null): string => (value === null ? 'no probability' : value.toFixed(3))
  // Not every map hides something.
  const masked = probability.masked === null && probability.original !== null ? '' : `, ${p(probability.masked)} ${deletesMarked(manifest.order.method, manifest.order.parameters) ? 'without what the mask marks' : 'under the mask'}`
  const label = target.label === null ? `class ${target.index}` : `${target.label} (${target.index})`
  return `${id}: ${label}, ${p(probability.original)} on the whole image${masked};`
    + ` ${manifest.iterations} iteration${manifest.iterations === 1 ? '' : 's'} in ${duration((record.seconds ?? 0) * 1000)}; ${study.folder}/runs/${id}/figure.png`
}

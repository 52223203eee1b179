import { Command } from 'commander'
import type { StoredRun } from '#services/studies.ts'
import { note, printJson, type Context } from './context.ts'
import { backendOption, engineOptions, executorOption, memoryOption, type EngineOptions } from './engine-options.ts'

interface RerunOptions extends EngineOptions {
  model?: string
  out?: string
  json: boolean
}

export function rerunCommand(context: Context): Command {
  return new Command('rerun')
    .description('Make a run again, as a new run, and compare the two byte by byte.')
    .argument('<study>', 'the study\'s folder or its .maskscope file')
    .argument('<run>', 'the run\'s id, or the number it begins with')
    .option('--model <path>', 'where the model lies now, if not where the run found it')
    .addOption(backendOption().default(undefined, 'the run\'s own'))
    .addOption(executorOption().default(undefined, 'the run\'s own'))
    .addOption(memoryOption())
    .option('--out <folder>', 'the study that the new run is added to; the same one where left out')
    .option('--json', 'print one JSON document and nothing else', false)
    .action(async (study: string, run: string, options: RerunOptions) => {
      context.exitCode = await rerun(study, run, options)
    })
}

async function rerun(place: string, name: string, options: RerunOptions): Promise<number> {
  const [{ openStudy }, { orderAgain }, { createWorkbench }, { performRuns }, { watchForInterrupt }] = await Promise.all([
    import('#services/studies.ts'), import('#services/rerun.ts'), import('#main/workbench.ts'), import('./perform.ts'), import('./interruption.ts'),
  ])
  const study = await openStudy(place)
  const run = await study.readRun(name)
  const order = await orderAgain(run, options.model, options.executor)
  const interruption = watchForInterrupt()
  // Another backend rounds differently, so the run's own is taken unless the person says otherwise.
  const workbench = createWorkbench({ ...engineOptions(options), backend: options.backend ?? run.manifest.backend, jobs: 1 })
  try {
    const performed = await performRuns(workbench, [order], options.out ?? study.folder, { interruption, json: options.json })
    await workbench.dispose()
    if (options.json) printJson(performed.document)
    const again = performed.finished[0]
    return again && performed.exitCode === 0 ? compare(run, again) : performed.exitCode
  } finally {
    await workbench.dispose()
    interruption.end()
  }
}

/** @returns 0, or 1 where the same versions on the same backend gave other bytes. */
function compare(run: StoredRun, again: StoredRun): number {
  const names = ['saliency', 'own', 'ranking', 'frames', 'losses'] as const
  const other = names.filter((name) => run.manifest.arrays[name]?.sha256 !== again.manifest.arrays[name]?.sha256)
  if (other.length === 0) {
    note(`Run ${again.id} is identical to ${run.id}, byte by byte.`)
    return 0
  }
  const conditions = ({ manifest: m }: StoredRun): string =>
    [m.backend, m.executor, `maskscope ${m.versions.maskscope}`, `tfjs ${m.versions.tfjs}`, ...(m.versions.onnxruntime === null ? [] : [`onnxruntime ${m.versions.onnxruntime}`])].join(', ')
  const before = conditions(run)
  const now = conditions(again)
  if (before !== now) {
    note(`Run ${again.id} differs from ${run.id} in ${other.join(', ')}; it was made by ${now}, that one by ${before}.`)
    return 0
  }
  process.stderr.write(`maskscope: run ${again.id} differs from ${run.id} in ${other.join(', ')} though both were made by ${now}; another processor can round differently.\n`)
  return 1
}

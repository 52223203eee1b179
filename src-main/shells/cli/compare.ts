import path from 'node:path'
import { Command } from 'commander'
import type { Family } from '#shared/domain/method.ts'
import { MaskscopeError } from '#shared/domain/errors.ts'
import type { Method } from '#engine/methods/method.ts'
import type { DataItem } from '#services/datasets.ts'
import type { RunOrder } from '#services/runs.ts'
import { note, print, printJson, type Context } from './context.ts'
import { backendOption, engineOptions, executorOption, memoryOption, modelOptions, statedModel, type EngineOptions, type StatedOptions } from './engine-options.ts'
import { assignment, wholeNumber } from './options.ts'

interface CompareOptions extends StatedOptions, EngineOptions {
  model: string
  methods: string
  target: string
  set: Record<string, string>
  metrics: string
  seed: number
  jobs?: number
  out: string
  json: boolean
}

export function compareCommand(context: Context): Command {
  const command = new Command('compare')
    .description('Explain images by several methods, measure the maps, and draw them side by side. The same command goes on where it was stopped.')
    .argument('<image...>', 'as of "maskscope explain"')
  return modelOptions(command)
    .requiredOption('--methods <ids>', 'with commas between them, see "maskscope methods"; or all that fit the model')
    .requiredOption('--out <folder>', 'the study that is written, with the figure, the numbers and the table beside it')
    .option('--target <class>', 'auto (the top class of each image), an index, a label, or label:TEXT', 'auto')
    .option('--set <name=value>', 'a parameter of all methods that have it, or of one: METHOD.name=value; repeatable', assignment, {})
    .option('--metrics <ids>', 'with commas between them, ID or ID@PRESET; none: no metric', 'deletion,insertion')
    .option('--seed <n>', 'of everything that is drawn at random', wholeNumber(0), 0)
    .addOption(backendOption())
    .addOption(executorOption())
    .addOption(memoryOption())
    .option('--jobs <n>', 'at most so many runs at a time', wholeNumber(1))
    .option('--json', 'print one JSON document and nothing else', false)
    .action(async (images: string[], options: CompareOptions) => {
      context.exitCode = await compare(images, options)
    })
}

async function compare(images: readonly string[], options: CompareOptions): Promise<number> {
  const [{ resolveData }, { loadModel, modelError }, { resolveTarget }, { findMethod, methods: allMethods }, { findMetric }, { parametersFor }] = await Promise.all([
    import('#services/datasets.ts'), import('#services/models.ts'), import('#services/targets.ts'), import('#engine/methods/registry.ts'), import('#engine/metrics/registry.ts'), import('#services/figures/compared.ts'),
  ])
  const asked = options.methods === 'all' ? null : [...new Set(names(options.methods))].map(findMethod)
  if (asked?.length === 0) throw new MaskscopeError('usage', 'Name at least one method, e.g. --methods neuromask,rise, or all.', { subject: '--methods' })
  const metrics = options.metrics === 'none' ? [] : names(options.metrics)
  for (const id of metrics) findMetric(id)
  parametersFor(asked ?? allMethods, options.set)
  const items: DataItem[] = []
  for (const spec of images) items.push(...(await resolveData(spec)))
  const first = await items[0]!.load()
  const stated = statedModel(options, path.resolve)
  const model = await loadModel(options.model, statedModel(options, (file) => file))

  const [{ createWorkbench }, { performRuns }, { watchForInterrupt }, compared] = await Promise.all([
    import('#main/workbench.ts'), import('./perform.ts'), import('./interruption.ts'), import('#services/figures/compared.ts'),
  ])
  const interruption = watchForInterrupt()
  const workbench = createWorkbench({ ...engineOptions(options), ...(options.jobs === undefined ? {} : { jobs: options.jobs }) })
  try {
    const info = await interruption.race(workbench.pool.info(model.source)).catch((error: unknown) => {
      throw modelError(error, model)
    })
    for (const text of [...model.notes, ...info.notes]) note(text)
    const target = resolveTarget(options.target, info.labels, info.classes)
    const { methods, leftOut } = compared.methodsThatFit(asked, allMethods, info, first.truth !== undefined)
    for (const reason of leftOut) note(`Left out: ${reason}`)
    const parameters = parametersFor(methods, options.set)
    const wanted = cheapFirst(methods).flatMap((method) => items.map((item, row) => ({
      row, column: methods.indexOf(method),
      order: { model: { source: model.source, place: model.bundled ?? model.file, stated }, item, method: method.id, parameters: parameters.get(method.id)!, seed: options.seed, target, executor: info.executor } satisfies RunOrder,
    })))
    const known = await compared.knownRuns(options.out, wanted)
    if (known.size > 0) note(`${known.size} of ${wanted.length} runs are in ${options.out} already and are kept.`)
    const open = wanted.filter((one) => !known.has(one))
    const performed = await performRuns(workbench, open.map(({ order }) => order), options.out, { interruption, json: options.json })
    const study = performed.study
    const runs = await compared.placedRuns(study, wanted)
    let exitCode = performed.exitCode
    if (!interruption.signal.aborted && metrics.length > 0) {
      exitCode = Math.max(exitCode, await compared.measureMissing(study, workbench.pool, runs, metrics, { signal: interruption.signal, told: (text) => process.stderr.write(`maskscope: ${text}\n`) }))
    }
    if (interruption.signal.aborted) process.stderr.write(`maskscope: interrupted; the same command goes on from here.\n`)
    // What is there is drawn, so that an interrupted comparison has its figure, too.
    const files = runs.length === 0 ? [] : await compared.writeComparison(study, options.out, runs, { rows: items.length, columns: methods.length, title: null })
    await workbench.dispose()
    if (options.json) printJson({ ...performed.document, kept: [...known.values()], figure: { files } })
    else for (const file of files) print(path.join(options.out, file))
    return interruption.signal.aborted ? 130 : exitCode
  } finally {
    await workbench.dispose()
    interruption.end()
  }
}

/** Families whose methods ask little come first, so that every image has its first maps early. */
function cheapFirst(methods: readonly Method[]): Method[] {
  const ranks: Record<Family, number> = { control: 0, gradient: 1, activation: 2, perturbation: 3, mask: 4, combination: 5 }
  return [...methods].sort((a, b) => ranks[a.family] - ranks[b.family])
}

function names(text: string): string[] {
  return text.split(',').map((name) => name.trim()).filter((name) => name !== '')
}

import path from 'node:path'
import { Command } from 'commander'
import { executorNames } from '#shared/domain/executor.ts'
import type { DataItem } from '#services/datasets.ts'
import type { GivenChange } from '#services/run-changes.ts'
import { MaskscopeError } from '#shared/domain/errors.ts'
import { whyNot } from '#shared/domain/method.ts'
import { note, printJson, type Context } from './context.ts'
import { backendOption, engineOptions, executorOption, memoryOption, modelOptions, statedModel, type EngineOptions, type StatedOptions } from './engine-options.ts'
import { assignment, change, wholeNumber } from './options.ts'

interface ExplainOptions extends StatedOptions, EngineOptions {
  model: string
  target: string
  method: string
  set: Record<string, string>
  change: GivenChange[]
  seed: number
  jobs?: number
  out?: string
  json: boolean
}

export function explainCommand(context: Context): Command {
  const command = new Command('explain')
    .description('Explain what a classifier sees in images.')
    .argument('<image...>', 'a file, a folder, scene:SEED, scenes:COUNT@SEED, a data set (see "maskscope datasets --help"), any of them with #i')
  return modelOptions(command)
    .option('--target <class>', 'auto (the top class), an index, a label, or label:TEXT', 'auto')
    .option('--method <id>', 'see "maskscope methods"', 'neuromask')
    .option('--set <name=value>', 'a parameter of the method, repeatable; preset=ID chooses a preset', assignment, {})
    .option('--change <at:name=value>', 'a parameter that holds from an iteration on, e.g. 120:sparsity-weight=0.1; repeatable', change, [])
    .option('--seed <n>', 'of everything that is drawn at random', wholeNumber(0), 0)
    .addOption(backendOption())
    .addOption(executorOption())
    .addOption(memoryOption())
    .option('--jobs <n>', 'at most so many runs at a time', wholeNumber(1))
    .option('--out <folder>', 'the study that the runs are added to; a new one in ./maskscope-studies where left out')
    .option('--json', 'print one JSON document and nothing else', false)
    .action(async (images: string[], options: ExplainOptions) => {
      context.exitCode = await explain(images, options)
    })
}

async function explain(images: readonly string[], options: ExplainOptions): Promise<number> {
  const [{ resolveData }, { loadModel, modelError }, { resolveTarget }, { findMethod }, { resolveParameters }, { resolveChanges }] = await Promise.all([
    import('#services/datasets.ts'), import('#services/models.ts'), import('#services/targets.ts'),
    import('#engine/methods/registry.ts'), import('#shared/domain/parameters.ts'), import('#services/run-changes.ts'),
  ])
  const method = findMethod(options.method)
  const changes = resolveChanges(method, resolveParameters(method, options.set), options.change)
  const items: DataItem[] = []
  for (const spec of images) items.push(...(await resolveData(spec)))
  await checkItems(items, images)
  const stated = statedModel(options, path.resolve)
  // Messages name the files as they were given.
  const model = await loadModel(options.model, statedModel(options, (file) => file))

  const [{ createWorkbench }, { performRuns }, { watchForInterrupt }] = await Promise.all([
    import('#main/workbench.ts'), import('./perform.ts'), import('./interruption.ts'),
  ])
  const interruption = watchForInterrupt()
  const workbench = createWorkbench({ ...engineOptions(options), ...(options.jobs === undefined ? {} : { jobs: options.jobs }) })
  try {
    const info = await interruption.race(workbench.pool.info(model.source)).catch((error: unknown) => {
      throw modelError(error, model)
    })
    for (const text of [...model.notes, ...info.notes]) note(text)
    note(`${executorNames[info.executor.id]} runs the model. ${info.executor.reason}`)
    const reason = whyNot(method, info, !method.needs?.includes('object') || (await items[0]!.load()).truth !== undefined)
    if (reason !== null) throw new MaskscopeError('unavailable', `${reason} Choose another model or method.`, { subject: '--method' })
    const target = resolveTarget(options.target, info.labels, info.classes)
    const orders = items.map((item) => ({
      model: { source: model.source, place: model.bundled ?? model.file, stated }, item,
      method: method.id, parameters: options.set, seed: options.seed, target, changes, executor: info.executor,
    }))
    const folder = options.out ?? (await freshStudyFolder(items[0]!))
    const performed = await performRuns(workbench, orders, folder, { interruption, json: options.json })
    await workbench.dispose()
    if (options.json) printJson(performed.document)
    return performed.exitCode
  } finally {
    await workbench.dispose()
    interruption.end()
  }
}

/**
 * Before anything is computed or written: the first image must open, and every file that was named must be there and be
 * an image. A broken file further on, or in a folder, costs its own run only.
 */
async function checkItems(items: readonly DataItem[], specs: readonly string[]): Promise<void> {
  const { probeImage } = await import('#services/images.ts')
  for (const item of items) if (item.kind === 'file' && item.member === undefined && specs.includes(item.reference)) await probeImage(item.reference)
  await items[0]!.load()
}

/** A name that is not taken: ./maskscope-studies/2026-11-21-zebra, …-zebra-2, … */
async function freshStudyFolder(first: DataItem): Promise<string> {
  const [{ existsSync }, { slug }, { shortName }] = await Promise.all([
    import('node:fs'), import('#storage/layout.ts'), import('#services/run-result.ts'),
  ])
  const now = new Date()
  const two = (n: number): string => String(n).padStart(2, '0')
  const day = `${now.getFullYear()}-${two(now.getMonth() + 1)}-${two(now.getDate())}`
  const stem = path.join('maskscope-studies', `${day}-${slug(shortName(first))}`)
  for (let n = 1; ; n++) {
    const folder = n === 1 ? stem : `${stem}-${n}`
    if (!existsSync(folder)) return folder
  }
}

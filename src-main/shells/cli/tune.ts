import { Command } from 'commander'
import { MaskscopeError } from '#shared/domain/errors.ts'
import { excludedText, performAsked, requireModelAndData, workOptions, type WorkOptions } from './benchmark.ts'
import { note, print, printJson, type Context } from './context.ts'
import { statedModel } from './engine-options.ts'
import { wholeNumber } from './options.ts'

interface TuneOptions extends WorkOptions {
  configurations: number
  write: string
}

export function tuneCommand(context: Context): Command {
  const command = new Command('tune')
    .description('Choose parameters: every method gets the same number of configurations from its own ranges, and the best by average precision on the first 100 images (or --limit) is kept.')
    .option('--configurations <n>', 'of each method, its own defaults among them', wholeNumber(1), 20)
    .option('--write <file>', 'the configs file', 'configs.json')
  return workOptions(command).action(async (options: TuneOptions) => {
    context.exitCode = await tune({ ...options, limit: options.limit ?? 100 })
  })
}

async function tune(options: TuneOptions): Promise<number> {
  requireModelAndData(options)
  const [{ loadModel }, { findMethod, methods }, { configurationsToTry, chooseBest, tunedMetric }] = await Promise.all([
    import('#services/models.ts'), import('#engine/methods/registry.ts'), import('#services/benchmark/tune.ts'),
  ])
  const { configurations: count, seed, data, limit, write, json } = options
  const model = await loadModel(options.model, statedModel(options, (file) => file))
  await requireObjects(data)
  const ids = options.methods === 'all' ? await fitting(options, methods.map(({ id }) => id)) : options.methods.map((id) => findMethod(id).id)
  const configurations = configurationsToTry(ids, count, seed)
  const asked = { model, judge: null, data, methods: Object.keys(configurations), metrics: [tunedMetric], configurations, limit: limit ?? null, shard: null, seed, keepMaps: false, draws: 1 }
  return performAsked(asked, options, { json }, async (folder) => {
    const [{ createFiles }, { finishBenchmark }, { readManifest }] = await Promise.all([
      import('#storage/files.ts'), import('#services/benchmark/finish.ts'), import('#services/benchmark/manifest.ts'),
    ])
    // Means decide; nothing is tested here.
    const { summary } = await finishBenchmark((await readManifest(folder))!, folder, { resamples: 1, plots: false })
    for (const { entry, message, images } of summary.errors) note(`${entry} failed on ${images} images: ${message}`)
    if (summary.images === 0) throw new MaskscopeError('input', `None of the images of ${data} can be tuned on: ${excludedText(summary.excluded)}. Nothing was written.`, { subject: '--data' })
    const tuned = chooseBest(ids, configurations, [summary], { configurations: count, seed })
    await createFiles().write(write, `${JSON.stringify(tuned, undefined, 2)}\n`)
    if (json) return printJson(tuned)
    for (const [id, { default: before, best, tried }] of Object.entries(tuned.scores)) print(`${id.padEnd(24)}${shown(before)} by default, ${shown(best)} the best of ${tried}`)
    print(`Written to ${write}; use it with maskscope benchmark --configs ${write}`)
  })
}

/** @throws MaskscopeError 'unavailable' for data without objects, or whose objects are cells of mosaics */
async function requireObjects(data: string): Promise<void> {
  const { resolveData } = await import('#services/datasets.ts')
  const { objects, truth } = await (await resolveData(data))[0]!.load()
  if (objects && truth?.kind !== 'cell') return
  throw new MaskscopeError('unavailable', `Tuning goes by average precision, which needs the true object; ${data} does not have it.`, { subject: '--data' })
}

/** Methods that fit the model, and can be compared with others at all. */
async function fitting({ model, ...options }: TuneOptions, ids: readonly string[]): Promise<string[]> {
  const [{ createWorkbench }, { loadModel }, { findMethod }, { whyNot }, { resolveParameters }] = await Promise.all([
    import('#main/workbench.ts'), import('#services/models.ts'), import('#engine/methods/registry.ts'), import('#shared/domain/method.ts'),
    import('#shared/domain/parameters.ts'),
  ])
  const workbench = createWorkbench({ jobs: 1, ...(options.backend === undefined ? {} : { backend: options.backend }) })
  try {
    const info = await workbench.pool.info((await loadModel(model, statedModel(options, (file) => file))).source, options.executor ? { executor: options.executor } : {})
    return ids.filter((id) => {
      const method = findMethod(id)
      return whyNot(method, info, true) === null && (method.whyNotWith?.(resolveParameters(method, {}), info, true) ?? null) === null
    })
  } finally {
    await workbench.dispose()
  }
}

function shown(value: number | null): string {
  return value === null ? '–' : value.toFixed(3)
}

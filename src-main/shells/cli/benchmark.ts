import path from 'node:path'
import { Command, InvalidArgumentError } from 'commander'
import type { LoadedModel } from '#services/models.ts'
import type { BenchmarkManifest } from '#services/benchmark/manifest.ts'
import type { AskedBenchmark } from '#services/benchmark/order.ts'
import { MaskscopeError } from '#shared/domain/errors.ts'
import { workLine } from './benchmark-progress.ts'
import { note, print, printJson, type Context } from './context.ts'
import {
  backendOption, engineOptions, executorOption, loadJudge, memoryOption, stateJudgeOptions, statedJudge, stateOptions, statedModel, type EngineOptions, type JudgeOptions, type StatedOptions,
} from './engine-options.ts'
import { wholeNumber } from './options.ts'

export interface WorkOptions extends StatedOptions, EngineOptions {
  model: string
  data: string
  methods: readonly string[] | 'all'
  limit?: number
  seed: number
  jobs?: number
  out?: string
  json: boolean
}

interface BenchmarkOptions extends WorkOptions, JudgeOptions {
  judge?: string
  metrics: readonly string[] | 'all' | 'cheap'
  configs?: string
  shard?: { index: number; count: number }
  against?: string
  keepMaps: boolean
  seeds?: number
}

export function benchmarkCommand(context: Context): Command {
  const command = new Command('benchmark')
    .description('Compare methods by metrics on a data set. It can be stopped at any moment; the same command goes on.')
    .option('--judge <path>', 'another classifier, which the methods never ask; as --model')
    .option('--metrics <ids>', 'with commas between them, ID or ID@PRESET, see "maskscope metrics"; all that are possible here, or cheap: those that do not run methods again', (text) => (text === 'cheap' ? text : allOrList(text)), 'all')
    .option('--configs <file>', 'parameters of methods, as "maskscope tune" writes them; ID@NAME in it are further columns')
    .option('--seeds <n>', 'seeds per image of methods that draw at random; three where left out', wholeNumber(1))
    .option('--shard <i/n>', 'only the i-th of n parts, to be merged by "maskscope benchmark merge"', shard)
    .option('--against <method>', 'what the others are tested against; the first where left out')
    .option('--keep-maps', 'keep every map as .npy', false)
  stateJudgeOptions(workOptions(command)).action(async (options: BenchmarkOptions) => {
    context.exitCode = await benchmark(options)
  })
  command.command('merge')
    .description('Put the shards of a benchmark together and write its tables.')
    .argument('<folder...>', 'those that the shards were written to')
    .option('--out <folder>', 'where the whole benchmark goes')
    .option('--against <method>', 'what the others are tested against; the first where left out')
    .option('--json', 'print one JSON document and nothing else', false)
    .helpOption('--help', 'print this help').exitOverride().showHelpAfterError('(see --help)')
    .action(async (folders: string[], _own: unknown, merge: Command) => {
      // The command above has options of the same names, and takes them.
      const { out, against, json } = merge.optsWithGlobals<{ out?: string; against?: string; json: boolean }>()
      if (out === undefined) throw new MaskscopeError('usage', 'Say where the whole benchmark goes: --out FOLDER.', { subject: '--out' })
      const { mergeShards } = await import('#services/benchmark/merge.ts')
      await finish(await mergeShards(folders, out), out, { json, ...(against === undefined ? {} : { against }) })
    })
  return command
}

/** Options that a benchmark and a tuning share. */
export function workOptions(command: Command): Command {
  return stateOptions(command.option('--model <path>', 'demo, an .onnx file, the model.json of a TF.js model, or the folder of either'))
    .option('--data <data>', 'a data set, see "maskscope datasets --help"')
    .option('--methods <ids>', 'with commas between them, see "maskscope methods"; all that fit the model and the data', allOrList, 'all')
    .option('--limit <n>', 'at most so many images, from the first on', wholeNumber(1))
    .option('--seed <n>', 'of everything that is drawn at random', wholeNumber(0), 0)
    .addOption(backendOption())
    .addOption(executorOption())
    .addOption(memoryOption())
    .option('--jobs <n>', 'at most so many engine processes', wholeNumber(1))
    .option('--out <folder>', 'where it is written, and goes on; in ./maskscope-benchmarks where left out')
    .option('--json', 'print one JSON document and nothing else', false)
}

/** What is missing of what every such command needs. @throws MaskscopeError 'usage' */
export function requireModelAndData({ model, data }: Partial<WorkOptions>): void {
  if (model === undefined) throw new MaskscopeError('usage', 'Say which model is explained: --model demo, or a path.', { subject: '--model' })
  if (data === undefined) throw new MaskscopeError('usage', 'Say which data: --data scenes:100@2000000, for example.', { subject: '--data' })
}

async function benchmark(options: BenchmarkOptions): Promise<number> {
  requireModelAndData(options)
  const [{ loadModel }, { readConfigs }] = await Promise.all([import('#services/models.ts'), import('#services/benchmark/configs.ts')])
  const configurations = options.configs === undefined ? {} : await readConfigs(options.configs)
  const model = await loadModel(options.model, statedModel(options, (file) => file))
  const judge = options.judge === undefined ? null : await loadJudge(options.judge, options)
  const { model: _place, data, methods, metrics, seed, keepMaps } = options
  const asked: AskedBenchmark = {
    model, judge, data, methods, metrics, configurations, limit: options.limit ?? null, shard: options.shard ?? null, seed, keepMaps,
    ...(options.seeds === undefined ? {} : { draws: options.seeds }),
  }
  return performAsked(asked, options, { json: options.json, ...(options.against === undefined ? {} : { against: options.against }) })
}

/** Does the work, or what is left of it, and writes the results. @param after what becomes of a finished benchmark; its tables where left out */
export async function performAsked(
  asked: AskedBenchmark, options: WorkOptions, ending: { against?: string; json: boolean }, after?: (folder: string) => Promise<void>,
): Promise<number> {
  const [{ createWorkbench }, { watchForInterrupt }, { makeBenchmark, benchmarkFolder }, { performBenchmark }, { chosen }, { modelError }] = await Promise.all([
    import('#main/workbench.ts'), import('./interruption.ts'), import('#services/benchmark/order.ts'), import('#services/benchmark/perform.ts'), import('#services/benchmark/finish.ts'), import('#services/models.ts'),
  ])
  const interruption = watchForInterrupt()
  const workbench = createWorkbench({ ...engineOptions(options), ...(options.jobs === undefined ? {} : { jobs: options.jobs }) })
  const line = workLine()
  let folder = options.out
  try {
    await interruption.race(workbench.pool.info(asked.model.source)).catch((error: unknown) => {
      throw modelError(error, asked.model)
    })
    tellNotes(asked.model)
    const order = await interruption.race(makeBenchmark(workbench.pool, asked, (why) => note(`Left out: ${why}`)))
    chosen(order, ending.against)
    folder ??= benchmarkFolder(order)
    const place = folder
    const { manifest, failures } = await performBenchmark(workbench.pool, order, folder, { signal: interruption.signal, onNews: line.tell, begun: () => keepPlaces(place, asked, options) })
    line.clear()
    if (failures.length > 0) {
      const [{ unit, error }] = failures as [(typeof failures)[number]]
      throw new MaskscopeError('run', `${failures.length} pieces of the benchmark failed, the first (${unit}): ${(error as Error).message} The same command goes on with them.`, { cause: error })
    }
    await workbench.dispose()
    if (after) await after(folder)
    else if (order.shard) {
      if (ending.json) printJson({ shard: order.shard, folder: path.resolve(folder) })
      else print(`Shard ${order.shard.index} of ${order.shard.count} is done in ${folder}. When all are: maskscope benchmark merge FOLDER… --out FOLDER`)
    } else await finish(manifest, folder, ending)
    return 0
  } catch (error) {
    line.clear()
    if (!interruption.signal.aborted) throw error
    process.stderr.write(`maskscope: interrupted; what was done is kept${folder === undefined ? '' : ` in ${folder}`}, and the same command goes on\n`)
    return 130
  } finally {
    await workbench.dispose()
    interruption.end()
  }
}

/** So that the window can go on with it. */
async function keepPlaces(folder: string, { model, judge, configurations }: AskedBenchmark, options: StatedOptions & JudgeOptions): Promise<void> {
  const { placeOf, writePlaces } = await import('#services/benchmark/places.ts')
  await writePlaces(folder, {
    model: placeOf(model, statedModel(options, (file) => path.resolve(file))), judge: judge && placeOf(judge, statedJudge(options, (file) => path.resolve(file))), configurations: Object.keys(configurations).length > 0,
  }, configurations)
}

async function finish(manifest: BenchmarkManifest, folder: string, { against, json }: { against?: string; json: boolean }): Promise<void> {
  const [{ finishBenchmark }, { withSeconds }, { markdownTable }] = await Promise.all([
    import('#services/benchmark/finish.ts'), import('#services/benchmark/summary.ts'), import('#services/benchmark/tables.ts'),
  ])
  const { summary, results } = await finishBenchmark(manifest, folder, against === undefined ? {} : { against })
  for (const { entry, message, images } of summary.errors) note(`${entry} failed on ${images} images: ${message}`)
  if (json) return printJson(withSeconds(summary, results.seconds))
  const left = excludedText(summary.excluded)
  print(`${summary.images} images or objects of ${summary.data} by ${summary.model}${left === '' ? '' : `; not evaluated: ${left}`}\n`)
  print(markdownTable(summary, manifest.metrics))
  print(`† differs from ${summary.against} (Holm p < .05). Tables, plots and every value: ${folder}`)
}

const reasons: Record<string, string> = {
  wrong: 'where the classifier is wrong', 'unknown-class': 'of classes that it does not have', 'no-object': 'without a visible object', unreadable: 'that cannot be read',
  unanswered: 'that the classifier cannot answer',
}

/** Counts of images that are not evaluated, by reason. */
export function excludedText(excluded: Readonly<Record<string, number>>): string {
  return Object.entries(excluded).map(([reason, count]) => `${count} ${reasons[reason] ?? reason}`).join(', ')
}

function tellNotes({ notes }: LoadedModel): void {
  for (const text of notes) note(text)
}

/** `a,b,c`, or `all`. */
function allOrList(text: string): readonly string[] | 'all' {
  if (text === 'all') return text
  const names = text.split(',').map((name) => name.trim())
  if (names.some((name) => name === '')) throw new InvalidArgumentError('Write ids with commas between them.')
  return names
}

function shard(text: string): { index: number; count: number } {
  const match = /^(\d{1,6})\/(\d{1,6})$/.exec(text)
  const [index, count] = [Number(match?.[1]), Number(match?.[2])]
  if (!match || index < 1 || index > count) throw new InvalidArgumentError('Write it as i/n with i from 1 to n, e.g. 2/8.')
  return { index, count }
}

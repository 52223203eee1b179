import path from 'node:path'
import { Command } from 'commander'
import type { AskedReconstruction, ReconstructionOrder } from '#services/reconstruction/order.ts'
import type { ReconstructionNews, Reconstructions } from '#services/reconstruction/reconstructions.ts'
import { MaskscopeError } from '#shared/domain/errors.ts'
import type { ReconstructionReport } from '#shared/domain/reconstruction.ts'
import { workLine } from './benchmark-progress.ts'
import { note, print, printJson, type Context } from './context.ts'
import {
  backendOption, engineOptions, executorOption, loadJudge, memoryOption, modelOptions, stateJudgeOptions, statedJudge, statedModel, type EngineOptions, type JudgeOptions, type StatedOptions,
} from './engine-options.ts'
import { assignment, wholeNumber } from './options.ts'

interface ReconstructOptions extends StatedOptions, JudgeOptions, EngineOptions {
  model: string
  judge: string
  data: string
  method?: string
  set: Record<string, string>
  images?: number
  test: number
  conditional: boolean
  gamma?: string
  epochs?: string
  generatorSet: Record<string, string>
  seed: number
  jobs?: number
  out?: string
  json: boolean
}

export function reconstructCommand(context: Context): Command {
  const command = new Command('reconstruct')
    .description('Train a generator on what a classifier finds salient, and report how much of it the class lives in. It can be stopped at any moment; the same command goes on.')
  return stateJudgeOptions(modelOptions(command))
    .requiredOption('--judge <path>', 'another classifier, in no loss, which judges the reconstructions; as --model')
    .requiredOption('--data <data>', 'a data set, see "maskscope datasets --help"; of idx:DIR and cifar10:DIR the training part is learned from and the other one reported on')
    .option('--method <id>', 'what finds the salient pixels, see "maskscope methods"; the fastest that masks well enough where left out')
    .option('--set <name=value>', 'a parameter of the method, repeatable', assignment, {})
    .option('--images <n>', 'to learn from; half of those that are there where left out', wholeNumber(2))
    .option('--test <n>', 'images that are reported on, at most', wholeNumber(1), 1000)
    .option('--conditional', 'the generator is told the class; a row of its own, beside the one that is not', false)
    .option('--gamma <weight>', 'of the explained classifier in the loss; a row of its own, beside the one without')
    .option('--epochs <n>', 'of training')
    .option('--generator-set <name=value>', 'another setting of the generator, e.g. latent=32 or beta=1, repeatable', assignment, {})
    .option('--seed <n>', 'of everything that is drawn at random', wholeNumber(0), 0)
    .addOption(backendOption())
    .addOption(executorOption())
    .addOption(memoryOption())
    .option('--jobs <n>', 'at most so many engine processes', wholeNumber(1))
    .option('--out <folder>', 'the study that it is added to, and in which it goes on; in ./maskscope-studies where left out')
    .option('--json', 'print one JSON document and nothing else', false)
    .action(async (options: ReconstructOptions) => {
      context.exitCode = await reconstruct(options)
    })
}

async function reconstruct(options: ReconstructOptions): Promise<number> {
  const [{ loadModel }, { createWorkbench }, { watchForInterrupt }, { makeReconstruction }, { createReconstructions }] = await Promise.all([
    import('#services/models.ts'), import('#main/workbench.ts'), import('./interruption.ts'), import('#services/reconstruction/order.ts'), import('#services/reconstruction/reconstructions.ts'),
  ])
  // Messages name the files as they were given; what is kept leads there from anywhere.
  const [model, judge] = [await loadModel(options.model, statedModel(options, (file) => file)), await loadJudge(options.judge, options)]
  const asked: AskedReconstruction = {
    model: { model, stated: statedModel(options, path.resolve) }, judge: { model: judge, stated: statedJudge(options, path.resolve) }, data: options.data,
    images: options.images ?? null, test: options.test, method: options.method ?? null, parameters: options.set, settings: settingsGiven(options), seed: options.seed,
  }
  const folder = options.out ?? path.join('maskscope-studies', 'reconstructions')
  const interruption = watchForInterrupt()
  const workbench = createWorkbench({ ...engineOptions(options), ...(options.jobs === undefined ? {} : { jobs: options.jobs }) })
  const line = workLine()
  let reconstructions: Reconstructions | undefined
  try {
    const order = await interruption.race(makeReconstruction(workbench.pool, asked)).catch(named)
    for (const text of [...model.notes, ...judge.notes]) note(text)
    const { study } = await workbench.openRuns(folder)
    const all = createReconstructions({ pool: workbench.pool, study: study.folder })
    reconstructions = all
    interruption.signal.addEventListener('abort', () => void all.dispose(), { once: true })
    all.subscribe((news) => line.tell(progressOf(news)))
    const id = await begin(all, order, asked)
    const report = await all.outcome(id)
    line.clear()
    tell({ ...report, generator: path.posix.join('reconstructions', id, report.generator) }, order, all.folder(id), options)
    return 0
  } catch (error) {
    line.clear()
    if (!interruption.signal.aborted) throw error
    process.stderr.write(`maskscope: interrupted; what was done is kept in ${folder}, and the same command goes on\n`)
    return 130
  } finally {
    await reconstructions?.dispose()
    await workbench.dispose()
    interruption.end()
  }
}

/** Settings of the generator by the names of its schema, as far as they were given. */
function settingsGiven({ conditional, gamma, epochs, generatorSet }: ReconstructOptions): Record<string, string | boolean> {
  return { ...generatorSet, ...(conditional ? { conditional } : {}), ...(gamma === undefined ? {} : { gamma }), ...(epochs === undefined ? {} : { epochs }) }
}

/** Fields of the order are options here. */
function named(error: unknown): never {
  if (error instanceof MaskscopeError && error.subject !== undefined && ['model', 'judge', 'data', 'method'].includes(error.subject)) {
    throw new MaskscopeError(error.code, error.message, { subject: `--${error.subject}`, cause: error })
  }
  throw error
}

/** One that is the same goes on, or is done already. */
async function begin(reconstructions: Reconstructions, order: ReconstructionOrder, asked: AskedReconstruction): Promise<string> {
  const known = await reconstructions.same(order)
  if (known === null) return reconstructions.start(asked)
  const { state } = await reconstructions.find(known)
  note(state === 'finished' ? `${known} is the same and finished; this is its report.` : `Going on with ${known}.`)
  if (state !== 'finished') await reconstructions.resume(known)
  return known
}

function progressOf(news: ReconstructionNews): { done: number; total: number; unit: string; secondsLeft: number | null } {
  switch (news.type) {
    case 'state': return { done: 0, total: 1, unit: news.state, secondsLeft: null }
    case 'salient': return { done: news.done, total: news.all, unit: 'masks', secondsLeft: news.secondsLeft }
    case 'report': return { done: news.done, total: news.all, unit: 'report', secondsLeft: news.secondsLeft }
    case 'training': {
      const { epoch, epochs, step, steps, losses } = news.news
      return { done: (epoch - 1) * steps + step, total: epochs * steps, unit: `epoch ${epoch} of ${epochs}, loss ${losses.total.toPrecision(4)}`, secondsLeft: news.secondsLeft }
    }
  }
}

function tell(report: ReconstructionReport, { info, judgeInfo, manifest }: ReconstructionOrder, folder: string, { json }: ReconstructOptions): void {
  if (json) return printJson(report)
  const { controls, diversity, memorising, acceptance } = report
  const share = (value: number | null): string => (value === null ? '–' : value.toFixed(3))
  const rows: [string, string][] = [
    [`Kept by ${info.name}, which was explained`, `${share(report.inLoop)} [${share(report.intervals.inLoop.low)}, ${share(report.intervals.inLoop.high)}]`],
    [`Agreed by ${judgeInfo?.name ?? 'the judge'}, which was in no loss`, report.rawAgreement ? `${share(report.rawAgreement.mean)} [${share(report.rawAgreement.low)}, ${share(report.rawAgreement.high)}]; on the clean images ${share(report.judgeOnClean)}` : '–'],
    ['True on clean images', `${share(report.classifierAccuracy)}, the judge ${share(report.judgeAccuracy)}`],
    ['Empty input', share(controls.empty)],
    ['Random mask of equal area', share(controls.randomMask)],
    ['Swapped input, follows its source', share(controls.swapped)],
    ['Mask alone', share(controls.maskAlone)],
    ['Salient input, undecoded', share(controls.salientUndecoded)],
    ['Random image of the class', share(controls.randomOfClass)],
    ['Diversity outside, inside, real outside', `${share(diversity.outside)}, ${share(diversity.inside)}, ${share(diversity.outsideReal)}`],
    ['Nearer to training images', `${share(memorising.p)}, at most ${share(memorising.high)}`],
    ['Accepted by temperature', acceptance.map(({ temperature, rate }) => `${temperature}: ${share(rate)}`).join('  ')],
  ]
  const { settings: { conditional, gamma }, method, data } = manifest
  print(`${report.images} images of ${data}, masks by ${method}${conditional ? '; the generator is told the class' : ''}${gamma > 0 ? `; the classifier is in the loss (${gamma})` : ''}\n`)
  const width = Math.max(...rows.map(([name]) => name.length)) + 2
  for (const [name, text] of rows) print(`${name.padEnd(width)}${text}`)
  print(`\nReport, generator and masks: ${folder}`)
}

import { spawnSync } from 'node:child_process'
import { existsSync } from 'node:fs'
import { mkdir, writeFile } from 'node:fs/promises'
import path from 'node:path'
import { parseArgs } from 'node:util'
import { createWorkbench } from '#main/workbench.ts'
import { loadModel } from '#services/models.ts'
import { makeReconstruction, type AskedReconstruction } from '#services/reconstruction/order.ts'
import { createReconstructions, type StoredReconstruction } from '#services/reconstruction/reconstructions.ts'
import type { ExecutorId } from '#shared/domain/executor.ts'
import type { ParameterValues } from '#shared/domain/parameters.ts'
import type { ReconstructionReport } from '#shared/domain/reconstruction.ts'
import { duration } from '../../src-main/shells/cli/progress.ts'
import { workingFolder } from './benchmark-work.ts'
import { sheetOf } from './reconstruction-sheet.ts'
import { controlsTable, headlineTable, perClassTable, temperatureTable, verdict } from './reconstruction-tables.ts'

/** Where the page is: what stands above the mark is written by hand. */
export const page = { file: 'docs/reconstruction.md', mark: '<!-- What follows is written by npm run evidence -- reconstruction. -->' }

const usage = {
  /** With how many images each; the rows after the first are made for the first set only. */
  sets: { type: 'string', default: 'fashion-mnist:15000,mnist:10000,scenes:2000' }, rows: { type: 'string', default: 'class-free,conditional,gamma' },
  /** With a folder per data set, each with classifier and judge; trained where they are missing. */
  classifiers: { type: 'string' },
  test: { type: 'string', default: '1000' }, epochs: { type: 'string' }, gamma: { type: 'string', default: '10' }, set: { type: 'string', multiple: true },
  /** Measured where it is not said; on a busy machine that may end otherwise in the next sitting, and begin anew. */
  executor: { type: 'string' },
} as const

/** A row of the tables: the settings that make it what it is. */
export interface Row {
  name: string
  stored: StoredReconstruction
  report: ReconstructionReport
}

interface Asked {
  model: string
  judge: string
  data: string
}

/** The page docs/reconstruction.md, for the data sets and rows that were asked for. It can be stopped and goes on. */
export async function measure(args: readonly string[]): Promise<string> {
  const { values } = parseArgs({ args: [...args], options: usage })
  const folder = path.join(path.dirname(workingFolder()), 'reconstruction')
  const parts: string[] = []
  for (const [i, set] of values.sets.split(',').entries()) {
    const [name, images] = set.split(':') as [string, string?]
    const asked = await dataSet(name, values.classifiers ?? path.join(folder, 'classifiers'))
    const rows: Row[] = []
    for (const row of values.rows.split(',').slice(0, i === 0 ? undefined : 1)) {
      rows.push(await reconstruct(path.join(folder, name), row, asked, {
        ...Object.fromEntries((values.set ?? []).map((text) => text.split('=', 2))) as ParameterValues,
        ...(values.epochs === undefined ? {} : { epochs: values.epochs }), ...(row === 'conditional' ? { conditional: true } : {}), ...(row === 'gamma' ? { gamma: values.gamma } : {}),
      }, { images: Number(images ?? 10_000), test: Number(values.test) }, values.executor as ExecutorId | undefined))
    }
    parts.push(await partOf(name, asked, rows))
  }
  return parts.join('\n\n')
}

/** What a data set is explained and judged with. */
async function dataSet(name: string, classifiers: string): Promise<Asked> {
  if (name === 'scenes') return { model: 'demo', judge: 'demo-judge', data: 'scenes:20000@0' }
  const root = process.env['MASKSCOPE_DATA']
  if (root === undefined) throw new Error('Say in MASKSCOPE_DATA where the folders fashion-mnist and mnist lie.')
  const data = `idx:${path.join(root, name)}`
  const place = path.join(classifiers, name)
  for (const part of ['classifier', 'judge']) {
    if (existsSync(path.join(place, part, 'model.json'))) continue
    console.log(`Training the ${part} of ${name} into ${place}.`)
    await mkdir(place, { recursive: true })
    const { status } = spawnSync('npm', ['run', 'train', '--', '--data', data, '--out', place, part], { stdio: 'inherit' })
    if (status !== 0) throw new Error(`The training of the ${part} of ${name} failed.`)
  }
  return { model: path.join(place, 'classifier'), judge: path.join(place, 'judge'), data }
}

async function reconstruct(study: string, name: string, { model, judge, data }: Asked, settings: ParameterValues, { images, test }: { images: number; test: number }, executor?: ExecutorId): Promise<Row> {
  const workbench = createWorkbench({ log: (text) => console.log(text), ...(executor === undefined ? {} : { executor: () => executor }) })
  try {
    const { study: { folder } } = await workbench.openRuns(study)
    const all = createReconstructions({ pool: workbench.pool, study: folder })
    let told = 0
    all.subscribe((news) => {
      if (news.type === 'training' && news.news.finished) console.log(`${name}: epoch ${news.news.epoch}`, JSON.stringify(news.news.finished.training), JSON.stringify(news.news.finished.validation))
      if (performance.now() - told < 20_000) return
      told = performance.now()
      if (news.type === 'salient' || news.type === 'report') console.log(`${name}: ${news.type} ${news.done} of ${news.all}${news.secondsLeft === null ? '' : `, ${duration(1000 * news.secondsLeft)} left`}`)
      if (news.type === 'training') console.log(`${name}: epoch ${news.news.epoch}, step ${news.news.step} of ${news.news.steps}${news.secondsLeft === null ? '' : `, ${duration(1000 * news.secondsLeft)} left`}`)
    })
    const asked: AskedReconstruction = {
      model: { model: await loadModel(model), stated: {} }, judge: { model: await loadModel(judge), stated: {} }, data, images, test, method: null, parameters: {}, settings, seed: 0,
    }
    const known = await all.same(await makeReconstruction(workbench.pool, asked))
    if (known !== null && (await all.find(known)).state !== 'finished') await all.resume(known)
    const id = known ?? (await all.start(asked))
    const report = await all.outcome(id)
    const sheet = path.join('docs', 'images', `reconstruction-${path.basename(study)}-${name}.png`)
    await mkdir(path.dirname(sheet), { recursive: true })
    await writeFile(sheet, await sheetOf(workbench.pool, all.folder(id)))
    return { name, stored: await all.find(id), report }
  } finally {
    await workbench.dispose()
  }
}

async function partOf(name: string, { model, judge, data }: Asked, rows: readonly Row[]): Promise<string> {
  const [{ stored: { manifest }, report }] = rows as [Row]
  // Where one machine has its folders says nothing to others.
  const [own, other, place] = model === 'demo' ? [model, judge, data] : [`DIR/${name}/classifier`, `DIR/${name}/judge`, `idx:DATA/${name}`]
  return [
    `## ${name}`,
    '',
    `${manifest.images.seen} images to learn from (one of twenty, at most 500, kept back for the losses), ${report.images} test images, masks by \`${manifest.method}\`. Explained: ${model === 'demo' ? 'the bundled classifier' : 'the classifier that the training script makes of half A'}, true on ${percent(report.classifierAccuracy)} of the`,
    `clean images; judge: ${judge === 'demo-judge' ? 'the bundled judge' : 'the one of half B'}, true on ${percent(report.judgeAccuracy)}, which agrees with the explained classifier on ${percent(report.judgeOnClean)} of the clean images.`,
    '',
    `\`maskscope reconstruct --model ${own} --judge ${other} --data ${place} --images ${manifest.images.seen} --test ${manifest.images.test} --epochs ${manifest.settings.epochs}\``,
    '',
    verdict(report),
    '',
    headlineTable(rows), '', 'Controls, by the explained classifier, and in brackets by the judge:', '', controlsTable(rows), '', 'Share accepted and diversity over temperatures, class-free:', '', temperatureTable(rows[0]!), '',
    'By class, class-free:', '', perClassTable(rows[0]!), '',
    ...rows.flatMap((row) => [`![Images, salient inputs and variations, ${row.name}](images/reconstruction-${name}-${row.name}.png)`, '']),
  ].join('\n').trim()
}

function percent(share: number | null): string {
  return share === null ? '–' : `${(100 * share).toFixed(1)}%`
}

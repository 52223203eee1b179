import { createHash } from 'node:crypto'
import { existsSync } from 'node:fs'
import { mkdir, readFile, rename, writeFile } from 'node:fs/promises'
import path from 'node:path'
import { isDeepStrictEqual } from 'node:util'
import envPaths from 'env-paths'
import { methods } from '#engine/methods/registry.ts'
import { createWorkbench } from '#main/workbench.ts'
import type { Configurations } from '#services/benchmark/entries.ts'
import { finishBenchmark } from '#services/benchmark/finish.ts'
import type { Results } from '#services/benchmark/collect.ts'
import { manifestFile, readManifest } from '#services/benchmark/manifest.ts'
import { makeBenchmark, type AskedBenchmark } from '#services/benchmark/order.ts'
import { performBenchmark, type BenchmarkOrder } from '#services/benchmark/perform.ts'
import { openRecords } from '#services/benchmark/records.ts'
import type { Summary } from '#services/benchmark/summary.ts'
import { chooseBest, configurationsToTry, finalists, tunedMetric, type Tuned } from '#services/benchmark/tune.ts'
import { loadModel, type LoadedModel } from '#services/models.ts'
import type { ExecutorWish } from '#shared/domain/executor.ts'
import { duration } from '../../src-main/shells/cli/progress.ts'

export interface Found {
  summary: Summary
  results: Results
}

/** All configurations on the first images, then what a method does by itself and its best others on further ones. */
export interface TuningRounds {
  first: string
  further: string
  /** Of each method in the first round. */
  configurations: number
  /** Of each method in the second round. */
  finalists: number
}

/** A sitting at a long comparison: what is done already is read, the rest is computed and kept. */
export interface Sitting {
  folder: string
  /** @param name of its folder; the same one is the same benchmark */
  benchmark(name: string, asked: Partial<AskedBenchmark> & Pick<AskedBenchmark, 'model' | 'data'>, executor?: ExecutorWish): Promise<Found>
  /** @param file where the choice is kept: what stands there of the same model, data and ranges is not computed again */
  tune(model: LoadedModel, rounds: TuningRounds, ids: readonly string[], file: string): Promise<Tuned>
  end(): Promise<void>
}

/** Where the work of all sittings lies: MASKSCOPE_EVIDENCE, or the system's folder for caches. */
export function workingFolder(): string {
  return process.env['MASKSCOPE_EVIDENCE'] ?? path.join(envPaths('maskscope', { suffix: '' }).cache, 'evidence', 'benchmark')
}

export function openSitting(folder: string): Sitting {
  let executor: ExecutorWish = 'auto'
  const workbench = createWorkbench({ executor: () => executor, log: (text) => console.log(text) })
  const controller = new AbortController()
  let told = 0

  async function perform(name: string, asked: AskedBenchmark, wish: ExecutorWish = 'auto'): Promise<string> {
    executor = wish
    const place = path.join(folder, name)
    const order = await makeBenchmark(workbench.pool, asked, (why) => console.log(`${name}: left out: ${why}`))
    await forgetChanged(place, order)
    const { failures } = await performBenchmark(workbench.pool, order, place, {
      signal: controller.signal,
      onNews({ done, total, unit, secondsLeft }) {
        if (performance.now() - told < 20_000 && done < total) return
        told = performance.now()
        console.log(`${name}: ${done} of ${total}, ${secondsLeft === null ? '' : `${duration(1000 * secondsLeft)} left, `}${unit}`)
      },
    })
    for (const { unit, error } of failures) console.log(`${name}: ${unit} failed: ${(error as Error).message}`)
    if (failures[0]) throw failures[0].error
    return place
  }

  async function finish(place: string, options: Parameters<typeof finishBenchmark>[2]): Promise<Found> {
    return finishBenchmark((await readManifest(place))!, place, options)
  }

  return {
    folder,
    async benchmark(name, asked, wish) {
      const whole: AskedBenchmark = { judge: null, methods: 'all', metrics: 'cheap', configurations: {}, limit: null, shard: null, seed: 0, keepMaps: false, ...asked }
      return finish(await perform(name, whole, wish), {})
    },
    async tune(model, { first, further, configurations: count, finalists: last }, ids, file) {
      const known = existsSync(file) ? (JSON.parse(await readFile(file, 'utf8')) as Kept) : null
      const data = [first, further].join(', ')
      const same = known !== null && known.tuned.model === model.source.name && known.tuned.data === data && known.tuned.configurations === count
      const tuned: Kept = same ? known : { tuned: { model: model.source.name, data, images: 0, metric: tunedMetric, configurations: count, seed: 0 }, methods: {}, scores: {}, drawn: {} }
      const round = async (name: string, on: string, tried: Configurations): Promise<Summary> => {
        const asked: AskedBenchmark = {
          model, judge: null, data: on, methods: Object.keys(tried), metrics: [tunedMetric], configurations: tried, limit: null, shard: null, seed: 0, keepMaps: false, draws: 1,
        }
        const place = await perform(path.join('tune', `${name}-${on.replaceAll(/[^\w-]/g, '_')}`), asked)
        return (await finish(place, { resamples: 1, plots: false })).summary
      }
      // Method by method, so that one that is added, or whose ranges have changed, is tuned alone.
      for (const id of ids) {
        const own = configurationsToTry([id], count, 0)
        const drawn = digestOf(own)
        if (tuned.drawn[id] === drawn) continue
        const begun = await round(`${id}-${count}`, first, own)
        const left = finalists(id, own, begun, last)
        // Which ones they are stands in the name: another choice is another benchmark.
        const numbers = Object.keys(left).map((name) => name.split('@')[1])
        const rounds = [begun, await round(`${id}-${numbers.join('.')}-of-${count}`, further, left)]
        const found = chooseBest([id], own, rounds, { configurations: count, seed: 0 })
        tuned.tuned = found.tuned
        Object.assign(tuned.methods, found.methods)
        Object.assign(tuned.scores, found.scores)
        tuned.drawn[id] = drawn
        await mkdir(path.dirname(file), { recursive: true })
        await writeFile(`${file}.part`, `${JSON.stringify(tuned, undefined, 2)}\n`)
        await rename(`${file}.part`, file)
      }
      const ofThese = <T>(all: Record<string, T>): Record<string, T> => Object.fromEntries(ids.map((id) => [id, all[id]!]))
      return { ...tuned, methods: ofThese(tuned.methods), scores: ofThese(tuned.scores) }
    },
    end: () => workbench.dispose(),
  }
}

/** What tuning chose, and among what: a digest of all configurations of each method, which changes with its ranges and defaults. */
interface Kept extends Tuned {
  drawn: Record<string, string>
}

export function digestOf(configurations: Configurations): string {
  return createHash('sha256').update(JSON.stringify(configurations)).digest('hex').slice(0, 16)
}

/** What there is of methods whose parameters have changed since is removed, so that the rest goes on. */
async function forgetChanged(place: string, { entries }: BenchmarkOrder): Promise<void> {
  const stored = await readManifest(place)
  if (!stored) return
  const changed = stored.entries.filter((entry) => {
    const now = entries.find(({ name }) => name === entry.name)
    return now !== undefined && !isDeepStrictEqual([entry.parameters, entry.draws], [now.parameters, now.draws])
  })
  if (changed.length === 0) return
  const records = await openRecords(place)
  for (const name of await records.done()) if (changed.some((entry) => name.includes(`.${entry.name}.s`))) await records.remove(name)
  await writeFile(path.join(place, manifestFile), `${JSON.stringify({ ...stored, entries: stored.entries.filter((entry) => !changed.includes(entry)) }, undefined, 2)}\n`)
  console.log(`${place}: ${changed.map(({ name }) => name).join(', ')} changed and begin anew.`)
}

/** Methods that a model and data with ground truth can have, controls aside. */
export async function methodsFor(model: LoadedModel, asked: readonly string[] | null): Promise<string[]> {
  const { whyNot } = await import('#shared/domain/method.ts')
  const workbench = createWorkbench({ jobs: 1 })
  try {
    const info = await workbench.pool.info(model.source)
    return methods.filter((method) => (asked === null || asked.includes(method.id)) && whyNot(method, info, true) === null).map(({ id }) => id)
  } finally {
    await workbench.dispose()
  }
}

/** A classifier of scenes that is not bundled, trained into the working folder where it is not there yet. */
export async function furtherClassifier(folder: string, name: string, share: number): Promise<LoadedModel> {
  const place = path.join(folder, 'classifiers', share === 1 ? name : `${name}-${share}`)
  const card = path.join(place, 'model-card.json')
  const scored = existsSync(card) && (JSON.parse(await readFile(card, 'utf8')) as { training: { done?: boolean } }).training.done === true
  if (!scored) {
    const { spawnSync } = await import('node:child_process')
    console.log(`Training ${name} into ${place}.`)
    const { status } = spawnSync('npm', ['run', 'train:demo', '--', name, '--out', place, '--share', String(share)], { stdio: 'inherit' })
    if (status !== 0) throw new Error(`The training of ${name} failed.`)
  }
  return loadModel(place)
}

import { commandLine } from '../shell-words.ts'
import { statedJudgeWords, statedWords } from '../run-command.ts'
import { drawsOfRandom } from './entries.ts'
import type { Places } from './places.ts'

/** What a benchmark is made of, as the command line takes it. */
export interface BenchmarkCommandFacts {
  places: Places
  data: string
  methods: readonly string[]
  metrics: readonly string[]
  /** Absolute; null: the usual parameters. */
  configurations: string | null
  limit: number | null
  seed: number
  draws: number
  keepMaps: boolean
  executor: string | null
  shard: { index: number; count: number } | null
  folder: string
}

/** The line that does the same in the same folder, or goes on with it. */
export function benchmarkCommand(facts: BenchmarkCommandFacts, platform: NodeJS.Platform = process.platform): string {
  const { places: { model, judge }, data, methods, metrics, configurations, limit, seed, draws, keepMaps, executor, shard, folder } = facts
  return commandLine([
    'maskscope', 'benchmark', '--model', model.place, ...statedWords(model.stated),
    ...(judge ? ['--judge', judge.place, ...statedJudgeWords(judge.stated)] : []),
    '--data', data, ...(limit === null ? [] : ['--limit', String(limit)]),
    '--methods', methods.join(','), '--metrics', metrics.join(','),
    ...(configurations === null ? [] : ['--configs', configurations]),
    ...(seed === 0 ? [] : ['--seed', String(seed)]),
    ...(draws === drawsOfRandom ? [] : ['--seeds', String(draws)]),
    ...(executor === null ? [] : ['--executor', executor]),
    ...(keepMaps ? ['--keep-maps'] : []),
    ...(shard ? ['--shard', `${shard.index}/${shard.count}`] : []),
    '--out', folder,
  ], platform)
}

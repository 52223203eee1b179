import { MaskscopeError } from '#shared/domain/errors.ts'
import type { BenchmarkEvent, BenchmarkRow } from '#shared/contract/benchmark.ts'
import type { Benchmarks } from '#services/benchmark/window.ts'
import type { CallsOf, Parts, StreamsOf } from './parts.ts'

type Own = Pick<Parts, 'host'> & { benchmarks: Benchmarks }

export function benchmarkCalls({ benchmarks, host }: Own): CallsOf<'benchmark'> {
  return {
    'benchmark.plan': async (order) => {
      const plan = await benchmarks.plan(order)
      return { ...plan, problem: plan.problem && toldError(plan.problem, host) }
    },
    'benchmark.try': async (order, { signal }) => ({ tried: await benchmarks.try(order, signal) }),
    'benchmark.start': async (order) => ({ benchmark: await benchmarks.start(order) }),
    'benchmark.command': async (of) => ({ command: 'order' in of ? await benchmarks.commandFor(of.order) : await benchmarks.command(of.benchmark) }),
    'benchmark.open': async ({ folder }) => ({ benchmark: await benchmarks.open(folder) }),
    'benchmark.forget': async ({ benchmark }) => {
      await benchmarks.forget(benchmark)
      return {}
    },
    'benchmark.pause': ({ benchmark }) => {
      benchmarks.pause(benchmark)
      return {}
    },
    'benchmark.resume': async ({ benchmark, model, judge }) => {
      await benchmarks.resume(benchmark, { model, judge })
      return {}
    },
    'benchmark.cancel': async ({ benchmark }) => {
      await benchmarks.cancel(benchmark)
      return {}
    },
    'benchmark.retry': async ({ benchmark, method, model, judge }) => {
      await benchmarks.retry(benchmark, method, { model, judge })
      return {}
    },
    'benchmark.results': ({ benchmark, against }) => benchmarks.results(benchmark).results(against),
    'benchmark.spread': ({ benchmark, metric }) => benchmarks.results(benchmark).spread(metric),
    'benchmark.cells': ({ benchmark, method, metric }) => benchmarks.results(benchmark).cells(method, metric),
    'benchmark.pictures': ({ benchmark, method, subjects }) => benchmarks.pictures(benchmark, method, subjects),
    'benchmark.reopen': ({ benchmark, method, subject }) => benchmarks.reopen(benchmark, method, subject),
    'benchmark.file': ({ benchmark, file, against, metric }) => benchmarks.results(benchmark).file(file, against, metric),
    'benchmark.save': async ({ benchmark, file, against, metric }) => {
      if (!host.dialogs) throw new MaskscopeError('unavailable', 'This shell has no dialogs of its own; the page downloads the file.')
      const { name, bytes } = await benchmarks.results(benchmark).file(file, against, metric)
      return { file: await host.dialogs.save(name, bytes) }
    },
  }
}

export function benchmarkStreams({ benchmarks, host }: Own): StreamsOf<'benchmark'> {
  const tell = (row: BenchmarkRow): BenchmarkRow => (row.error ? { ...row, error: toldError(row.error, host) } : row)
  return {
    'benchmark.watch': (_, emit, { signal }) => benchmarks.watch((event: BenchmarkEvent) => {
      if (event.type === 'row') emit.latest(`row ${event.row.benchmark}`, { ...event, row: tell(event.row) })
      else emit(event.type === 'snapshot' ? { ...event, rows: event.rows.map(tell) } : event)
    }, signal),
  }
}

function toldError<E extends { message: string }>(error: E, { told }: Parts['host']): E {
  return told ? { ...error, message: told(error.message) } : error
}

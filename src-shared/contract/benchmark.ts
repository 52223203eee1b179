import * as z from 'zod/mini'
import { call, stream } from './define.ts'
import { dataSet, openImage, openModel } from './models.ts'
import { bytes, count, error, floats, handle, map, nothing, parameterValues, text } from './values.ts'

/** `stopped`: not finished, and nothing works on it; it goes on where it was. `elsewhere`: another program works on it. */
export const benchmarkStates = ['preparing', 'running', 'pausing', 'paused', 'finishing', 'stopped', 'finished', 'elsewhere'] as const
export type BenchmarkState = (typeof benchmarkStates)[number]

/** Drawn scenes in the syntax of the command line, also as mosaics; or a data set of files. */
const data = z.union([z.object({ scenes: text(200) }), z.object({ set: dataSet })])

export const benchmarkOrder = z.object({
  model: z.nullable(handle),
  /** A second classifier, which the methods never ask. */
  judge: z.nullable(handle),
  data,
  /** Ids, or `id@name` of the configurations. */
  methods: z.array(text(128)).check(z.maxLength(200)),
  metrics: z.array(text(64)).check(z.maxLength(100)),
  /** A file of parameters, as the tuner writes it. */
  configurations: z.nullable(handle),
  /** At most so many images, from the first on; null: all. */
  limit: z.nullable(count),
  seed: count,
  /** Seeds per image of a method that draws at random. */
  draws: z.int().check(z.gte(1), z.lte(100)),
  keepMaps: z.boolean(),
  /** Below `place`; empty: a name that follows from the order. */
  name: text(80),
  /** A folder; null: where benchmarks usually lie. */
  place: z.nullable(handle),
})
export type WindowBenchmark = z.infer<typeof benchmarkOrder>

/** What an order comes to, looked at before anything is done. */
export const benchmarkPlan = z.object({
  /** Of the data set; null: it could not be read. */
  total: z.nullable(count),
  /** That the limit leaves. */
  images: z.nullable(count),
  /** As the command line takes it. */
  data: text(20_000),
  /** Why a method cannot be taken, by id; null: it can. Those of the configurations are among them. */
  methods: z.record(text(128), z.nullable(text(20_000))),
  metrics: z.record(text(64), z.nullable(text(20_000))),
  /** Where it will lie, and what is there already. */
  folder: z.object({ name: text(), place: text(), holds: z.enum(['nothing', 'part', 'all', 'other']) }),
  /** Explanations with their measurements: images by methods by seeds. */
  explanations: z.nullable(count),
  /** From what the same methods took of the same model before; null where that is not known of all of them. */
  seconds: z.nullable(z.number()),
  /** Of how many methods it is not known. */
  unknown: count,
  /** What stands in the way, its subject the field. */
  problem: z.nullable(error),
})
export type BenchmarkPlan = z.infer<typeof benchmarkPlan>

export const benchmarkRow = z.object({
  /** Its folder. */
  benchmark: handle,
  name: text(),
  place: text(),
  state: z.enum(benchmarkStates),
  /** null while it is being prepared. */
  facts: z.nullable(z.object({
    model: text(), judge: z.nullable(text()), data: text(20_000), images: count, seed: count,
    entries: z.array(z.object({ name: text(128), method: text(64), draws: count, parameters: parameterValues })),
    metrics: z.array(text(64)),
    shard: z.nullable(z.object({ index: count, count })),
    /** Images that are explained together. */
    chunk: count,
    executor: text(32), backend: text(32), version: text(32), keepMaps: z.boolean(),
  })),
  /** Pieces: a chunk of images by one method with one seed. */
  done: count,
  total: count,
  /** What has just been done. */
  piece: z.nullable(text()),
  /** null as long as nothing is known. */
  secondsLeft: z.nullable(z.number()),
  /** Pieces that may go better next time. */
  failures: z.array(z.object({ piece: text(), message: text(20_000) })),
  /** Why nothing works on it any more, where that was not asked for. */
  error: z.nullable(error),
  /** ISO 8601, UTC; when something last changed in its folder. */
  changed: text(40),
})
export type BenchmarkRow = z.infer<typeof benchmarkRow>

export const benchmarkEvent = z.discriminatedUnion('type', [
  /** First of all: those in the usual folder and those opened from elsewhere, the latest first. */
  z.object({ type: z.literal('snapshot'), rows: z.array(benchmarkRow) }),
  z.object({ type: z.literal('row'), row: benchmarkRow }),
  z.object({ type: z.literal('removed'), benchmark: handle }),
])
export type BenchmarkEvent = z.infer<typeof benchmarkEvent>

const number = z.nullable(z.number())

/** One method's mean of one metric over the images. */
export const benchmarkScore = z.object({
  mean: number,
  /** 95% bootstrap. */
  low: number, high: number,
  median: number,
  sd: number,
  /** Between the seeds of an image, on average. */
  seedSd: number,
  n: count,
  /** To the method that is compared with: this one's mean minus its. */
  difference: number,
  /** Of the paired permutation test, and after Holm over the methods. */
  p: number, holm: number,
  /** Better than every other: no interval reaches into its own, or Holm's test says so. */
  best: z.boolean(),
})
export type BenchmarkScore = z.infer<typeof benchmarkScore>

export const benchmarkResults = z.object({
  /** Of how many images or objects there is something, and how many will not be evaluated, by reason. */
  images: count,
  excluded: z.record(text(32), count),
  /** All is there. */
  whole: z.boolean(),
  against: text(128),
  /** Of the bootstrap and the permutations. */
  resamples: count,
  methods: z.array(z.object({
    name: text(128),
    scores: z.record(text(64), benchmarkScore),
    /** Means per image. */
    forward: number, backward: number, seconds: number,
  })),
  /** Methods that have no maps of some images. */
  errors: z.array(z.object({ method: text(128), message: text(20_000), images: count })),
})
export type BenchmarkResults = z.infer<typeof benchmarkResults>

const ofBenchmark = z.object({ benchmark: handle })
const cell = z.object({
  /** Its place among all that are evaluated. */
  subject: count,
  image: text(), object: count, label: z.nullable(text()), target: text(), probability: number,
  value: number, seedSd: number,
  note: z.nullable(text(20_000)),
})
export type BenchmarkCell = z.infer<typeof cell>

export const benchmarkFiles = ['table.md', 'table.tex', 'results.csv', 'details.csv', 'excluded.csv', 'seconds.csv', 'summary.json', 'quality.pdf', 'quality.svg'] as const

const exported = z.object({ benchmark: handle, against: text(128), file: z.enum(benchmarkFiles), metric: text(64) })

export const benchmark = {
  calls: {
    /** Never refuses for what a person has not filled in yet: that stands in `problem`. */
    'benchmark.plan': call(benchmarkOrder, benchmarkPlan),
    /** Explains and measures one image by each method whose time is not known. @returns how many were tried */
    'benchmark.try': call(benchmarkOrder, z.object({ tried: count })),
    /** Starts, or goes on where the folder holds the same. @throws 'usage' or 'input' with the field as subject */
    'benchmark.start': call(benchmarkOrder, ofBenchmark),
    'benchmark.command': call(z.union([ofBenchmark, z.object({ order: benchmarkOrder })]), z.object({ command: text(100_000) })),
    /** A folder with a benchmark, from wherever it lies. @throws 'input' where it holds none */
    'benchmark.open': call(z.object({ folder: handle }), ofBenchmark),
    /** Takes it out of the list, not off the disk. */
    'benchmark.forget': call(ofBenchmark, nothing),
    /** What is under way is done to its end first. */
    'benchmark.pause': call(ofBenchmark, nothing),
    /** A paused or a stopped one, also one with failures. @param model where the folder does not tell where it lies */
    'benchmark.resume': call(z.object({ benchmark: handle, model: z.nullable(handle), judge: z.nullable(handle) }), nothing),
    /** What was done is kept. */
    'benchmark.cancel': call(ofBenchmark, nothing),
    /** Does anew what a method could not do. */
    'benchmark.retry': call(z.object({ benchmark: handle, method: text(128), model: z.nullable(handle), judge: z.nullable(handle) }), nothing),
    /** As far as it has come. @param against null: the first method */
    'benchmark.results': call(z.object({ benchmark: handle, against: z.nullable(text(128)) }), benchmarkResults),
    /** Of one metric: the value of every image by every method. NaN: none. */
    'benchmark.spread': call(z.object({ benchmark: handle, metric: text(64) }), z.array(z.object({ name: text(128), values: floats() }))),
    'benchmark.cells': call(z.object({ benchmark: handle, method: text(128), metric: text(64) }), z.array(cell)),
    /** What the classifier saw (PNG, at most 96 px), and the map of the first seed where maps are kept. */
    'benchmark.pictures': call(z.object({ benchmark: handle, method: text(128), subjects: z.array(count).check(z.maxLength(50)) }), z.array(z.object({
      subject: count, png: z.nullable(bytes(1 << 20)), map: z.nullable(map), signed: z.boolean(),
    }))),
    /** Opens the image and, where it can be found, the model, to explain it with the same parameters and seed. */
    'benchmark.reopen': call(z.object({ benchmark: handle, method: text(128), subject: count }), z.object({
      model: z.nullable(openModel), image: openImage, message: z.nullable(text(20_000)),
      method: text(64), parameters: parameterValues, seed: count, target: count,
    })),
    'benchmark.file': call(exported, z.object({ name: text(), bytes: bytes() })),
    /** Asks where and writes; null where the dialog was closed. @throws 'unavailable' in the web shell */
    'benchmark.save': call(exported, z.object({ file: z.nullable(text()) })),
  },
  streams: {
    'benchmark.watch': stream(nothing, benchmarkEvent),
  },
}

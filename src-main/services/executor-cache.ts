import { createHash } from 'node:crypto'
import { readFile } from 'node:fs/promises'
import { availableParallelism, cpus } from 'node:os'
import path from 'node:path'
import { z } from 'zod'
import { plain, type Timings, type TimingSubject, type WaysMeasured } from '#pool/timings.ts'
import type { ExecutorTimings } from '#shared/domain/executor.ts'
import { createFiles, type Files } from '#storage/files.ts'

const milliseconds = z.number().nonnegative()
const timing = z.object({ forward: milliseconds, gradient: milliseconds.nullable() })
const waysSchema = z.object({ oneWorker: milliseconds, manyWorkers: milliseconds })
const entrySchema = z.object({ onnxruntime: timing.exactOptional(), tfjs: timing.exactOptional(), ways: waysSchema.exactOptional() })
const fileSchema = z.object({ format: z.literal('maskscope-timings'), version: z.literal(1), models: z.record(z.string().regex(/^[0-9a-f]{64}$/), entrySchema) })

type Entry = ExecutorTimings & { ways?: WaysMeasured }

/** Those measured longest ago leave. */
const mostModels = 500

export interface ExecutorCacheOptions {
  /** Maskscope's own. */
  version: string
  /** Told once where the file is damaged or cannot be written: models are measured anew then. */
  onProblem?(message: string): void
  files?: Files
}

/**
 * How fast the executors ran each model on this machine, and in which way all cores did most, kept in a small file. Another model, preprocessing, processor, number of
 * cores or version of anything that computes is another entry.
 * @param file absolute
 */
export function createExecutorCache(file: string, { version, onProblem, files = createFiles() }: ExecutorCacheOptions): Timings {
  let told = false
  let known: Promise<Map<string, Entry>> | undefined
  let saving: Promise<void> = Promise.resolve()

  function problem(message: string): void {
    if (!told) onProblem?.(message)
    told = true
  }

  async function read(): Promise<Map<string, Entry>> {
    try {
      const parsed = fileSchema.safeParse(JSON.parse(await readFile(file, 'utf8')))
      if (parsed.success) return new Map(Object.entries(parsed.data.models))
      problem(`${file} is damaged; how fast models run is measured anew.`)
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'ENOENT') problem(`${file} cannot be read; how fast models run is measured anew. ${(error as Error).message}`)
    }
    return new Map()
  }

  function save(key: string, part: Entry): void {
    saving = saving.then(async () => {
      try {
        // Another program may have measured others meanwhile.
        const merged = await read()
        const entry = { ...merged.get(key), ...part }
        merged.delete(key)
        merged.set(key, entry)
        const models = Object.fromEntries([...merged].slice(-mostModels))
        await files.makeFolder(path.dirname(file))
        await files.write(file, `${JSON.stringify({ format: 'maskscope-timings', version: 1, models }, undefined, 2)}\n`)
      } catch (error) {
        problem(`How fast models run is measured anew next time. ${(error as Error).message}`)
      }
    })
  }

  async function entryOf(subject: TimingSubject): Promise<Entry> {
    known ??= read()
    return (await known).get(keyOf(subject, version)) ?? {}
  }

  function keep(subject: TimingSubject, part: Entry): void {
    const key = keyOf(subject, version)
    known = (known ?? read()).then((models) => models.set(key, { ...models.get(key), ...part }))
    save(key, part)
  }

  return {
    async find(subject) {
      const { ways: _ways, ...timings } = await entryOf(subject)
      return Object.keys(timings).length > 0 ? timings : null
    },
    keep,
    findWays: async (subject) => (await entryOf(subject)).ways ?? null,
    keepWays: (subject, ways) => keep(subject, { ways }),
    settled: async () => {
      await known
      await saving
    },
  }
}

function keyOf(subject: TimingSubject, version: string): string {
  const machine = [cpus()[0]?.model.trim() ?? 'unknown', availableParallelism(), process.platform, process.arch]
  return createHash('sha256').update(JSON.stringify([plain(subject), machine, version])).digest('hex')
}

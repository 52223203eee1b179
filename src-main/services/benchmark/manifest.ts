import { readFile } from 'node:fs/promises'
import path from 'node:path'
import { isDeepStrictEqual } from 'node:util'
import { z } from 'zod'
import { MaskscopeError } from '#shared/domain/errors.ts'
import { executorIds } from '#shared/domain/executor.ts'
import { parseJson } from '../files.ts'

const value = z.union([z.number(), z.string(), z.boolean()])
const model = z.object({ name: z.string(), sha256: z.string(), key: z.string() })

const schema = z.object({
  format: z.literal('maskscope benchmark 1'),
  version: z.string(),
  model,
  judge: model.nullable(),
  data: z.string(),
  /** Of the data set, the limit applied. */
  images: z.int(),
  entries: z.array(z.object({ name: z.string(), method: z.string(), parameters: z.record(z.string(), value), draws: z.int() })),
  metrics: z.array(z.string()),
  seed: z.int(),
  /** Images that are explained together. */
  chunk: z.int(),
  /** What computed. Kept when the work goes on, so that all of it comes from one. */
  executor: z.enum(executorIds),
  backend: z.string(),
  keepMaps: z.boolean(),
  /** null: all of it. */
  shard: z.object({ index: z.int(), count: z.int() }).nullable(),
})

/** What was asked for: everything that the results depend on. */
export type BenchmarkManifest = z.infer<typeof schema>

export const manifestFile = 'benchmark.json'

/** @returns undefined where the folder holds no benchmark. @throws MaskscopeError 'input' where it cannot be read */
export async function readManifest(folder: string): Promise<BenchmarkManifest | undefined> {
  const file = path.join(folder, manifestFile)
  const bytes = await readFile(file).catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT' || error.code === 'ENOTDIR') return undefined
    throw new MaskscopeError('input', `The file ${file} cannot be read (${error.code}).`, { subject: file, cause: error })
  })
  if (!bytes) return undefined
  const parsed = schema.safeParse(parseJson(bytes, file, 'benchmark'))
  if (parsed.success) return parsed.data
  throw new MaskscopeError('input', `The benchmark ${file} is not one that this version reads (at ${parsed.error.issues[0]!.path.join('.')}).`, { subject: file })
}

const names: Partial<Record<keyof BenchmarkManifest, string>> = {
  version: 'version of Maskscope', model: 'model', judge: 'judge', data: 'data', images: 'number of images', entries: 'methods and their parameters', metrics: 'metrics',
  seed: 'seed', shard: 'shard', keepMaps: 'choice to keep maps',
}

/** What two benchmarks differ in, in words; null: nothing that results depend on. */
export function differenceOf(a: BenchmarkManifest, b: BenchmarkManifest, but: readonly (keyof BenchmarkManifest)[] = []): string | null {
  const keys = (Object.keys(schema.shape) as (keyof BenchmarkManifest)[]).filter((key) => !but.includes(key))
  const differing = keys.find((key) => !isDeepStrictEqual(a[key], b[key]))
  return differing === undefined ? null : (names[differing] ?? differing)
}

/** Why what is stored cannot go on as what is wanted, in words; null: it is the same, or the wanted one has more images or methods besides. */
export function hindrance(stored: BenchmarkManifest, wanted: BenchmarkManifest): string | null {
  const differing = differenceOf(stored, wanted, ['images', 'entries'])
  if (differing !== null) return differing
  if (wanted.images < stored.images) return names.images!
  return stored.entries.every((entry) => wanted.entries.some((other) => isDeepStrictEqual(entry, other))) ? null : names.entries!
}

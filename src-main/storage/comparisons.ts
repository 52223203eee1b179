import { readdir } from 'node:fs/promises'
import path from 'node:path'
import { z } from 'zod'
import { comparisonBoard, comparisonFormat, comparisonVersion } from '#shared/contract/comparison.ts'
import { MaskscopeError } from '#shared/domain/errors.ts'
import { preprocessingSchema } from './manifests.ts'

/** Below the study. */
export const comparisonsFolder = 'comparisons'
const ending = '.json'

const sha256 = z.string().regex(/^[0-9a-f]{64}$/)

/** How a picture of the grid is found again; its bytes are an input of the study. */
const imageSchema = z.object({
  /** What a person calls it. */
  name: z.string().max(4096),
  shown: z.enum(['file', 'scene', 'pasted']),
  kind: z.enum(['file', 'scene']),
  /** `scene:SEED`, or the absolute path of a file. */
  reference: z.string().max(4096),
  /** As a member of a data set, e.g. `boxes:DIR#3`. */
  member: z.string().max(4096).nullable(),
  file: z.string().max(200),
  sha256,
  width: z.number().int().positive(),
  height: z.number().int().positive(),
  label: z.string().max(4096).nullable(),
  truth: z.boolean(),
})
export type StoredImage = z.infer<typeof imageSchema>

const modelSchema = z.object({
  name: z.string().max(4096),
  sha256,
  /** A bundled model's name, or an absolute path. */
  place: z.string().max(4096),
  stated: z.object({
    card: z.string().optional(), fit: preprocessingSchema.shape.fit.optional(), range: preprocessingSchema.shape.range.optional(),
    mean: preprocessingSchema.shape.mean.optional(), std: preprocessingSchema.shape.std.optional(), labels: z.string().optional(), inputScale: preprocessingSchema.shape.inputScale,
  }),
})
export type StoredModel = z.infer<typeof modelSchema>

const fileSchema = z.object({
  format: z.literal(comparisonFormat),
  version: z.literal(comparisonVersion),
  /** ISO 8601, UTC. */
  changed: z.string(),
  board: z.custom<z.infer<typeof comparisonBoard>>((value) => comparisonBoard.safeParse(value).success),
  images: z.record(z.string(), imageSchema),
  models: z.record(z.string(), modelSchema),
  runs: z.record(z.string(), z.string()),
})
/** comparisons/NAME.json */
export type ComparisonFile = z.infer<typeof fileSchema>

/** @param id of a comparison @throws MaskscopeError 'storage' for anything but an id */
export function comparisonPath(study: string, id: string): string {
  if (!/^[a-z0-9-]{1,40}$/.test(id)) throw new MaskscopeError('storage', `"${id}" is not the name of a comparison.`, { subject: id })
  return path.join(study, comparisonsFolder, `${id}${ending}`)
}

/** The ids of a study's comparisons, by name. */
export async function listComparisons(study: string): Promise<string[]> {
  const names = await readdir(path.join(study, comparisonsFolder)).catch((): string[] => [])
  return names.filter((name) => /^[a-z0-9-]{1,40}\.json$/.test(name)).map((name) => name.slice(0, -ending.length)).sort()
}

/** @throws MaskscopeError 'storage' naming the file */
export function parseComparison(text: string, file: string): ComparisonFile {
  try {
    return fileSchema.parse(JSON.parse(text))
  } catch (cause) {
    throw new MaskscopeError('storage', `${file} is no comparison that this version can read; move it out of the study, or open it with the version that wrote it.`, { subject: file, cause })
  }
}

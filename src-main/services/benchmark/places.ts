import { readFile } from 'node:fs/promises'
import path from 'node:path'
import { z } from 'zod'
import { createFiles } from '#storage/files.ts'
import type { LoadedModel, ModelOptions } from '../models.ts'

const file = 'places.json'

const numbers = z.array(z.number())
const place = z.object({
  /** A bundled model's name, or an absolute path. */
  place: z.string(),
  stated: z.object({
    card: z.string().optional(), fit: z.enum(['squash', 'crop']).optional(), range: z.tuple([z.number(), z.number()]).optional(), mean: numbers.optional(), std: numbers.optional(),
    labels: z.string().optional(), inputScale: z.number().optional(),
  }),
})
const schema = z.object({ model: place, judge: place.nullable(), configurations: z.boolean() })

/** Where the models of a benchmark lie: of this machine, so outside of what is the same every time. */
export interface Places {
  model: { place: string; stated: ModelOptions }
  judge: { place: string; stated: ModelOptions } | null
  /** Parameters beside the usual ones lie in `configs.json`. */
  configurations: boolean
}

export const configurationsFile = 'configs.json'

export async function writePlaces(folder: string, places: Places, configurations: object): Promise<void> {
  const files = createFiles()
  await files.makeFolder(folder)
  if (places.configurations) await files.write(path.join(folder, configurationsFile), `${JSON.stringify({ methods: configurations }, undefined, 2)}\n`)
  await files.write(path.join(folder, file), `${JSON.stringify(places, undefined, 2)}\n`)
}

/** @returns null where nobody has written them, or they cannot be read */
export async function readPlaces(folder: string): Promise<Places | null> {
  try {
    return schema.parse(JSON.parse(await readFile(path.join(folder, file), 'utf8'))) as Places
  } catch {
    return null
  }
}

export function placeOf({ bundled, file: found }: Pick<LoadedModel, 'bundled' | 'file'>, stated: ModelOptions): Places['model'] {
  return { place: bundled ?? found, stated }
}


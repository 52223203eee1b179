import { readdir } from 'node:fs/promises'
import path from 'node:path'
import { z } from 'zod'
import { MaskscopeError } from '#shared/domain/errors.ts'
import type { VariationSet } from '#shared/domain/reconstruction.ts'
import type { Files } from './files.ts'
import { formatJson } from './migrations.ts'
import { encodeNpy, readNpy } from './npy.ts'
import { readText, reconstructionPath } from './reconstructions.ts'

/**
 * Variations that a person kept, in `reconstructions/ID/variations/NAME/`: `pictures.npy`, float32 [2 + N, height, width,
 * channels] in [0, 1] (the image, its salient input, the variations), and `variations.json`, written last.
 */
const setsFolder = 'variations'
const picturesFile = 'pictures.npy'
const manifestFile = 'variations.json'
const format = 'maskscope-variations'
const version = 1

const manifestSchema = z.object({
  format: z.literal(format),
  version: z.literal(version),
  /** What a person calls the image. */
  image: z.string().max(4096),
  outcome: z.object({ class: z.number().int().nonnegative(), label: z.string().nullable(), probability: z.number() }),
  temperature: z.number(),
  seed: z.number().int().nonnegative(),
  variations: z.array(z.object({ probability: z.number(), accepted: z.boolean() })).max(1000),
})
export type VariationSetManifest = z.infer<typeof manifestSchema>

export interface StoredVariationSet {
  manifest: VariationSetManifest
  /** [2 + N, height, width, channels] */
  pictures: { count: number; height: number; width: number; channels: number; data: Float32Array }
}

/** @throws MaskscopeError 'storage' for anything but a name of small letters, digits and hyphens */
function setPath(study: string, reconstruction: string, name: string): string {
  if (!/^[a-z0-9]+(-[a-z0-9]+)*$/.test(name) || name.length > 60) {
    throw new MaskscopeError('storage', `"${name}" is not the name of kept variations: small letters, digits and hyphens.`, { subject: name })
  }
  return path.join(reconstructionPath(study, reconstruction), setsFolder, name)
}

/** Keeps variations of one image with their reconstruction, so that figures can show them. @throws MaskscopeError 'storage' */
export async function writeVariationSet(
  files: Files, place: { study: string; reconstruction: string; name: string }, set: VariationSet, about: { image: string; label: string | null; temperature: number; seed: number },
): Promise<void> {
  const folder = setPath(place.study, place.reconstruction, place.name)
  const { height, width, channels } = set.size
  const length = height * width * channels
  const data = new Float32Array(length * (2 + set.variations.length))
  ;[set.image, set.salient, ...set.variations.map(({ image }) => image)].forEach((picture, i) => data.set(picture, i * length))
  const manifest: VariationSetManifest = {
    format, version, image: about.image, outcome: { ...set.outcome, label: about.label }, temperature: about.temperature, seed: about.seed,
    variations: set.variations.map(({ probability, accepted }) => ({ probability, accepted })),
  }
  await files.makeFolder(folder)
  await files.write(path.join(folder, picturesFile), ...encodeNpy({ shape: [2 + set.variations.length, height, width, channels], data }))
  await files.write(path.join(folder, manifestFile), formatJson(manifest))
}

/** The names of what was kept of a reconstruction. */
export async function listVariationSets(study: string, reconstruction: string): Promise<string[]> {
  const names = await readdir(path.join(reconstructionPath(study, reconstruction), setsFolder)).catch((): string[] => [])
  return names.filter((name) => /^[a-z0-9]+(-[a-z0-9]+)*$/.test(name)).sort()
}

/** @throws MaskscopeError 'storage' where it is not there or damaged */
export async function readVariationSet(study: string, reconstruction: string, name: string): Promise<StoredVariationSet> {
  const folder = setPath(study, reconstruction, name)
  const file = path.join(folder, manifestFile)
  const text = await readText(file)
  if (text === null) throw new MaskscopeError('storage', `The reconstruction ${reconstruction} keeps no variations "${name}". Keep some in the Reconstruct view, or choose others.`, { subject: name })
  let manifest: VariationSetManifest
  try {
    manifest = manifestSchema.parse(JSON.parse(text))
  } catch (cause) {
    throw new MaskscopeError('storage', `${file} cannot be read; keep the variations again.`, { subject: file, cause })
  }
  const { shape, data } = await readNpy(path.join(folder, picturesFile))
  const [count, height, width, channels] = shape
  if (shape.length !== 4 || !(data instanceof Float32Array) || count !== 2 + manifest.variations.length || (channels !== 1 && channels !== 3)) {
    throw new MaskscopeError('storage', `${path.join(folder, picturesFile)} does not belong to ${manifestFile} beside it; keep the variations again.`, { subject: folder })
  }
  return { manifest, pictures: { count, height: height!, width: width!, channels, data } }
}

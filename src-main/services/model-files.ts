import { open, readFile, stat } from 'node:fs/promises'
import { createHash } from 'node:crypto'
import path from 'node:path'
import { z } from 'zod'
import { MaskscopeError } from '#shared/domain/errors.ts'
import type { TfjsSource, WeightSpec } from '#shared/domain/model.ts'
import { parseJson, readSmallFile } from './files.ts'

/** What a TF.js model's own files hold. */
export type ModelFiles = Pick<TfjsSource, 'format' | 'topology' | 'weightSpecs' | 'weightData' | 'sha256'>

const size = z.number().int().nonnegative()
const quantization = z.looseObject({
  dtype: z.enum(['uint8', 'uint16', 'float16']),
  scale: z.number().optional(),
  min: z.number().optional(),
  original_dtype: z.string().optional(),
})
const weightSpec = z.looseObject({
  name: z.string(),
  shape: z.array(size),
  dtype: z.enum(['float32', 'int32', 'bool', 'uint8', 'uint16', 'complex64', 'string']),
  quantization: quantization.optional(),
})
const modelSchema = z.looseObject({
  format: z.string().nullish(),
  modelTopology: z.looseObject({}),
  weightsManifest: z.array(z.looseObject({ paths: z.array(z.string().min(1)), weights: z.array(weightSpec) })),
})

const bytesPer: Record<string, number> = {
  float32: 4, int32: 4, bool: 1, uint8: 1, uint16: 2, float16: 2, complex64: 8,
}
const topologyLimit = 256 << 20
const weightsLimit = 2 ** 31

/**
 * Reads model.json and its shards.
 * @throws MaskscopeError 'input' naming the file or field, for whatever is missing, cut off, too long or no model.
 */
export async function readModelFiles(file: string): Promise<ModelFiles> {
  const bytes = await readSmallFile(file, 'model file', topologyLimit)
  const parsed = modelSchema.safeParse(parseJson(bytes, file, 'model file'))
  if (!parsed.success) {
    const issue = parsed.error.issues[0]!
    const field = issue.path.join('.')
    throw bad(file, `is no TF.js model: ${field === '' ? 'it' : `"${field}"`} ${issue.message.replace(/^Invalid input: /, 'is wrong, ')}; save the model anew`, field)
  }
  const { modelTopology: topology, weightsManifest, format } = parsed.data
  const hash = createHash('sha256').update(bytes)
  const weightSpecs: WeightSpec[] = []
  const groups: { paths: string[]; bytes: number }[] = []
  for (const group of weightsManifest) {
    let expected = 0
    for (const spec of group.weights) {
      expected += bytesOf(spec as WeightSpec, file)
      weightSpecs.push(spec as WeightSpec)
    }
    groups.push({ paths: group.paths.map((p) => shardPath(p, file)), bytes: expected })
  }
  const total = groups.reduce((sum, g) => sum + g.bytes, 0)
  if (total > weightsLimit) throw bad(file, `states ${total} bytes of weights, more than the ${weightsLimit} that are read`, 'weightsManifest')
  for (const group of groups) await checkShards(group.paths, group.bytes, file)

  const weightData = new Uint8Array(total)
  let offset = 0
  for (const group of groups) {
    for (const shard of group.paths) {
      const data = await readFile(shard)
      // The sizes were checked, so this fails only when a file changes meanwhile.
      if (offset + data.length > total) throw bad(shard, 'grew while it was read; try again')
      weightData.set(data, offset)
      offset += data.length
      hash.update(data)
    }
  }
  return { format: recognise(topology, format ?? undefined, file), topology, weightSpecs, weightData, sha256: hash.digest('hex') }
}

/** The topology itself decides; `format` is a hint that some converters leave out. */
function recognise(topology: Record<string, unknown>, format: string | undefined, file: string): TfjsSource['format'] {
  if (Array.isArray(topology['node'])) return 'tfjs-graph'
  if (topology['model_config'] !== undefined || topology['class_name'] !== undefined) return 'tfjs-layers'
  throw bad(file, `holds neither a layers model nor a graph model${format === undefined ? '' : ` (it calls itself "${format}")`}; convert the model with tensorflowjs_converter`, 'modelTopology')
}

function bytesOf(spec: WeightSpec, file: string): number {
  const dtype = spec.quantization?.dtype ?? spec.dtype
  const bytes = bytesPer[dtype]
  if (bytes === undefined) throw bad(file, `holds the weight "${spec.name}" of type ${dtype}, which a classifier has no use for`, spec.name)
  return spec.shape.reduce((product, n) => product * n, bytes)
}

/** @throws where a shard lies outside the model's folder: a model from elsewhere must not read other files. */
function shardPath(name: string, file: string): string {
  const folder = path.dirname(path.resolve(file))
  const resolved = path.resolve(folder, name)
  const inside = resolved.startsWith(folder + path.sep) || (folder === path.parse(folder).root && resolved !== folder)
  if (!inside || path.isAbsolute(name) || /[\\\0]|^[a-z]+:/i.test(name)) {
    throw bad(file, `names the weights file "${name}", which is not in the model's own folder; put it there and write its plain name`, 'weightsManifest')
  }
  return resolved
}

async function checkShards(paths: readonly string[], expected: number, file: string): Promise<void> {
  let found = 0
  for (const shard of paths) {
    try {
      const info = await stat(shard)
      if (!info.isFile()) throw bad(shard, 'is a folder where a weights file should be')
      found += info.size
      await (await open(shard, 'r')).close()
    } catch (error) {
      if (error instanceof MaskscopeError) throw error
      const code = (error as NodeJS.ErrnoException).code
      const problem = code === 'ENOENT' ? 'is missing; put it beside' : `cannot be read (${code}); check it beside`
      throw new MaskscopeError('input', `The weights file ${shard} ${problem} ${path.basename(file)}.`, { subject: shard, cause: error })
    }
  }
  if (found === expected) return
  const names = paths.map((p) => path.basename(p)).join(', ')
  const what = paths.length === 1 ? `The weights file ${names} of ${file} is` : `The weights files ${names} of ${file} are together`
  const problem = found < expected ? 'too short' : 'too long'
  const why = found < expected ? '' : 'it may belong to another model: '
  throw new MaskscopeError('input', `${what} ${problem} (${found} bytes where model.json states ${expected}); ${why}copy or download it again.`, {
    subject: paths[0] ?? file,
  })
}

function bad(file: string, what: string, field?: string): MaskscopeError {
  return new MaskscopeError('input', `The model file ${file} ${what}.`, { subject: field === undefined || field === '' ? file : field })
}

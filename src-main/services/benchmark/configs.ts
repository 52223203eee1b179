import { z } from 'zod'
import { findMethod } from '#engine/methods/registry.ts'
import { MaskscopeError } from '#shared/domain/errors.ts'
import { resolveParameters } from '#shared/domain/parameters.ts'
import { readJsonFile } from '../files.ts'
import { methodOfEntry, type Configurations } from './entries.ts'

/** What a tuner writes and a benchmark reads. Other fields tell where it comes from. */
const schema = z.object({ methods: z.record(z.string(), z.record(z.string(), z.union([z.number(), z.string(), z.boolean()]))) })

/** @throws MaskscopeError 'input' where the file is none, 'usage' naming a method or parameter that does not exist */
export async function readConfigs(file: string): Promise<Configurations> {
  const parsed = schema.safeParse(await readJsonFile(file, 'configs file', 16 << 20))
  if (!parsed.success) {
    const [issue] = parsed.error.issues
    throw new MaskscopeError('input', `The configs file ${file} is not understood at ${issue!.path.join('.') || 'its top'}; it holds { "methods": { ID: { PARAMETER: VALUE } } }.`, { subject: file })
  }
  for (const [name, values] of Object.entries(parsed.data.methods)) {
    try {
      resolveParameters(findMethod(methodOfEntry(name)), values)
    } catch (error) {
      if (!(error instanceof MaskscopeError)) throw error
      throw new MaskscopeError(error.code, `In the configs file ${file}, at ${name}: ${error.message}`, { subject: file, cause: error })
    }
  }
  return parsed.data.methods
}

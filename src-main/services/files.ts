import { readFile, stat } from 'node:fs/promises'
import { MaskscopeError } from '#shared/domain/errors.ts'

/**
 * Reads a text file that a person handed over.
 * @param what names the kind of file in messages, e.g. "model card"
 * @param limit in bytes, checked before reading
 * @throws MaskscopeError 'input' naming the file.
 */
export async function readSmallFile(file: string, what: string, limit: number): Promise<Uint8Array> {
  const fail = (problem: string, cause?: unknown): never => {
    throw new MaskscopeError('input', `The ${what} ${file} ${problem}.`, { subject: file, cause })
  }
  try {
    const { size } = await stat(file)
    if (size > limit) fail(`has ${size} bytes, more than the ${limit} that are read`)
    return await readFile(file)
  } catch (error) {
    if (error instanceof MaskscopeError) throw error
    const code = (error as NodeJS.ErrnoException).code
    if (code === 'ENOENT') return fail('does not exist; check its name and folder', error)
    if (code === 'EISDIR') return fail('is a folder; name the file itself', error)
    if (code === 'EACCES' || code === 'EPERM') return fail('may not be read; check its permissions', error)
    return fail(`cannot be read (${(error as Error).message})`, error)
  }
}

/** @throws MaskscopeError 'input' naming the file, as `readSmallFile`, and where it is no whole JSON. */
export async function readJsonFile(file: string, what: string, limit: number): Promise<unknown> {
  return parseJson(await readSmallFile(file, what, limit), file, what)
}

export function parseJson(bytes: Uint8Array, file: string, what: string): unknown {
  const text = new TextDecoder().decode(bytes)
  try {
    return JSON.parse(text.replace(/^\uFEFF/, ''))
  } catch (cause) {
    const reason = (cause as Error).message
    const cut = /end of JSON|Unterminated/i.test(reason)
    const problem = text.trim() === '' ? 'is empty' : cut ? 'is cut off: its JSON does not end' : `is no valid JSON (${reason})`
    throw new MaskscopeError('input', `The ${what} ${file} ${problem}; copy or download it again.`, { subject: file, cause })
  }
}

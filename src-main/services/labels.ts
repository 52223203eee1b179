import { MaskscopeError } from '#shared/domain/errors.ts'
import { readSmallFile } from './files.ts'

/**
 * Reads a labels file: one label per line, in class order; a newline at the end adds none.
 * @throws MaskscopeError 'input' naming the file and line.
 */
export async function readLabels(file: string): Promise<string[]> {
  const text = new TextDecoder().decode(await readSmallFile(file, 'labels file', 64 << 20)).replace(/^\uFEFF/, '')
  const lines = text.split(/\r?\n/)
  if (lines[lines.length - 1] === '') lines.pop()
  const empty = lines.findIndex((line) => line.trim() === '')
  if (lines.length === 0 || empty >= 0) {
    const where = lines.length === 0 ? 'is empty' : `has nothing on line ${empty + 1}`
    throw new MaskscopeError('input', `The labels file ${file} ${where}; write one label per line, in the order of the classes.`, { subject: file })
  }
  return lines.map((line) => line.trim())
}

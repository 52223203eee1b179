import * as z from 'zod/mini'
import en from 'zod/v4/locales/en.js'
import { MaskscopeError } from '../domain/errors.ts'

// Without a locale every message is "Invalid input".
z.config(en())

/**
 * Reads what came over a border by its schema; fields that the schema does not name are left out.
 * @param name of the call or stream
 * @throws MaskscopeError 'usage' that names the first wrong field, which is also its subject
 */
export function parse(schema: z.ZodMiniType, value: unknown, name: string): unknown {
  const result = schema.safeParse(value)
  if (result.success) return result.data
  const issue = result.error.issues[0]!
  const field = issue.path.map(String).join('.')
  const what = issue.message === 'Invalid input' ? 'it is of the wrong kind or too large' : issue.message.replace(/^Invalid input: /, '').slice(0, 300)
  throw new MaskscopeError('usage', `${name}: ${field === '' ? 'the question' : `the field "${field}"`} cannot be used: ${what}.`, { subject: field || name })
}

import type { z } from 'zod'
import { MaskscopeError } from '#shared/domain/errors.ts'
import {
  recordFormat, recordVersion, runFormat, runManifestSchema, runRecordSchema, runVersion, studyFormat, studyManifestSchema, studyVersion,
  type RunManifest, type RunRecord, type StudyManifest,
} from './manifests.ts'

/**
 * `steps[v]` turns a document of version v into one of version v + 1. A step is added with the version that needs it and
 * never taken away.
 */
type Step = (document: Record<string, unknown>) => Record<string, unknown>
const studySteps: Record<number, Step> = {}
/** From version 2 on parameters may change on the way; a reader that knows nothing of it would make another run again. */
const runSteps: Record<number, Step> = {
  1: (run) => ({ ...run, order: withChanges(run['order']) }),
  // From version 3 on there is more than one executor, and a run made again by another has other bytes.
  2: (run) => ({ ...run, order: withExecutor(run['order']), versions: { onnxruntime: null, ...(run['versions'] as object | undefined) } }),
}
/** From version 2 on a run has a record before it begins, which holds no order yet. */
const recordSteps: Record<number, Step> = {
  1: (record) => {
    const order = withChanges(record['order'])
    // The schema takes of it what a request has.
    return { ...record, request: order, order }
  },
  2: (record) => ({ ...record, request: withExecutor(record['request']), order: withExecutor(record['order']), executor: null }),
}

function withChanges(order: unknown): unknown {
  return typeof order === 'object' && order !== null ? { changes: [], ...order } : order
}

function withExecutor(order: unknown): unknown {
  return typeof order === 'object' && order !== null ? { executor: 'tfjs', ...order } : order
}

/** @throws MaskscopeError 'storage' naming the file and the field that is wrong. */
export function parseStudyManifest(text: string, file: string): StudyManifest {
  return parseDocument(migrate(parseJson(text, file), { format: studyFormat, version: studyVersion, steps: studySteps }, file), studyManifestSchema, file)
}

/** @throws MaskscopeError 'storage' naming the file and the field that is wrong. */
export function parseRunManifest(text: string, file: string): RunManifest {
  return parseDocument(migrate(parseJson(text, file), { format: runFormat, version: runVersion, steps: runSteps }, file), runManifestSchema, file)
}

/** @throws MaskscopeError 'storage' naming the file and the field that is wrong. */
export function parseRunRecord(text: string, file: string): RunRecord {
  const document = parseJson(text, file)
  // Those of version 1 did not say so.
  const marked = 'format' in document ? document : { ...document, format: recordFormat, version: 1 }
  return parseDocument(migrate(marked, { format: recordFormat, version: recordVersion, steps: recordSteps }, file), runRecordSchema, file)
}

/** Exported for its tests. */
export function migrate(
  document: Record<string, unknown>,
  target: { format: string; version: number; steps: Record<number, Step> },
  file: string,
): Record<string, unknown> {
  if (document['format'] !== target.format) throw broken(file, `its "format" is not "${target.format}"`)
  const version = document['version']
  if (typeof version !== 'number' || !Number.isInteger(version) || version < 1) throw broken(file, 'its "version" is not a whole number')
  if (version > target.version) {
    throw new MaskscopeError('storage', `${file} was written by a newer Maskscope (format ${version}, this one reads up to ${target.version}). Update Maskscope.`, { subject: file })
  }
  let current = document
  for (let v = version; v < target.version; v++) {
    const step = target.steps[v]
    if (!step) throw broken(file, `its format ${v} can no longer be read`)
    current = { ...step(current), version: v + 1 }
  }
  return current
}

function parseJson(text: string, file: string): Record<string, unknown> {
  let parsed: unknown
  try {
    parsed = JSON.parse(text)
  } catch {
    throw broken(file, 'it is not whole JSON')
  }
  if (typeof parsed !== 'object' || parsed === null || Array.isArray(parsed)) throw broken(file, 'it is not a JSON object')
  return parsed as Record<string, unknown>
}

function parseDocument<Schema extends z.ZodType>(document: unknown, schema: Schema, file: string): z.infer<Schema> {
  const result = schema.safeParse(document)
  if (result.success) return result.data
  const issue = result.error.issues[0]
  throw broken(file, issue ? `${issue.path.join('.') || 'it'}: ${issue.message}` : 'it does not have the fields of this format')
}

function broken(file: string, why: string): MaskscopeError {
  return new MaskscopeError('storage', `${file} cannot be read: ${why}.`, { subject: file })
}

/** JSON as it is written to a study: two spaces, arrays of numbers on one line, a newline at the end. */
export function formatJson(value: unknown): string {
  // Only arrays written over several lines match, and a JSON string cannot hold a raw newline.
  return JSON.stringify(value, null, 2).replace(/\[\n\s*([-+\d.eE,\s]+?)\n\s*\]/g, (_, body: string) => `[${body.replace(/\s*\n\s*/g, ' ')}]`) + '\n'
}

import { existsSync } from 'node:fs'
import path from 'node:path'
import { z } from 'zod'
import { MaskscopeError } from '#shared/domain/errors.ts'
import { heads } from '#shared/domain/score.ts'
import { readJsonFile } from './files.ts'

const finite = z.number()

/**
 * `model-card.json`, or `NAME.model-card.json` for NAME.onnx: what a model file does not state. Every key is optional; other keys (how it was trained, what it
 * scored) are for people and kept unread.
 */
const cardSchema = z.looseObject({
  name: z.string().min(1).max(200).optional(),
  fit: z.enum(['squash', 'crop']).optional(),
  cropFraction: z.number().gt(0).max(1).optional(),
  resizeFilter: z.enum(['lanczos3', 'bicubic', 'bilinear', 'box']).optional(),
  range: z.tuple([finite, finite]).refine(([lo, hi]) => lo !== hi, 'its two ends must differ').optional(),
  mean: z.array(finite).min(1).max(4).optional(),
  std: z.array(z.number().positive()).min(1).max(4).optional(),
  channelOrder: z.enum(['rgb', 'bgr']).optional(),
  /** So many times the file's own input, both ways. */
  inputScale: z.int().min(1).max(8).optional(),
  /** One per class, or the name of a file beside the card with one per line. */
  labels: z.union([z.array(z.string()).min(1), z.string().min(1)]).optional(),
  head: z.enum(heads).optional(),
})

export type ModelCard = z.infer<typeof cardSchema>

const knownKeys = Object.keys(cardSchema.shape)

/**
 * @throws MaskscopeError 'input' naming the file and the field.
 */
export async function readModelCard(file: string): Promise<ModelCard> {
  const json = await readJsonFile(file, 'model card', 64 << 20)
  const parsed = cardSchema.safeParse(json)
  if (!parsed.success) {
    const issue = parsed.error.issues[0]!
    const field = issue.path.join('.')
    throw new MaskscopeError('input', `The model card ${file} is wrong${field === '' ? '' : ` at "${field}"`}: ${sentence(issue)}. Correct it and try again.`, {
      subject: field === '' ? file : field,
    })
  }
  for (const key of Object.keys(parsed.data)) {
    if (knownKeys.includes(key)) continue
    const meant = knownKeys.find((known) => isNearly(key, known))
    if (meant !== undefined) {
      throw new MaskscopeError('input', `The model card ${file} holds "${key}"; write it as "${meant}".`, { subject: key })
    }
  }
  return parsed.data
}

/** The card beside a model, if there is one: NAME.model-card.json for NAME.onnx, else model-card.json. */
export function cardBeside(modelFile: string): string | undefined {
  return [ownCard(modelFile), path.join(path.dirname(modelFile), plainCard)].find((file) => existsSync(file))
}

/** Where the card of a model belongs: ONNX files lie beside others, so they have cards of their own. */
export function ownCard(modelFile: string): string {
  const { dir, name, ext } = path.parse(modelFile)
  return path.join(dir, ext.toLowerCase() === '.onnx' && name !== 'model' ? `${name}.${plainCard}` : plainCard)
}

const plainCard = 'model-card.json'

/** @param name without folders */
export function isCard(name: string): boolean {
  return name === plainCard || name.endsWith(`.${plainCard}`)
}

function sentence(issue: z.core.$ZodIssue): string {
  if (issue.path[0] === 'labels') return 'it must be a list of texts, one per class, or the name of a file with one per line'
  return issue.message.replace(/^Invalid input: /, '')
}

/** Same letters but for case and separators, or one letter more, fewer or other, or two neighbours swapped. */
function isNearly(key: string, known: string): boolean {
  const a = key.toLowerCase().replace(/[_\s-]/g, '')
  const b = known.toLowerCase()
  if (a === b) return true
  let start = 0
  while (start < a.length && a[start] === b[start]) start++
  let end = 0
  while (end < Math.min(a.length, b.length) - start && a[a.length - 1 - end] === b[b.length - 1 - end]) end++
  const restA = a.slice(start, a.length - end)
  const restB = b.slice(start, b.length - end)
  if (Math.max(restA.length, restB.length) <= 1) return true
  return restA.length === 2 && restB.length === 2 && restA[0] === restB[1] && restA[1] === restB[0]
}

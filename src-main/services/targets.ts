import { MaskscopeError } from '#shared/domain/errors.ts'

/**
 * The class that a person means: `auto` (the clean image's top class), an index, a label, or `label:TEXT` for a label
 * that looks like an index or like `auto`. A label is looked for as a whole, then without regard to case, then as one of
 * the synonyms between commas, then as a part; the first of these that finds anything decides.
 * @param classes how many there are; null where it is not known yet, and an index is then not checked against it
 * @throws MaskscopeError 'usage' for an index out of range, an unknown label, or one that means several classes (they
 * are listed).
 */
export function resolveTarget(text: string, labels: readonly string[] | null, classes: number | null): number | 'auto' {
  const asLabel = /^label:/i.exec(text)
  if (asLabel) return findLabel(text.slice(asLabel[0].length), labels)
  if (text === 'auto') return 'auto'
  if (/^[+-]?\d+(\.\d*)?$/.test(text)) return checkIndex(text, classes)
  return findLabel(text, labels)
}

function checkIndex(text: string, classes: number | null): number {
  const index = Number(text)
  if (!Number.isInteger(index) || index < 0 || (classes !== null && index >= classes)) {
    const range = classes === null ? 'counted from 0' : `from 0 to ${classes - 1}`
    throw wrong(`Target ${text} is out of range: this model's classes have indices ${range}. For a label that looks like a number write "label:${text}".`)
  }
  return index
}

function findLabel(text: string, labels: readonly string[] | null): number {
  const wanted = text.trim()
  if (labels === null) {
    throw wrong(`Target "${text}" is a label, but this model has no labels; give the class's index, or the labels by --labels FILE.`)
  }
  if (wanted === '') throw wrong('The target is empty; give "auto", a class index or a label.')
  const lower = wanted.toLowerCase()
  const stages: ((label: string) => boolean)[] = [
    (label) => label === wanted,
    (label) => label.toLowerCase() === lower,
    (label) => label.toLowerCase().split(',').some((synonym) => synonym.trim() === lower),
    (label) => label.toLowerCase().includes(lower),
  ]
  for (const matches of stages) {
    const found = labels.flatMap((label, index) => (matches(label) ? [index] : []))
    if (found.length === 1) return found[0]!
    if (found.length > 1) {
      const shown = found.slice(0, 12).map((index) => `\n  ${index}  ${labels[index]}`).join('')
      const more = found.length > 12 ? `\n  and ${found.length - 12} more` : ''
      throw wrong(`Target "${text}" may mean ${found.length} classes; give the index of one:${shown}${more}`)
    }
  }
  throw wrong(`Target "${text}" is no label of this model; give another, a part of it, or the class's index (0 to ${labels.length - 1}).`)
}

function wrong(message: string): MaskscopeError {
  return new MaskscopeError('usage', message, { subject: '--target' })
}

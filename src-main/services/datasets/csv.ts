import { badFile } from './item.ts'

export interface CsvRow {
  /** In the file, counted from 1. */
  line: number
  fields: string[]
}

/**
 * Comma-separated values (RFC 4180): quoted fields may hold commas, quotes written twice, and line breaks. Lines with nothing on
 * them are skipped.
 * @param kind names the file in messages
 * @throws MaskscopeError 'input' naming file and line: a quote that does not end, text after a closing quote
 */
export function parseCsv(text: string, file: string, kind: string): CsvRow[] {
  const rows: CsvRow[] = []
  const source = text.replace(/^\uFEFF/, '')
  let line = 1
  let at = 0
  while (at < source.length) {
    const row: CsvRow = { line, fields: [] }
    for (;;) {
      const { value, next, lines } = source[at] === '"' ? quoted(source, at, line, file, kind) : plain(source, at)
      row.fields.push(value)
      line += lines
      at = next
      if (source[at] !== ',') break
      at++
    }
    if (source[at] === '\r') at++
    if (source[at] === '\n') at++
    else if (at < source.length && source[at - 1] !== '\r') throw badFile(kind, file, `has text after a closing quote on line ${line}`)
    line++
    if (row.fields.length > 1 || row.fields[0]!.trim() !== '') rows.push(row)
  }
  return rows
}

interface Field {
  value: string
  next: number
  /** Line breaks inside. */
  lines: number
}

function plain(source: string, at: number): Field {
  let next = at
  while (next < source.length && !',\r\n'.includes(source[next]!)) next++
  return { value: source.slice(at, next).trim(), next, lines: 0 }
}

function quoted(source: string, at: number, line: number, file: string, kind: string): Field {
  let value = ''
  for (let from = at + 1; ;) {
    const end = source.indexOf('"', from)
    if (end < 0) throw badFile(kind, file, `has a quote on line ${line} that does not end`)
    value += source.slice(from, end)
    if (source[end + 1] !== '"') return { value, next: end + 1, lines: value.split('\n').length - 1 }
    value += '"'
    from = end + 2
  }
}

import { MaskscopeError } from '#shared/domain/errors.ts'

/** The course of an optimisation: one row per iteration, one column per named loss, then the target's probability. */
export interface LossTable {
  /** E.g. `iteration`, the loss terms, `total`, `probability`; the first is always `iteration`, the last `probability`. */
  columns: readonly string[]
  /** Each of the length of `columns`. */
  rows: readonly (readonly number[])[]
}

export interface LossRow {
  iteration: number
  losses: Record<string, number>
  probability: number
}

/** The names of the losses are those of the first row, in its order; a term that a later row lacks becomes NaN. */
export function lossTable(rows: readonly LossRow[]): LossTable {
  const names = Object.keys(rows[0]?.losses ?? {})
  return {
    columns: ['iteration', ...names, 'probability'],
    rows: rows.map((row) => [row.iteration, ...names.map((name) => row.losses[name] ?? Number.NaN), row.probability]),
  }
}

/** RFC 4180 with \n; numbers in the shortest form that reads back to the same double, as pandas and numpy read them. */
export function encodeLosses(table: LossTable): string {
  return [table.columns.map(quote).join(','), ...table.rows.map((row) => row.map(String).join(','))].join('\n') + '\n'
}

/** @throws MaskscopeError 'storage' where the text is not such a table. */
export function decodeLosses(text: string, name: string): LossTable {
  const lines = text.split(/\r?\n/).filter((line) => line !== '')
  const columns = splitHeader(lines[0] ?? '')
  const rows = lines.slice(1).map((line, i) => {
    const row = line.split(',').map((cell) => (cell === '' ? Number.NaN : Number(cell)))
    const broken = row.length !== columns.length || row.some((value, k) => Number.isNaN(value) && !/^(nan)?$/i.test(line.split(',')[k]!))
    if (broken) throw notLosses(name, `line ${i + 2} does not hold ${columns.length} numbers`)
    return row
  })
  if (columns[0] !== 'iteration' || columns[columns.length - 1] !== 'probability') {
    throw notLosses(name, 'its first column is not "iteration" or its last not "probability"')
  }
  return { columns, rows }
}

function quote(name: string): string {
  return /[",\n\r]/.test(name) ? `"${name.replaceAll('"', '""')}"` : name
}

function splitHeader(line: string): string[] {
  const cells = line.match(/("([^"]|"")*"|[^,]*)(,|$)/g) ?? []
  const names = cells.map((cell) => cell.replace(/,$/, '')).map((cell) => (cell.startsWith('"') ? cell.slice(1, -1).replaceAll('""', '"') : cell))
  // The pattern also matches the empty end of the line.
  return line.endsWith(',') ? names : names.slice(0, -1)
}

function notLosses(name: string, why: string): MaskscopeError {
  return new MaskscopeError('storage', `${name} is not a table of losses: ${why}.`, { subject: name })
}

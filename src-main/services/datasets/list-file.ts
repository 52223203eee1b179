import path from 'node:path'
import { readSmallFile } from '../files.ts'
import { labelledFile } from './class-folders.ts'
import { parseCsv } from './csv.ts'
import { badFile, type DataItem, type Label } from './item.ts'

const kind = 'list'
const sizeLimit = 64 << 20
/** How the columns may be called: the first of each is the documented name. */
const textColumns = ['class', 'label']

/**
 * `list:FILE.csv`: one image a row. The header names `file` (relative to the list) and `class` (a label) or `class_index`, or both;
 * other columns are passed over.
 * @throws MaskscopeError 'input' naming file, line and column
 */
export async function listItems(file: string): Promise<DataItem[]> {
  const text = new TextDecoder().decode(await readSmallFile(file, kind, sizeLimit))
  const [header, ...rows] = parseCsv(text, file, kind)
  const columns = (header?.fields ?? []).map((name) => name.trim().toLowerCase())
  const column = (name: string): number => columns.indexOf(name)
  const textColumn = textColumns.map(column).find((at) => at >= 0) ?? -1
  const indexColumn = column('class_index')
  if (column('file') < 0 || (textColumn < 0 && indexColumn < 0)) {
    throw badFile(kind, file, `has no header that is understood; its first line must name the columns file and class or class_index${header ? `, and is "${header.fields.join(',').slice(0, 80)}"` : ''}`)
  }
  if (rows.length === 0) throw badFile(kind, file, 'names no images')
  return rows.map(({ line, fields }, i) => {
    if (fields.length !== columns.length) throw badFile(kind, file, `has ${fields.length} values on line ${line}; its header has ${columns.length}`)
    const name = fields[column('file')]!
    if (name === '') throw badFile(kind, file, `has no file name on line ${line}`)
    const label = labelOf(file, line, fields[textColumn], fields[indexColumn])
    return labelledFile(path.isAbsolute(name) ? name : path.join(path.dirname(file), name), label, `list:${file}#${i}`)
  })
}

function labelOf(file: string, line: number, text: string | undefined, index: string | undefined): Label {
  const label: Label = {}
  if (text !== undefined && text !== '') label.text = text
  if (index !== undefined && index !== '') {
    if (!/^\d{1,9}$/.test(index)) throw badFile(kind, file, `gives "${index}" as class_index on line ${line}; it must be a whole number from 0`)
    label.index = Number(index)
  }
  if (label.text === undefined && label.index === undefined) throw badFile(kind, file, `has no class on line ${line}`)
  return label
}

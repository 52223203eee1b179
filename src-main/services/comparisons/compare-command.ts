import path from 'node:path'
import { metricsAndVariants } from '#engine/metrics/registry.ts'
import { findMethod } from '#engine/methods/registry.ts'
import type { ComparisonRow, MethodColumn } from '#shared/contract/comparison.ts'
import { MaskscopeError } from '#shared/domain/errors.ts'
import { resolveParameters } from '#shared/domain/parameters.ts'
import { inputPath, slug } from '#storage/layout.ts'
import { parameterWords, statedWords } from '../run-command.ts'
import { commandLine } from '../shell-words.ts'
import type { ComparisonPlace } from './comparisons.ts'
import { measuredOf } from './measure.ts'

/** A column with one of its seeds. */
interface SeededColumn {
  column: MethodColumn
  seed: number
}

/**
 * The lines that make the runs of a comparison, and draw and measure them side by side. One line compares one method with one set of
 * parameters and one seed for all on one model and class: what differs in more than that takes a line of its own, with a folder of its own.
 * @throws MaskscopeError 'usage' where there is nothing that a command could make
 */
export async function compareCommand({ opened, sources, file }: ComparisonPlace, platform: NodeJS.Platform = process.platform): Promise<string> {
  const { board } = file
  const columns = columnGroups(board.columns.filter((column) => column.kind === 'method'))
  const rows = rowGroups(board.rows)
  if (rows.length === 0 || columns.length === 0) {
    throw new MaskscopeError('usage', 'There is nothing here that a command could make. Add images and methods; imported maps belong to no method.', { subject: 'comparison' })
  }
  const folder = slug(board.name)
  const measured = await metricWords()
  const lines: string[] = []
  for (const group of rows) {
    const [{ model: key, target }] = group as [ComparisonRow]
    const { info, place, options } = await sources.model(file, key)
    const images = [...new Set(await Promise.all(group.map(({ image }) => imageWord(image))))]
    for (const own of columns) {
      const [{ seed }] = own as [SeededColumn]
      lines.push(commandLine([
        'maskscope', 'compare', ...images, '--model', place, ...statedWords(options),
        ...(target === 'auto' ? [] : ['--target', String(target)]),
        '--methods', own.map(({ column }) => column.method).join(','), ...own.flatMap(({ column }) => settings(column)),
        ...measured, ...(seed === 0 ? [] : ['--seed', String(seed)]), '--executor', info.executor.id,
        '--out', lines.length === 0 ? folder : `${folder}-${lines.length + 1}`,
      ], platform))
    }
  }
  return lines.join('\n')

  /** By what the runs were measured, as far as a command can: it knows of no object that was drawn or imported, and asks no judge besides. */
  async function metricWords(): Promise<string[]> {
    const results = (await measuredOf(opened, Object.values(file.runs))).flatMap((one) => one.results)
    const found = new Set(results.filter(({ error, parameters }) => error === null && parameters['truth'] === undefined).map(({ metric }) => metric))
    const ids = metricsAndVariants.map(({ id }) => id).filter((id) => found.has(id))
    return ids.length === 0 ? [] : ['--metrics', ids.join(',')]
  }

  /** The file itself where it still is what it was, else as the study keeps it. */
  async function imageWord(image: string): Promise<string> {
    const { kind, member, reference } = await sources.item(file, image)
    return member ?? (kind === 'scene' || path.isAbsolute(reference) ? reference : inputPath(opened.study.folder, file.images[image]!.file))
  }
}

function settings({ method, parameters }: MethodColumn): string[] {
  const schema = findMethod(method)
  return parameterWords(schema, resolveParameters(schema, parameters), `${method}.`)
}

/** Each group has every method once, and one seed. */
function columnGroups(columns: readonly MethodColumn[]): SeededColumn[][] {
  const groups: SeededColumn[][] = []
  for (const column of columns) {
    for (let seed = column.seed; seed < column.seed + column.seeds; seed++) {
      const group = groups.find((own) => own[0]!.seed === seed && own.every((other) => other.column.method !== column.method))
      if (group) group.push({ column, seed })
      else groups.push([{ column, seed }])
    }
  }
  return groups
}

/** Each group has one model and one class. */
function rowGroups(rows: readonly ComparisonRow[]): ComparisonRow[][] {
  const groups = new Map<string, ComparisonRow[]>()
  for (const row of rows) {
    const name = `${row.model} ${row.target}`
    groups.set(name, [...groups.get(name) ?? [], row])
  }
  return [...groups.values()]
}

import type { ComparisonRow, DrawnTruth } from '#shared/contract/comparison.ts'
import type { FileEntry } from '#shared/contract/system.ts'
import { call } from '../../rpc.ts'
import { useComparison } from '../../stores/comparison.ts'
import { useFiles } from '../../stores/files.ts'
import { useNotices } from '../../stores/notices.ts'

/** Asks for a .npy file and puts it beside the methods. */
export async function importMapFor(row: ComparisonRow): Promise<void> {
  const [file] = await useFiles().choose('list')
  if (file) await takeMap(row, file)
}

/** The map stands in a column of imported maps: in the first that has none for this row yet, else in one of its own. */
export async function takeMap(row: ComparisonRow, file: FileEntry): Promise<void> {
  const comparison = useComparison()
  try {
    const { run } = await call('comparisons.importMap', { comparison: await comparison.ensured(), image: row.image, model: row.model, target: row.target, file: file.handle })
    const free = comparison.board.columns.find((column) => column.kind === 'maps' && column.runs[row.id] === undefined)
    const taken = comparison.board.columns.map(({ id }) => id)
    let n = taken.length + 1
    while (taken.includes(`c${n}`)) n++
    comparison.edit(`Import ${file.name}`, (before) => ({
      ...before,
      columns: free ? before.columns.map((column) => (column.id === free.id && column.kind === 'maps' ? { ...column, runs: { ...column.runs, [row.id]: run } } : column))
        : [...before.columns, { kind: 'maps', id: `c${n}`, title: file.name.replace(/\.npy$/i, '').slice(0, 80) || 'Imported map', runs: { [row.id]: run } }],
    }))
  } catch (error) {
    useNotices().fail(error)
  }
}

/** Asks for a list of boxes or a segmentation. @returns null where nothing was chosen or it does not fit, which has been told then */
export async function importTruthFor(image: string): Promise<DrawnTruth | null> {
  const [file] = await useFiles().choose('list')
  return file ? takeTruth(image, file) : null
}

export async function takeTruth(image: string, file: FileEntry): Promise<DrawnTruth | null> {
  try {
    return await call('comparisons.importTruth', { comparison: await useComparison().ensured(), image, file: file.handle })
  } catch (error) {
    useNotices().fail(error)
    return null
  }
}

import type { FileEntry } from '#shared/contract/system.ts'
import { useComparison } from '../../stores/comparison.ts'
import { useComparisonLook } from '../../stores/comparison-look.ts'
import { useNotices } from '../../stores/notices.ts'
import { takeMap, takeTruth } from './imports.ts'

/**
 * Of what is dropped on the grid: maps go beside the methods, boxes and annotations to the picture of the selected row.
 * @returns what is left for the rest of the window
 */
export async function takeDropped(files: readonly FileEntry[]): Promise<FileEntry[]> {
  const comparison = useComparison()
  const row = useComparisonLook().current?.row ?? comparison.board.rows[0]
  const maps = files.filter(({ name }) => /\.npy$/i.test(name))
  const truths = files.filter(({ name }) => /\.xml$/i.test(name) || /_mask\.png$/i.test(name))
  if (!row) {
    if (maps.length > 0) useNotices().say('Add an image first; a map belongs to its row.')
    return files.filter((file) => !maps.includes(file))
  }
  for (const file of maps) await takeMap(row, file)
  for (const file of truths) {
    const truth = await takeTruth(row.image, file)
    if (truth) comparison.edit(`Import ${file.name}`, (before) => ({ ...before, truths: { ...before.truths, [row.image]: truth } }))
  }
  return files.filter((file) => !maps.includes(file) && !truths.includes(file))
}

import path from 'node:path'
import type { Pool } from '#pool/pool.ts'
import { readSalientSet } from '#services/reconstruction/salient-chunks.ts'
import { drawSheet, type SheetCell } from '#services/reconstruction/sheet.ts'
import { openGenerator } from '#services/reconstruction/vary.ts'
import { reconstructionFiles } from '#storage/reconstructions.ts'

const shown = 6

/** Of each class the first test image: as it is, its salient input, and variations of it at temperature 1. @param folder of a reconstruction */
export async function sheetOf(pool: Pool, folder: string): Promise<Uint8Array> {
  const { files, manifest, model } = await openGenerator(folder)
  const { set } = await readSalientSet(path.join(folder, reconstructionFiles.salient, 'test'))
  const values = set.height * set.width * set.channels
  const pixels = set.height * set.width
  const rows: { label: string; cells: SheetCell[] }[] = []
  for (let own = 0; own < manifest.classes; own++) {
    const at = set.outcomes.indexOf(own)
    if (at < 0) continue
    const { result: { variations: made } } = await pool.generate(model.source, {
      kind: 'vary', generator: files, image: set.images.slice(at * values, (at + 1) * values), mask: set.masks.slice(at * pixels, (at + 1) * pixels),
      request: { kind: 'posterior', count: shown, temperature: 1, seed: 0, pinned: false },
    })
    const nameOf = (index: number): string => manifest.labels?.[index] ?? `class ${index}`
    rows.push({
      label: nameOf(own),
      cells: [{ image: made.image }, { image: made.salient }, ...made.variations.map((one) => ({ image: one.image, accepted: one.accepted, ...(one.accepted ? {} : { below: nameOf(one.top) }) }))],
    })
  }
  return drawSheet({ title: 'Variations of salient inputs', heads: ['Image', 'Salient', 'Variations'], rows }, files.description.settings.size)
}

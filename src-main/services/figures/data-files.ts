import { zipSync } from 'fflate'
import type { FigureNumber } from '#shared/figure/figure-data.ts'
import { encodeNpy, type NpyArray } from '#storage/npy.ts'
import type { StoredRun } from '../studies.ts'

const columns = ['panel', 'run', 'series', 'quantity', 'x', 'value', 'low', 'high'] as const

/** Every number of a figure, one per line (RFC 4180 with \n); what there is not is empty. */
export function numbersCsv(numbers: readonly FigureNumber[]): string {
  return [columns.join(','), ...numbers.map((row) => columns.map((column) => cell(row[column])).join(','))].join('\n') + '\n'
}

function cell(value: string | number | null): string {
  if (value === null) return ''
  const text = String(value)
  return /[",\n\r]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text
}

/** Zip files tell local time without a zone; the same instant everywhere needs the same local one. */
const noTime = new Date(1980, 0, 1)

/**
 * The raw arrays of all runs as NumPy's .npz: `RUN/own` [H, W] at the method's own resolution, `RUN/saliency` over the picture,
 * `RUN/ranking` and `RUN/frames` with `RUN/frame_iterations` where there are any, `RUN/losses` [rows, columns]; and provenance.json.
 */
export async function runArraysNpz(runs: readonly StoredRun[], provenance: string): Promise<Uint8Array> {
  const members: Record<string, Uint8Array> = {}
  const add = (name: string, array: NpyArray): void => {
    const [header, data] = encodeNpy(array)
    const whole = new Uint8Array(header.length + data.length)
    whole.set(header)
    whole.set(data, header.length)
    members[`${name}.npy`] = whole
  }
  for (const run of runs) {
    const [own, saliency, ranking, frames, losses] = await Promise.all([run.own(), run.saliency(), run.ranking(), run.frames(), run.losses()])
    add(`${run.id}/own`, { shape: [own.height, own.width], data: own.data })
    add(`${run.id}/saliency`, { shape: [saliency.height, saliency.width], data: saliency.data })
    if (ranking) add(`${run.id}/ranking`, { shape: [ranking.height, ranking.width], data: ranking.data })
    const first = frames[0]
    if (first) {
      const { height, width } = first.map
      const data = new Float32Array(frames.length * height * width)
      frames.forEach(({ map }, i) => data.set(map.data, i * height * width))
      add(`${run.id}/frames`, { shape: [frames.length, height, width], data })
      add(`${run.id}/frame_iterations`, { shape: [frames.length], data: Int32Array.from(frames, ({ iteration }) => iteration) })
    }
    add(`${run.id}/losses`, { shape: [losses.rows.length, losses.columns.length], data: Float64Array.from(losses.rows.flat()) })
  }
  members['provenance.json'] = new TextEncoder().encode(provenance)
  return zipSync(members, { level: 6, mtime: noTime })
}

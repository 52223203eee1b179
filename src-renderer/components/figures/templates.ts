import type { RunRow } from '#shared/contract/runs.ts'
import { panelSpec, specFormat, specVersion, type FigureSpecInput, type PanelKind, type PanelSpec } from '#shared/figure/spec.ts'

export interface Template {
  kind: PanelKind
  title: string
  about: string
}

export const templates: readonly Template[] = [
  { kind: 'methods', title: 'One image × methods', about: 'One picture per run of the same image' },
  { kind: 'grid', title: 'Images × methods', about: 'A row per image, a column per method' },
  { kind: 'evolution', title: 'Evolution of a mask', about: 'One run at chosen iterations' },
  { kind: 'losses', title: 'Loss curves', about: 'The course of one run or several' },
  { kind: 'curves', title: 'Deletion and insertion', about: 'Mean curves of methods' },
  { kind: 'table', title: 'Metrics table', about: 'Means with intervals' },
  { kind: 'scatter', title: 'Cost and quality', about: 'A marker per method' },
  { kind: 'reconstruction', title: 'Reconstruction sheet', about: 'An image and its variations' },
]

/** A panel that shows what the study has. @param finished runs, the oldest first; at least one */
export function panelFor(kind: PanelKind, finished: readonly RunRow[]): PanelSpec {
  const ids = finished.map(({ run }) => run)
  switch (kind) {
    case 'methods': return panelSpec.parse({ kind, runs: latestOfMethods(finished).map(({ run }) => run) })
    case 'grid': return panelSpec.parse({ kind, ...matrix(finished) })
    case 'evolution': return panelSpec.parse({ kind, run: (finished.findLast(({ iterations, probability }) => (iterations ?? 0) > 5 && probability.masked !== null) ?? finished.at(-1)!).run })
    case 'losses': return panelSpec.parse({ kind, runs: [(finished.findLast(({ iterations }) => (iterations ?? 0) > 1) ?? finished.at(-1)!).run] })
    case 'scatter': return panelSpec.parse({ kind, runs: ids, metric: 'deletion' })
    case 'reconstruction': return panelSpec.parse({ kind, reconstruction: '0001-name', image: '0001-image-0' })
    case 'curves':
    case 'table': return panelSpec.parse({ kind, runs: ids })
  }
}

/** Of the image that was explained last, the latest run of each method. */
function latestOfMethods(finished: readonly RunRow[]): RunRow[] {
  const image = finished.at(-1)!.image.name
  const latest = new Map<string, RunRow>()
  for (const row of finished) if (row.image.name === image) latest.set(row.method, row)
  return [...latest.values()].slice(0, 12)
}

function matrix(finished: readonly RunRow[]): { columns: object[]; rows: { cells: (string | null)[] }[] } {
  const images = [...new Set(finished.map(({ image }) => image.name))].slice(0, 8)
  const methods = [...new Set(finished.map(({ method }) => method))].slice(0, 8)
  const latest = (image: string, method: string): string | null => finished.findLast((row) => row.image.name === image && row.method === method)?.run ?? null
  const rows = images.map((image) => ({ cells: methods.map((method) => latest(image, method)) })).filter(({ cells }) => cells.some((cell) => cell !== null))
  return { columns: methods.map(() => ({})), rows }
}

export function figureFor(kind: PanelKind, finished: readonly RunRow[]): FigureSpecInput {
  return { format: specFormat, version: specVersion, width: ['grid', 'evolution', 'table', 'reconstruction'].includes(kind) ? 'ieee-2' : 'ieee-1', panels: [panelFor(kind, finished)] }
}

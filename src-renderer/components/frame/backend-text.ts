import type { BackendId, BackendReport } from '#shared/domain/backend.ts'

/** As people know them. */
export const backendNames: Record<BackendId, string> = { cuda: 'CUDA', wasm: 'WebAssembly', cpu: 'Plain JavaScript' }

export function workersText(workers: number): string {
  return workers === 1 ? '1 worker' : `${workers} workers`
}

export function gflopsText(report: Pick<BackendReport, 'convolutionGflops'>): string {
  const speed = report.convolutionGflops
  if (speed === null) return '–'
  return speed >= 100 ? String(Math.round(speed)) : speed.toPrecision(3)
}

/** The whole table, to be put into a message to somebody who can help. */
export function reportText(reports: readonly BackendReport[], version: string): string {
  const lines = reports.map((report) => [
    report.id, report.available ? 'available' : 'not available', report.device ?? '', report.convolutionGflops === null ? '' : `${gflopsText(report)} GFLOP/s`,
    report.chosen ? 'chosen' : '', report.reason,
  ].filter((part) => part !== '').join('; '))
  return [`Maskscope ${version}`, ...lines].join('\n')
}

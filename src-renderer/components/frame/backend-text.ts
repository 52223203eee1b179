import type { BackendId, BackendReport } from '#shared/domain/backend.ts'
import { executorNames, type Diagnosis, type ExecutorChoice, type ExecutorReport } from '#shared/domain/executor.ts'

/** As people know them. */
export const backendNames: Record<BackendId, string> = { cuda: 'CUDA', wasm: 'WebAssembly', cpu: 'Plain JavaScript' }

export function workersText(workers: number): string {
  return workers === 1 ? '1 worker' : `${workers} workers`
}

/** "ONNX Runtime, 2 threads" or "TF.js, WebAssembly". */
export function executorText({ id }: Pick<ExecutorChoice, 'id'>, backend: { id: BackendId; threads: number } | null): string {
  if (id === 'onnxruntime') return backend ? `ONNX Runtime, ${threadsText(backend.threads)}` : 'ONNX Runtime'
  return backend ? `TF.js, ${backendNames[backend.id]}` : 'TF.js'
}

export function threadsText(threads: number): string {
  return threads === 1 ? '1 thread' : `${threads} threads`
}

export function gflopsText(report: Pick<BackendReport, 'convolutionGflops'>): string {
  return speedText(report.convolutionGflops)
}

/** "18.2", or "18.2, with 2 threads 35.9" where more than one counts. */
export function executorSpeedText({ convolutionGflops: speed, threads }: ExecutorReport): string {
  if (speed === null) return speedText(null)
  return threads > 1 ? `${speedText(speed.oneThread)}, with ${threadsText(threads)} ${speedText(speed.allThreads)}` : speedText(speed.oneThread)
}

function speedText(speed: number | null): string {
  if (speed === null) return '–'
  return speed >= 100 ? String(Math.round(speed)) : speed.toPrecision(3)
}

/** All of it, to be put into a message to somebody who can help. */
export function reportText({ backends, executors, rule }: Diagnosis, version: string): string {
  const line = (...parts: string[]): string => parts.filter((part) => part !== '').join('; ')
  const standing = ({ available, chosen }: { available: boolean; chosen: boolean }): string =>
    (available ? `available${chosen ? '; chosen' : ''}` : 'not available')
  return [
    `Maskscope ${version}`,
    ...backends.map((report) => line(
      report.id, standing(report), report.device ?? '', report.convolutionGflops === null ? '' : `${gflopsText(report)} GFLOP/s`, report.reason,
    )),
    ...executors.map((report) => line(
      `${executorNames[report.id]}${report.version === null ? '' : ` ${report.version}`}`, standing(report),
      report.convolutionGflops === null ? '' : `GFLOP/s ${executorSpeedText(report)}`, report.reason,
    )),
    rule,
  ].join('\n')
}

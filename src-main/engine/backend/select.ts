import os from 'node:os'
import { engine, env, getBackend, ready, setBackend } from '@tensorflow/tfjs-core'
import '@tensorflow/tfjs-backend-cpu'
import { MaskscopeError } from '#shared/domain/errors.ts'
import type { BackendChoice, BackendId, BackendReport } from '#shared/domain/backend.ts'
import { initCuda } from './cuda.ts'
import { convolutionGflops } from './throughput.ts'
import { initWasm, registerWasmKernels } from './wasm.ts'

/** Makes a backend the active one; answers the name of the device, or throws an error that says why it cannot. */
export interface BackendStarter {
  id: BackendId
  /** What it is good for, where it is available. */
  use: string
  start(): Promise<string>
}

/** From the fastest to the reference. */
export const backendStarters: readonly BackendStarter[] = [
  { id: 'cuda', use: 'an NVIDIA GPU, by TensorFlow', start: () => initCuda() },
  { id: 'wasm', use: 'any processor, by WebAssembly with our gradient kernels', start: startWasm },
  { id: 'cpu', use: 'the slow reference that the others are checked against', start: startCpu },
]

/**
 * Activates the best backend, or the one asked for, with our kernels registered.
 * @throws MaskscopeError 'unavailable', with the reason, where the one asked for (or every one) cannot start.
 */
export async function selectBackend(
  requested?: BackendId,
  starters: readonly BackendStarter[] = backendStarters,
): Promise<BackendChoice> {
  registerWasmKernels()
  const rejected: { id: BackendId; reason: string }[] = []
  for (const starter of starters) {
    if (requested !== undefined && starter.id !== requested) continue
    try {
      return { id: starter.id, device: await starter.start(), rejected }
    } catch (error) {
      rejected.push({ id: starter.id, reason: reasonOf(error) })
    }
  }
  const reasons = rejected.map(({ id, reason }) => `${id}: ${reason}`).join(' ')
  if (requested === undefined) throw new MaskscopeError('unavailable', `No backend could start. ${reasons}`)
  const known = starters.map(({ id }) => id)
  throw new MaskscopeError(
    'unavailable',
    rejected.length > 0
      ? `The backend ${requested} is not available. ${rejected[0]!.reason} Choose another of ${known.join(', ')}, or leave the choice to Maskscope.`
      : `There is no backend "${requested}". Choose one of ${known.join(', ')}.`,
    { subject: 'backend' },
  )
}

/**
 * Starts every backend in turn and measures a convolution on it, under 2 seconds each; the backend that was active
 * before is active again afterwards (the chosen one, where none was).
 */
export async function probeBackends(starters: readonly BackendStarter[] = backendStarters): Promise<BackendReport[]> {
  registerWasmKernels()
  // `getBackend` would start one where none is active yet
  const before = engine().backendName as string | null | undefined
  const reports: BackendReport[] = []
  for (const { id, use, start } of starters) {
    try {
      const device = await start()
      const gflops = await convolutionGflops()
      const chosen = !reports.some((report) => report.chosen)
      reports.push({ id, available: true, reason: use, device, convolutionGflops: gflops, chosen })
    } catch (error) {
      reports.push({ id, available: false, reason: reasonOf(error), device: null, convolutionGflops: null, chosen: false })
    }
  }
  const chosen = starters.find(({ id }) => reports.some((report) => report.chosen && report.id === id))
  if (before) await setBackend(before)
  else if (chosen) await chosen.start()
  return reports
}

async function startWasm(): Promise<string> {
  await initWasm()
  const simd = await env().getAsync('WASM_HAS_SIMD_SUPPORT')
  return `${processorName()}, WebAssembly${simd === true ? ' SIMD' : ''}, 1 thread`
}

async function startCpu(): Promise<string> {
  if (!(await setBackend('cpu'))) throw new Error('TF.js could not start its cpu backend.')
  await ready()
  if (getBackend() !== 'cpu') throw new Error('TF.js could not start its cpu backend.')
  return `${processorName()}, JavaScript, 1 thread`
}

function processorName(): string {
  return os.cpus()[0]?.model.trim() || 'CPU'
}

function reasonOf(error: unknown): string {
  const message = error instanceof Error ? error.message : String(error)
  return message.endsWith('.') ? message : `${message}.`
}

import { execFile } from 'node:child_process'
import util from 'node:util'
import { promisify } from 'node:util'
import { backend, ready, setBackend } from '@tensorflow/tfjs-core'

const packageName = '@tensorflow/tfjs-node-gpu'

/** How the optional package is loaded: tests give another. */
export type ModuleLoader = (name: string) => Promise<unknown>

/**
 * tfjs-node 4.22 calls `util.isNullOrUndefined`, which Node 23 and later no longer have. (Repaired upstream, in
 * tensorflow/tfjs#8425, but never released.) Must run before the package is loaded.
 */
export function restoreIsNullOrUndefined(): void {
  const legacy = util as { isNullOrUndefined?: (value: unknown) => boolean }
  legacy.isNullOrUndefined ??= (value) => value === null || value === undefined
}

/**
 * Loads the optional CUDA package and makes it TF.js's backend.
 * @returns the GPU's name
 * @throws Error, whose message is the reason for a person, where package, native library or GPU is missing
 */
export async function initCuda(load: ModuleLoader = importModule): Promise<string> {
  restoreIsNullOrUndefined()
  try {
    await load(packageName)
  } catch (error) {
    throw new Error(loadingProblem(error), { cause: error })
  }
  // The package registers its backend under this name when it is loaded.
  if (!(await setBackend('tensorflow'))) throw new Error(`${packageName} was loaded, but its TensorFlow backend did not start.`)
  await ready()
  if ((backend() as { isUsingGpuDevice?: boolean }).isUsingGpuDevice !== true) {
    throw new Error('TensorFlow was loaded, but it found no CUDA device (driver, CUDA 11.2 and cuDNN 8.1 are needed).')
  }
  return gpuName()
}

function importModule(name: string): Promise<unknown> {
  return import(/* @vite-ignore */ name)
}

function loadingProblem(error: unknown): string {
  const code = (error as { code?: string } | null)?.code
  const message = (error instanceof Error ? error.message : String(error)).split('\n')[0]!
  if ((code === 'ERR_MODULE_NOT_FOUND' || code === 'MODULE_NOT_FOUND') && message.includes(packageName)) {
    return `The optional package ${packageName} is not installed.`
  }
  if (message.includes('native addon')) return `The native library of ${packageName} is missing: its download was not possible at installation.`
  return `${packageName} could not be loaded: ${message}`
}

async function gpuName(): Promise<string> {
  try {
    const { stdout } = await promisify(execFile)('nvidia-smi', ['--query-gpu=name', '--format=csv,noheader'], { timeout: 2000 })
    const name = stdout.split('\n')[0]?.trim()
    if (name) return `${name}, CUDA`
  } catch {
    // The name is a courtesy: without the tool the GPU works all the same.
  }
  return 'NVIDIA GPU, CUDA'
}

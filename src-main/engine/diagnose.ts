import { availableParallelism } from 'node:os'
import type { BackendReport } from '#shared/domain/backend.ts'
import type { Diagnosis, ExecutorReport } from '#shared/domain/executor.ts'
import { probeBackends } from './backend/select.ts'
import { medianOfSecond } from './backend/throughput.ts'
import type { Graph } from './graph/graph.ts'
import { createOnnxruntimeExecutor } from './graph/onnxruntime/executor.ts'
import { loadOnnxruntime } from './graph/onnxruntime/runtime.ts'

/** What this machine can compute on, measured for some seconds. */
export async function diagnose(): Promise<Diagnosis> {
  const backends = await probeBackends()
  const backend = backends.find(({ chosen }) => chosen)
  const native = await probeOnnxruntime()
  const chosen = chosenOf(backend, native)
  return {
    backends,
    executors: [{ ...native, chosen: chosen === 'onnxruntime' }, { ...tfjsReport(backend), chosen: chosen === 'tfjs' }],
    rule: ruleOf(backend, native),
  }
}

type Unjudged = Omit<ExecutorReport, 'chosen'>

function tfjsReport(backend: BackendReport | undefined): Unjudged {
  const gflops = backend?.convolutionGflops ?? null
  return {
    id: 'tfjs', available: backend !== undefined, reason: backend ? `all models, on the backend ${backend.id}` : 'No backend could start.', version: null,
    convolutionGflops: gflops === null ? null : { oneThread: gflops, allThreads: gflops }, threads: 1,
  }
}

async function probeOnnxruntime(): Promise<Unjudged> {
  const threads = availableParallelism()
  const refused = (reason: string): Unjudged => ({ id: 'onnxruntime', available: false, reason, version: null, convolutionGflops: null, threads })
  const loaded = await loadOnnxruntime()
  if (!loaded.ort) return refused(loaded.reason)
  try {
    const oneThread = await gflopsWith(1)
    return {
      id: 'onnxruntime', available: true, reason: 'any processor, by native code, forward and backward', version: loaded.version, threads,
      convolutionGflops: { oneThread, allThreads: threads === 1 ? oneThread : await gflopsWith(threads) },
    }
  } catch (error) {
    return refused(`ONNX Runtime was loaded, but it does not compute: ${error instanceof Error ? error.message : String(error)}`)
  }
}

/** The convolution that the backends are measured with, [1, 56, 56, 64] → 64. */
async function gflopsWith(threads: number): Promise<number> {
  const size = 56
  const channels = 64
  const executor = await createOnnxruntimeExecutor(convolution(size, channels), 'none', { threads })
  try {
    const image = new Float32Array(size * size * channels).fill(0.5)
    return (2 * size * size * 9 * channels * channels) / (await medianOfSecond(() => executor.forward(image, 1))) / 1e6
  } finally {
    executor.dispose()
  }
}

function convolution(size: number, channels: number): Graph {
  const filter = { shape: [3, 3, channels, channels], data: new Float32Array(9 * channels * channels).fill(0.25) }
  return {
    nodes: [
      { op: 'input', name: 'image', inputs: [], shape: [-1, size, size, channels], layers: [] },
      {
        op: 'conv2d', name: 'convolution', inputs: ['image'], shape: [-1, size, size, channels], layers: [], filter, bias: null, activation: null, strides: [1, 1],
        dilations: [1, 1], groups: 1, pads: { top: 1, bottom: 1, left: 1, right: 1 },
      },
      { op: 'reduce', name: 'mean', inputs: ['convolution'], shape: [-1, channels], layers: [], function: 'mean', axes: [1, 2], keepDims: false },
    ],
    input: 'image', output: 'mean', notes: [],
  }
}

function chosenOf(backend: BackendReport | undefined, native: Unjudged): 'onnxruntime' | 'tfjs' | null {
  if (backend?.id === 'cuda') return 'tfjs'
  if (!native.convolutionGflops) return backend ? 'tfjs' : null
  return native.convolutionGflops.allThreads >= (backend?.convolutionGflops ?? 0) ? 'onnxruntime' : 'tfjs'
}

function ruleOf(backend: BackendReport | undefined, native: Unjudged): string {
  if (backend?.id === 'cuda') return 'A GPU is used, so TensorFlow.js runs all models on it. --executor and the settings override that.'
  if (!native.available) return 'ONNX Runtime is not available, so TensorFlow.js runs all models.'
  return 'There is no GPU in use, so the faster executor runs each model: both are measured when a model is first opened, and the result is kept. --executor and the settings override that.'
}

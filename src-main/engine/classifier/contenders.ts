import type { ExecutorId } from '#shared/domain/executor.ts'
import type { Head } from '#shared/domain/score.ts'
import type { Graph } from '../graph/graph.ts'
import { createOnnxruntimeExecutor } from '../graph/onnxruntime/executor.ts'
import { loadOnnxruntime } from '../graph/onnxruntime/runtime.ts'
import { createTfjsExecutor } from '../graph/tfjs/executor.ts'
import type { ChoiceFacts, ThreadedExecutor } from './choose-executor.ts'

/** What TF.js computes on, in a sentence, by the name of its backend. */
const tfjsNames: Readonly<Record<string, string>> = {
  tensorflow: 'TensorFlow.js on the GPU', wasm: 'TensorFlow.js on WebAssembly', cpu: 'TensorFlow.js in plain JavaScript',
}

/** Why ONNX Runtime does not come into question beside a backend of TF.js, though it may be asked for. */
const kept: Readonly<Record<string, string>> = {
  tensorflow: 'a GPU is used, and TensorFlow.js computes on it',
  cpu: 'the backend cpu is the reference, which computes everything itself',
}

/** One of those that could run a graph here. */
export async function executorOf(id: ExecutorId, graph: Graph, head: Head, threads: number): Promise<ThreadedExecutor> {
  return id === 'tfjs' ? createTfjsExecutor(graph, head) : createOnnxruntimeExecutor(graph, head, { threads })
}

/** Who could run a graph here. */
export async function contendersFor(
  graph: Graph, head: Head, { threads, backend, asked }: { threads: number; backend: string; /** By name. */ asked: boolean },
): Promise<Pick<ChoiceFacts, 'tfjs' | 'onnxruntime' | 'without'>> {
  const tfjs = { id: 'tfjs' as const, version: null, name: tfjsNames[backend] ?? 'TensorFlow.js', make: async () => createTfjsExecutor(graph, head) }
  const why = kept[backend]
  if (why !== undefined && !asked) return { tfjs, onnxruntime: null, without: why }
  const loaded = await loadOnnxruntime()
  if (!loaded.ort) return { tfjs, onnxruntime: null, without: loaded.reason.replace(/\.$/, '') }
  return {
    tfjs, without: '',
    onnxruntime: { id: 'onnxruntime', version: loaded.version, name: 'ONNX Runtime', make: () => createOnnxruntimeExecutor(graph, head, { threads }) },
  }
}

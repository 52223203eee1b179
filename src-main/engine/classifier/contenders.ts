import type { Head } from '#shared/domain/score.ts'
import type { Graph } from '../graph/graph.ts'
import { createTfjsExecutor } from '../graph/tfjs/executor.ts'
import type { ChoiceFacts } from './choose-executor.ts'

/** What TF.js computes on, in a sentence, by the name of its backend. */
const tfjsNames: Readonly<Record<string, string>> = {
  tensorflow: 'TensorFlow.js on the GPU', wasm: 'TensorFlow.js on WebAssembly', cpu: 'TensorFlow.js in plain JavaScript',
}

/** Who could run a graph here: a GPU is left to TF.js, and so is the reference backend, which is there to compute everything itself. */
export async function contendersFor(
  graph: Graph, head: Head, { backend }: { threads: number; backend: string },
): Promise<Pick<ChoiceFacts, 'tfjs' | 'onnxruntime' | 'without'>> {
  const name = tfjsNames[backend] ?? 'TensorFlow.js'
  return {
    tfjs: { id: 'tfjs', version: null, name, make: async () => createTfjsExecutor(graph, head) },
    onnxruntime: null,
    without: 'only TensorFlow.js runs models so far',
  }
}

import { importOnnx } from '#engine/graph/import/onnx/onnx-model.ts'
import type { Graph } from '#engine/graph/graph.ts'
import type { OnnxModel } from '#engine/graph/onnx-format/schema.ts'
import { writeOnnx } from '#engine/graph/onnx-format/write.ts'
import { createTfjsExecutor } from '#engine/graph/tfjs/executor.ts'
import { loadOnnxruntime } from '#engine/graph/onnxruntime/runtime.ts'

export function imported(model: OnnxModel): Graph {
  return importOnnx({ bytes: writeOnnx(model), external: {} })
}

/** Logits of a graph in TF.js, on the active backend. */
export async function logitsOf(graph: Graph, images: Float32Array, count: number): Promise<Float32Array> {
  const executor = createTfjsExecutor(graph, 'none')
  try {
    return await executor.forward(images, count)
  } finally {
    executor.dispose()
  }
}

/** What ONNX Runtime answers to images one by one, in the file's own layout; null where it is not installed. */
export async function fileLogits(model: OnnxModel, images: Float32Array, count: number, shape: readonly number[]): Promise<Float32Array | null> {
  const { ort } = await loadOnnxruntime()
  if (!ort) return null
  const session = await ort.InferenceSession.create(writeOnnx(model), { logSeverityLevel: 4 })
  const logits: number[] = []
  const size = images.length / count
  for (let i = 0; i < count; i++) {
    const image = new ort.Tensor('float32', images.slice(i * size, (i + 1) * size), [...shape])
    const result = await session.run({ [session.inputNames[0]!]: image })
    logits.push(...(result[session.outputNames[0]!]!.data as Float32Array))
  }
  await session.release()
  return Float32Array.from(logits)
}

/** Images [n, height, width, channels] as [n, channels, height, width]. */
export function channelsFirst(data: Float32Array, [n, h, w, c]: readonly [number, number, number, number]): Float32Array {
  const moved = new Float32Array(data.length)
  let to = 0
  for (let i = 0; i < n; i++) for (let k = 0; k < c; k++) for (let y = 0; y < h; y++) for (let x = 0; x < w; x++) moved[to++] = data[((i * h + y) * w + x) * c + k]!
  return moved
}

import type { InferenceSession, Tensor } from 'onnxruntime-node'
import type { Cut } from '../cut.ts'
import { cutBehind } from '../cut.ts'
import type { Graph } from '../graph.ts'
import { batched, nodeNamed } from '../graph.ts'
import { joined } from '../joined.ts'
import { onnxruntimeError } from './errors.ts'
import type { Onnxruntime } from './runtime.ts'
import type { Sessions } from './sessions.ts'
import { ends, handedName } from './write-forward.ts'
import { writeBefore, writeBehind } from './write-model.ts'

/** Logits of one image with single channels of a layer put to zero, a row per channel; `most` rows at once. */
export type Ablated = (image: Float32Array, layer: string, channels: readonly number[], most: number) => Promise<Float32Array>

/**
 * Two sessions per layer: one up to it, once per image, and one for what comes behind. Where the layer alone is handed on, the session that
 * gives its activations serves as the first: sessions are few.
 * @param activations of a layer, for one image
 */
export function createAblation(
  ort: Onnxruntime, graph: Graph, sessions: Sessions, activations: (image: Float32Array, layer: string) => Promise<Float32Array>,
): Ablated {
  const cuts = new Map<string, Cut>()
  const imageShape = batched(nodeNamed(graph, graph.input).shape, 1)
  const float = (data: Float32Array, dims: readonly number[]): Tensor => new ort.Tensor('float32', data, dims)

  return async (image, layer, channels, most) => {
    let cut = cuts.get(layer)
    if (!cut) cuts.set(layer, (cut = cutBehind(graph, layer)))
    const { handed, apart } = cut
    const values = handed.length === 1 ? [await activations(image, layer)] : await valuesBefore(cut, image, layer)
    const behind = await sessions.get(JSON.stringify(['behind', layer]), () => writeBehind(cut, graph.output))
    const rows: Float32Array[] = []
    const chunk = apart ? most : 1
    for (let from = 0; from < channels.length; from += chunk) {
      const own = channels.slice(from, from + chunk)
      const feeds = handed.map((name, i) => {
        const value = values[i]!
        const { shape } = nodeNamed(graph, name)
        if (i === 0) return [handedName(i), float(without(value, own, cut.channels), batched(shape, own.length))] as const
        return [handedName(i), float(shape[0] === -1 ? repeated(value, own.length) : value, batched(shape, own.length))] as const
      })
      rows.push((await run(behind, Object.fromEntries(feeds)))[ends.logits]!.data as Float32Array)
    }
    return joined(rows)
  }

  async function valuesBefore(cut: Cut, image: Float32Array, layer: string): Promise<Float32Array[]> {
    const session = await sessions.get(JSON.stringify(['before', layer]), () => writeBefore(cut))
    const values = await run(session, { [ends.images]: float(image, imageShape) })
    return cut.handed.map((_, i) => values[handedName(i)]!.data as Float32Array)
  }
}

async function run(session: InferenceSession, feeds: Record<string, Tensor>): Promise<InferenceSession.OnnxValueMapType> {
  try {
    return await session.run(feeds)
  } catch (error) {
    throw onnxruntimeError(error, 'run')
  }
}

function repeated(value: Float32Array, times: number): Float32Array {
  if (times === 1) return value
  const out = new Float32Array(times * value.length)
  for (let i = 0; i < times; i++) out.set(value, i * value.length)
  return out
}

/** One copy per channel, with that channel zero. */
function without(value: Float32Array, channels: readonly number[], of: number): Float32Array {
  const out = channels.length === 1 ? value.slice() : repeated(value, channels.length)
  channels.forEach((channel, i) => {
    for (let at = i * value.length + channel; at < (i + 1) * value.length; at += of) out[at] = 0
  })
  return out
}

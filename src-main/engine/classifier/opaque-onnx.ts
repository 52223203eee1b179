import type { InferenceSession } from 'onnxruntime-node'
import { MaskscopeError } from '#shared/domain/errors.ts'
import type { ExecutorWish } from '#shared/domain/executor.ts'
import type { ModelInfo, OnnxSource } from '#shared/domain/model.ts'
import type { UnsupportedNode } from '../graph/build.ts'
import type { Executor } from '../graph/executor.ts'
import { onnxInputShape, type ImageInput } from '../graph/import/onnx/model-input.ts'
import { readOnnx } from '../graph/onnx-format/read.ts'
import { elementTypes, type OnnxGraph, type OnnxModel } from '../graph/onnx-format/schema.ts'
import { loadOnnxruntime, type Onnxruntime } from '../graph/onnxruntime/runtime.ts'
import { scalingOf } from '../graph/simplify/input-scaling.ts'
import type { Classifier } from './classifier.ts'
import { createClassifier } from './graph-classifier.ts'
import { labelsFor } from './labels.ts'
import { headOf, outputNote, type Outputs } from './outputs.ts'
import { joined } from '../graph/joined.ts'

/**
 * An ONNX model that our graph cannot express, as ONNX Runtime runs the file: outputs only. Outputs that are probabilities become
 * their logarithms (softmax) or log-odds (sigmoid).
 * @param reason the node that the graph cannot express
 * @throws MaskscopeError 'input' naming the node where ONNX Runtime cannot run the file either, 'unavailable' where TF.js was asked for
 */
export async function loadOpaqueOnnx(source: OnnxSource, reason: UnsupportedNode, { wish, threads }: { wish: ExecutorWish; threads: number }): Promise<Classifier> {
  if (wish === 'tfjs') {
    throw new MaskscopeError('unavailable', `The graph cannot express ${reason.message}, and only ONNX Runtime runs the file as it is. Leave the choice of the executor to Maskscope (auto), or take onnxruntime.`, { subject: 'executor' })
  }
  const loaded = await loadOnnxruntime()
  if (!loaded.ort) throw cannotRun(reason, `ONNX Runtime, which could run the file as it is, is not there: ${loaded.reason}`)
  const model = readOnnx(source.bytes)
  const input = onnxInputShape(model)
  if (input.elementType !== elementTypes.float) throw cannotRun(reason, 'its input is not of float32 numbers, which ONNX Runtime would need here.')
  if (hidesFiles(model.graph)) throw cannotRun(reason, 'it keeps weights of an inner graph in files of their own.')
  const session = await openSession(loaded.ort, source, threads, reason)
  try {
    const run = runnerOf(loaded.ort, session, source, input)
    const { values, classes, output } = await probe(run, session, input, reason)
    const { head, outputs } = headOf(values, classes, source.head)
    const labels = labelsFor(source, classes)
    const info: ModelInfo = {
      name: source.name, sha256: source.sha256, format: onnxFormat(model), input: sizeOfInput(input), classes, labels: labels.labels, head, access: 'query',
      preprocessing: source.preprocessing, parameters: parametersOf(model), multiplyAdds: null,
      executor: { id: 'onnxruntime', reason: 'Only ONNX Runtime can run the file as it is.', measured: {}, version: loaded.version },
      notes: [
        `The graph cannot express ${reason.message}, so ONNX Runtime runs the model's file as it is: it gives outputs only, without gradients and layers.`,
        ...(session.outputNames.length > 1 ? [`The model has ${session.outputNames.length} outputs; ${output} is taken as the class scores.`] : []),
        ...outputNote(outputs),
        ...labels.notes,
      ],
    }
    return createClassifier(info, executorOf(run, session, output, outputs), { forward: 16, gradient: 1 }, null)
  } catch (error) {
    await session.release()
    throw error
  }
}

/** What the file is, for people. */
export function onnxFormat({ opsets }: Pick<OnnxModel, 'opsets'>): string {
  const own = opsets.find(({ domain }) => domain === '' || domain === 'ai.onnx')
  return own ? `ONNX model, opset ${own.version}` : 'ONNX model'
}

async function openSession(ort: Onnxruntime, { bytes, external }: OnnxSource, threads: number, reason: UnsupportedNode): Promise<InferenceSession> {
  try {
    return await ort.InferenceSession.create(bytes, {
      executionProviders: ['cpu'], intraOpNumThreads: threads, interOpNumThreads: 1, logSeverityLevel: 4,
      externalData: Object.entries(external).map(([path, data]) => ({ path, data })),
    })
  } catch (error) {
    throw cannotRun(reason, `ONNX Runtime says: ${wordsOf(error)}`, error)
  }
}

/** Answers a batch with all outputs, whatever batch the file is made for. */
type Run = (images: Float32Array, count: number) => Promise<{ data: Float32Array; dims: readonly number[] }[]>

function runnerOf(ort: Onnxruntime, session: InferenceSession, source: OnnxSource, input: ImageInput): Run {
  const { height, width, channels, name, layout } = input
  const image = height * width * channels
  const dims = layout.endsWith('HWC') ? [height, width, channels] : [channels, height, width]
  const write = writerOf(source, input)

  return async (images, count) => {
    // A file that takes single images or batches of one size gets those, the last filled up with nothing.
    const batch = layout.length === 3 ? 1 : (input.batch ?? count)
    const parts: Map<string, Float32Array[]> = new Map(session.outputNames.map((output) => [output, []]))
    let shapes: Record<string, readonly number[]> = {}
    for (let start = 0; start < count; start += batch) {
      const data = new Float32Array(batch * image)
      const own = Math.min(batch, count - start)
      for (let i = 0; i < own; i++) write(images.subarray((start + i) * image, (start + i + 1) * image), data, i * image)
      const found = await session.run({ [name]: new ort.Tensor('float32', data, layout.length === 3 ? dims : [batch, ...dims]) })
      for (const output of session.outputNames) {
        const tensor = found[output]!
        const values = tensor.data instanceof Float32Array ? tensor.data : new Float32Array()
        parts.get(output)!.push(values.subarray(0, (values.length / batch) * own))
      }
      shapes = Object.fromEntries(session.outputNames.map((output) => [output, found[output]!.dims]))
    }
    return session.outputNames.map((output) => ({ data: joined(parts.get(output)!), dims: shapes[output]! }))
  }
}

/** Scales an image of [0, 1] and puts its channels where the file has them. */
function writerOf({ preprocessing }: OnnxSource, { height, width, channels, layout }: ImageInput): (from: Float32Array, to: Float32Array, at: number) => void {
  const { scale, offset } = scalingOf(preprocessing, channels)
  const places = height * width
  const last = layout.endsWith('HWC')
  const reversed = preprocessing.channelOrder === 'bgr' && channels === 3
  return (from, to, at) => {
    for (let place = 0; place < places; place++) {
      for (let c = 0; c < channels; c++) {
        const channel = reversed ? channels - 1 - c : c
        to[at + (last ? place * channels + channel : channel * places + place)] = from[place * channels + c]! * scale[c]! + offset[c]!
      }
    }
  }
}

/** The output that gives one number per class, on two grey images. */
async function probe(run: Run, session: InferenceSession, { height, width, channels }: ImageInput, reason: UnsupportedNode): Promise<{ values: Float32Array; classes: number; output: string }> {
  const found = await run(new Float32Array(2 * height * width * channels).fill(0.5), 2).catch((error: unknown) => {
    throw cannotRun(reason, `ONNX Runtime says: ${wordsOf(error)}`, error)
  })
  const candidates = session.outputNames.map((output, i) => ({ output, ...found[i]! }))
    .filter(({ data, dims }) => data.length >= 2 && data.length % 2 === 0 && dims.slice(1).filter((n) => n !== 1).length <= 1)
  const chosen = candidates.find(({ output }) => /prob|softmax/i.test(output)) ?? candidates[0]
  if (!chosen) {
    const shapes = session.outputNames.map((output, i) => `${output} [${found[i]!.dims.join(', ')}]`).join(', ')
    throw new MaskscopeError('input', `The model's outputs are ${shapes}; one number per class is needed. Choose an image classifier.`)
  }
  return { values: chosen.data, classes: chosen.data.length / 2, output: chosen.output }
}

function executorOf(run: Run, session: InferenceSession, output: string, outputs: Outputs): Executor {
  const index = session.outputNames.indexOf(output)
  const refused = (): never => {
    throw new MaskscopeError('unavailable', 'ONNX Runtime runs this model as it is, so it gives neither gradients nor layers. Choose a method that asks for outputs only.')
  }
  return {
    id: 'onnxruntime-opaque',
    async forward(images, count) {
      const { data } = (await run(images, count))[index]!
      return outputs === 'logits' ? data : data.map((p) => (outputs === 'softmax' ? safeLog(p) : safeLog(p) - safeLog(1 - p)))
    },
    gradient: async () => refused(),
    activations: async () => refused(),
    ablated: async () => refused(),
    dispose: () => void session.release(),
  }
}

/** Away from the infinity at 0. */
function safeLog(p: number): number {
  return Math.log(Math.max(p, 1e-30))
}

function sizeOfInput({ height, width, channels }: ImageInput): ModelInfo['input'] {
  return { height, width, channels }
}

function parametersOf({ graph }: OnnxModel): number {
  return graph.initializers.reduce((sum, { dims }) => sum + dims.reduce((product, n) => product * n, 1), 0)
}

/** Files of inner graphs are not among those that were checked. */
function hidesFiles(graph: OnnxGraph, inner = false): boolean {
  if (inner && graph.initializers.some(({ dataLocation }) => dataLocation === 1)) return true
  return graph.nodes.some(({ attributes }) => attributes.some(({ g, t, tensors }) =>
    (g !== undefined && hidesFiles(g, true)) || (inner && [t, ...tensors].some((tensor) => tensor?.dataLocation === 1))))
}

function wordsOf(error: unknown): string {
  return `${(error instanceof Error ? error.message : String(error)).split('\n')[0]!.slice(0, 300).replace(/\.$/, '')}.`
}

function cannotRun(reason: UnsupportedNode, why: string, cause?: unknown): MaskscopeError {
  return new MaskscopeError('input', `The model cannot be run: ${reason.message} is not known to Maskscope, and ${why} Export the model without this node.`, { subject: reason.node, cause })
}

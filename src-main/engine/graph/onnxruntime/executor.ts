import type { InferenceSession } from 'onnxruntime-node'
import { MaskscopeError } from '#shared/domain/errors.ts'
import type { Head, Score } from '#shared/domain/score.ts'
import type { ReluRule } from '../../classifier/classifier.ts'
import type { ActivationBatch, Executor, ScoredBatch } from '../executor.ts'
import type { Graph } from '../graph.ts'
import { nodeNamed, sizePerImage } from '../graph.ts'
import { shapeOfLayer } from '../layer-shape.ts'
import { onnxruntimeError } from './errors.ts'
import { needOnnxruntime } from './runtime.ts'
import { createSessions } from './sessions.ts'
import { ends } from './write-forward.ts'
import type { Asked } from './write-model.ts'
import { writeModel } from './write-model.ts'
import { createAblation } from './ablation.ts'
import { joined } from '../joined.ts'

export interface OnnxruntimeExecutor extends Executor {
  readonly id: 'onnxruntime'
  /** How many cores a call uses. */
  setThreads(threads: number): Promise<void>
}

type Values = Record<string, Float32Array>

/**
 * Runs the graph on the processor with ONNX Runtime: forward, and forward with backward, as one ONNX graph each.
 * @throws MaskscopeError 'unavailable' where ONNX Runtime cannot run here
 */
export async function createOnnxruntimeExecutor(graph: Graph, head: Head, options: { threads?: number } = {}): Promise<OnnxruntimeExecutor> {
  const { ort } = await needOnnxruntime()
  const sessions = createSessions(ort, options.threads ?? 1)
  const [, ...imageShape] = nodeNamed(graph, graph.input).shape
  const perImage = sizePerImage(imageShape)
  let tail: Promise<unknown> = Promise.resolve()
  let disposed = false

  /** One call after the other: a session in use must not be released. */
  function inTurn<T>(task: () => Promise<T>): Promise<T> {
    if (disposed) return Promise.reject(new MaskscopeError('run', 'The model was closed while it was asked.'))
    const result = tail.then(task)
    tail = result.catch(() => undefined)
    return result
  }

  async function compute(asked: Asked, images: Float32Array, count: number, targets: readonly number[] | null): Promise<Values> {
    const key = JSON.stringify(asked)
    const session = await sessions.get(key, () => writeModel(graph, head, asked))
    if (graph.oneByOne !== true || count === 1) return runOn(session, images, count, targets)
    const each: Values[] = []
    for (let i = 0; i < count; i++) each.push(await runOn(session, images.subarray(i * perImage, (i + 1) * perImage), 1, targets && [targets[i]!]))
    return Object.fromEntries(Object.keys(each[0]!).map((name) => [name, joined(each.map((values) => values[name]!))]))
  }

  async function runOn(session: InferenceSession, images: Float32Array, count: number, targets: readonly number[] | null): Promise<Values> {
    const feeds: Record<string, InstanceType<typeof ort.Tensor>> = { [ends.images]: new ort.Tensor('float32', images, [count, ...imageShape]) }
    if (targets) feeds[ends.targets] = new ort.Tensor('int64', BigInt64Array.from(targets, BigInt), [count])
    try {
      const found = await session.run(feeds)
      return Object.fromEntries(Object.entries(found).map(([name, tensor]) => [name, tensor.data as Float32Array]))
    } catch (error) {
      throw onnxruntimeError(error, 'run')
    }
  }

  /** Images whose scores are of one kind go together. */
  async function scored(images: Float32Array, count: number, scores: readonly Score[], reluRule: ReluRule, node: string | null): Promise<Values> {
    const kinds = [...new Set(scores.map((s) => s.kind))]
    const asked = (kind: Score['kind']): Asked => ({ score: { kind, reluRule }, node })
    if (kinds.length === 1) return compute(asked(kinds[0]!), images, count, scores.map((s) => s.target))
    const whole: Values = {}
    for (const kind of kinds) {
      const indices = scores.map((_, i) => i).filter((i) => scores[i]!.kind === kind)
      const own = joined(indices.map((i) => images.subarray(i * perImage, (i + 1) * perImage)))
      const part = await compute(asked(kind), own, indices.length, indices.map((i) => scores[i]!.target))
      for (const [name, values] of Object.entries(part)) {
        const size = values.length / indices.length
        const into = (whole[name] ??= new Float32Array(size * count))
        indices.forEach((i, k) => into.set(values.subarray(k * size, (k + 1) * size), i * size))
      }
    }
    return whole
  }

  const ablation = createAblation(ort, graph, sessions, async (image, node) => (await compute({ score: null, node }, image, 1, null))[ends.activations]!)

  return {
    id: 'onnxruntime',
    forward: (images, count) => inTurn(async () => (await compute({ score: null, node: null }, images, count, null))[ends.logits]!),
    gradient: (images, count, scores, reluRule) => inTurn(async (): Promise<ScoredBatch> => {
      const found = await scored(images, count, scores, reluRule, null)
      return { logits: found[ends.logits]!, scores: found[ends.scores]!, gradient: found[ends.gradient] ?? new Float32Array(images.length) }
    }),
    activations: (images, count, node, scores, reluRule) => inTurn(async (): Promise<ActivationBatch> => {
      const shape = shapeOfLayer(graph, node)
      const found = scores ? await scored(images, count, scores, reluRule, node) : await compute({ score: null, node }, images, count, null)
      const activations = found[ends.activations]!
      const gradients = scores ? (found[ends.gradient] ?? new Float32Array(activations.length)) : null
      return { shape, activations, gradients, logits: found[ends.logits]!, scores: found[ends.scores] ?? null }
    }),
    ablated: (images, count, node, channels, most) => inTurn(async () => {
      const rows: Float32Array[] = []
      for (let i = 0; i < count; i++) rows.push(await ablation(images.subarray(i * perImage, (i + 1) * perImage), node, channels[i]!, most))
      return joined(rows)
    }),
    setThreads: (threads) => inTurn(() => sessions.setThreads(threads)),
    dispose() {
      if (!disposed) void inTurn(() => sessions.dispose())
      disposed = true
    },
  }
}

import type { LayersModel } from '@tensorflow/tfjs-layers'
import type { GraphModel } from '@tensorflow/tfjs-converter'
import * as tf from '@tensorflow/tfjs-core'
import type { Tensor } from '@tensorflow/tfjs-core'
import { MaskscopeError } from '#shared/domain/errors.ts'
import type { ExecutorChoice, ExecutorWish } from '#shared/domain/executor.ts'
import type { ModelInfo, TfjsSource } from '#shared/domain/model.ts'
import type { Head } from '#shared/domain/score.ts'
import type { UnsupportedNode } from '../graph/build.ts'
import { sizeOf } from '../graph/graph.ts'
import type { Executor } from '../graph/executor.ts'
import { checkInputShape } from '../graph/import/input-shape.ts'
import { scalingOf } from '../graph/simplify/input-scaling.ts'
import type { Classifier } from './classifier.ts'
import { createClassifier } from './graph-classifier.ts'
import { labelsFor } from './labels.ts'
import { headOf, outputNote, type Outputs } from './outputs.ts'
import { scoresAndSeeds } from './scores.ts'

type OpaqueModel = LayersModel | GraphModel

interface Output {
  /** Of the input. */
  size: readonly number[]
  classes: number
  head: Head
}

const asItIs: ExecutorChoice = { id: 'tfjs', reason: 'Only TensorFlow.js can run the file as it is.', measured: {}, version: null }

/**
 * A model that our graph cannot express, as TF.js runs it: outputs always, gradients where TF.js can differentiate every
 * operation in it. Outputs that are probabilities become their logarithms (softmax) or log-odds (sigmoid).
 * @param reason the node that the graph cannot express
 * @throws MaskscopeError 'input' naming the node where TF.js does not know it either.
 */
export async function loadOpaque(source: TfjsSource, reason: UnsupportedNode, wish: ExecutorWish): Promise<Classifier> {
  if (wish === 'onnxruntime') {
    throw new MaskscopeError('unavailable', `The graph cannot express ${reason.message}, and only TensorFlow.js runs the file as it is. Leave the choice of the executor to Maskscope (auto), or take tfjs.`, { subject: 'executor' })
  }
  const model = await loadModel(source, reason)
  const [, height, width, channels] = checkInputShape(model.inputs[0]?.shape ?? null) as [number, number, number, number]
  const toModel = preprocess(source, channels)
  try {
    const probe = await outputsOn(model, tf.fill([2, height, width, channels], 0.5), toModel, reason)
    if (probe.shape.length !== 2) {
      throw new MaskscopeError('input', `The model's output has the shape [${probe.shape.join(', ')}]; one number per class is needed. Choose an image classifier.`)
    }
    const classes = probe.shape[1]!
    const { head, outputs } = headOf(probe.values, classes, source.head)
    const access = await differentiable(model, toModel, [1, height, width, channels]) ? 'gradient' : 'query'
    const labels = labelsFor(source, classes)
    const info: ModelInfo = {
      name: source.name, sha256: source.sha256, format: source.format === 'tfjs-layers' ? 'TF.js layers model' : 'TF.js graph model',
      input: { height, width, channels }, classes, labels: labels.labels, head, access, preprocessing: source.preprocessing,
      parameters: source.weightSpecs.reduce((sum, w) => sum + sizeOf(w.shape), 0), multiplyAdds: null, executor: asItIs,
      notes: [
        `The graph cannot express ${reason.message}, so TF.js runs the model as it is: slower, and without what needs its layers.`,
        ...outputNote(outputs),
        ...(access === 'query' ? ['TF.js cannot differentiate it here, so only methods that ask for outputs can explain it.'] : []),
        ...labels.notes,
      ],
    }
    return createClassifier(info, opaqueExecutor(model, { size: [height, width, channels], classes, head }, toModel, outputs), { forward: 16, gradient: 8 }, null)
  } catch (error) {
    model.dispose()
    throw error
  }
}

async function loadModel(source: TfjsSource, reason: UnsupportedNode): Promise<OpaqueModel> {
  const artifacts: tf.io.ModelArtifacts = {
    modelTopology: source.topology as object,
    weightSpecs: source.weightSpecs as unknown as tf.io.WeightsManifestEntry[],
    weightData: source.weightData.buffer.slice(source.weightData.byteOffset, source.weightData.byteOffset + source.weightData.byteLength) as ArrayBuffer,
  }
  try {
    if (source.format === 'tfjs-layers') {
      const { loadLayersModel } = await import('@tensorflow/tfjs-layers')
      return await loadLayersModel(tf.io.fromMemory(artifacts))
    }
    const { loadGraphModel } = await import('@tensorflow/tfjs-converter')
    return await loadGraphModel(tf.io.fromMemory(artifacts))
  } catch (error) {
    throw unknownNode(reason, error)
  }
}

function unknownNode(reason: UnsupportedNode, error: unknown): MaskscopeError {
  const said = error instanceof Error ? error.message.split('\n')[0]!.slice(0, 200) : String(error)
  return new MaskscopeError('input', `The model cannot be run: ${reason.message} is not known to Maskscope, and TF.js says: ${said} Export the model without this node.`, { subject: reason.node, cause: error })
}

/** From [0, 1] to what the model was trained on. */
function preprocess(source: TfjsSource, channels: number): (x: Tensor) => Tensor {
  const { scale, offset } = scalingOf(source.preprocessing, channels)
  const bgr = source.preprocessing.channelOrder === 'bgr' && channels === 3
  return (x) => {
    const scaled = tf.add(tf.mul(x, tf.tensor1d(scale)), tf.tensor1d(offset))
    return bgr ? tf.reverse(scaled, 3) : scaled
  }
}

async function outputsOn(model: OpaqueModel, images: Tensor, toModel: (x: Tensor) => Tensor, reason: UnsupportedNode): Promise<{ shape: number[]; values: Float32Array }> {
  let output: Tensor
  try {
    output = tf.tidy(() => predict(model, toModel(images)))
  } catch (error) {
    throw unknownNode(reason, error)
  } finally {
    images.dispose()
  }
  const values = (await output.data()) as Float32Array
  const { shape } = output
  output.dispose()
  return { shape, values }
}

function predict(model: OpaqueModel, x: Tensor): Tensor {
  const output = 'layers' in model ? model.apply(x, { training: false }) : model.execute(x)
  if (Array.isArray(output)) throw new Error(`it has ${output.length} outputs, and one is needed`)
  return output as Tensor
}

async function differentiable(model: OpaqueModel, toModel: (x: Tensor) => Tensor, shape: number[]): Promise<boolean> {
  try {
    const gradient = tf.tidy(() => tf.grad((x) => tf.sum(predict(model, toModel(x))))(tf.fill(shape, 0.5)))
    const values = await gradient.data()
    gradient.dispose()
    return values.every(Number.isFinite)
  } catch {
    return false
  }
}

/** log p or log-odds, away from the infinities at 0 and 1. */
function toLogits(y: Tensor, outputs: Outputs): Tensor {
  if (outputs === 'logits') return y
  const tiny = 1e-30
  const log = (p: Tensor): Tensor => tf.log(tf.maximum(p, tiny))
  return outputs === 'softmax' ? log(y) : tf.sub(log(y), log(tf.sub(1, y)))
}

function opaqueExecutor(model: OpaqueModel, { size, classes, head }: Output, toModel: (x: Tensor) => Tensor, outputs: Outputs): Executor {
  const forwardOf = (x: Tensor): Tensor => toLogits(predict(model, toModel(x)), outputs)
  async function values(make: () => Tensor): Promise<Float32Array> {
    const result = tf.tidy(make)
    try {
      return (await result.data()) as Float32Array
    } finally {
      result.dispose()
    }
  }
  const forward = (images: Float32Array, count: number): Promise<Float32Array> => values(() => forwardOf(tf.tensor(images, [count, ...size])))
  const refused = (): never => {
    throw new MaskscopeError('unavailable', 'The layers of this model are not known, because TF.js runs it as it is. Choose a method that needs no layer.')
  }
  return {
    id: 'tfjs-opaque',
    forward,
    async gradient(images, count, scores, _reluRule) {
      const logits = await forward(images, count)
      const { scores: found, seeds } = scoresAndSeeds(logits, classes, scores, head)
      const gradient = await values(() => tf.grad((x) => tf.sum(tf.mul(forwardOf(x), tf.tensor(seeds, [count, classes]))))(tf.tensor(images, [count, ...size])))
      return { logits, scores: found, gradient }
    },
    activations: async () => refused(),
    ablated: async () => refused(),
    dispose: () => model.dispose(),
  }
}

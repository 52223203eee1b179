import * as tf from '@tensorflow/tfjs-core'
import type { LayersModel } from '@tensorflow/tfjs-layers'
import type { TfjsSource, Preprocessing, WeightSpec } from '#shared/domain/model.ts'
import { createRandom } from '#shared/random/random.ts'

/** The model's input is the image as it is. */
export const plain: Preprocessing = {
  fit: 'squash', cropFraction: 0.875, resizeFilter: 'lanczos3', range: [0, 1], mean: [0, 0, 0], std: [1, 1, 1], channelOrder: 'rgb',
}

export function source(given: Pick<TfjsSource, 'format' | 'topology' | 'weightSpecs' | 'weightData'> & Partial<TfjsSource>): TfjsSource {
  return { name: 'test', sha256: '0', preprocessing: plain, labels: null, head: undefined, ...given }
}

/** Weights of a size that keeps activations of the order of one, whatever the initialiser. */
export function randomise(model: LayersModel, seed: number): void {
  const random = createRandom(seed, 'weights')
  const weights = model.getWeights()
  model.setWeights(weights.map((w, i) => {
    const name = (model.weights[i] as { originalName: string }).originalName
    const fan = w.shape.length > 1 ? w.size / w.shape[w.shape.length - 1]! : 4
    const variance = name.includes('variance') || name.includes('gamma')
    return tf.tensor(Float32Array.from({ length: w.size }, () => (variance ? random.between(0.5, 1.5) : random.normal() * (w.shape.length > 1 ? 1.5 / Math.sqrt(fan) : 0.3))), w.shape)
  }))
}

/** The model as a file would hold it. */
export async function sourceOf(model: LayersModel, changes: Partial<TfjsSource> = {}): Promise<TfjsSource> {
  let artifacts: tf.io.ModelArtifacts | undefined
  await model.save(tf.io.withSaveHandler((given) => {
    artifacts = given
    return Promise.resolve({ modelArtifactsInfo: { dateSaved: new Date(0), modelTopologyType: 'JSON' } })
  }))
  return source({
    format: 'tfjs-layers',
    // through JSON, as in a file
    topology: JSON.parse(JSON.stringify(artifacts!.modelTopology)) as unknown,
    weightSpecs: artifacts!.weightSpecs as unknown as WeightSpec[],
    weightData: new Uint8Array(artifacts!.weightData as ArrayBuffer),
    ...changes,
  })
}

/** What the model's file expects for images in [0, 1]. */
export function scaled(x: tf.Tensor, { range, mean, std, channelOrder }: Preprocessing): tf.Tensor {
  const ordered = channelOrder === 'bgr' ? tf.reverse(x, 3) : x
  const ranged = tf.add(tf.mul(ordered, range[1] - range[0]), range[0])
  const channels = x.shape[3]!
  return tf.div(tf.sub(ranged, tf.tensor1d(mean.slice(0, channels))), tf.tensor1d(std.slice(0, channels)))
}

export function randomImages(count: number, height: number, width: number, channels: number, seed = 1): { count: number; height: number; width: number; channels: number; data: Float32Array } {
  const random = createRandom(seed, 'images')
  return { count, height, width, channels, data: Float32Array.from({ length: count * height * width * channels }, () => random.uniform()) }
}

export function worst(a: Float32Array, b: Float32Array): number {
  if (a.length !== b.length) return Infinity
  const scale = b.reduce((max, v) => Math.max(max, Math.abs(v)), 1e-6)
  return a.reduce((max, v, i) => Math.max(max, Math.abs(v - b[i]!)), 0) / scale
}

import { MaskscopeError } from '#shared/domain/errors.ts'
import type { ImageBatch } from '#shared/domain/image.ts'
import type { GraphReport } from '#shared/domain/layers.ts'
import type { ModelInfo } from '#shared/domain/model.ts'
import { weightedOps } from '../graph/shuffle.ts'

/** What is asked of a classifier, checked before any work is done. */

export function checkImages(images: ImageBatch, { input, name }: ModelInfo): void {
  const fits = images.height === input.height && images.width === input.width && images.channels === input.channels
  if (!fits || images.data.length !== images.count * input.height * input.width * input.channels) {
    throw new Error(`images of ${images.height}×${images.width}×${images.channels} for ${name}, which takes ${input.height}×${input.width}×${input.channels}`)
  }
}

export function checkFinite(values: Float32Array, name: string): Float32Array {
  const bad = values.findIndex((v) => !Number.isFinite(v))
  if (bad < 0) return values
  throw new MaskscopeError('run', `The model ${name} answered ${values[bad]} instead of a number. Check that its preprocessing (range, mean, std) fits, or use another model.`)
}

/** @throws MaskscopeError 'unavailable' where there are no layers, 'usage' naming one that is not there */
export function checkLayer(layer: string, graph: GraphReport | null, { name: model }: ModelInfo): void {
  if (!graph) {
    throw new MaskscopeError('unavailable', `The layers of ${model} cannot be looked into: it runs as it is, not as a graph of ours. Choose a method that needs no layer.`, { subject: 'layer' })
  }
  if (graph.layers.some(({ name }) => name === layer)) return
  const known = graph.layers.filter(({ cam }) => cam).map(({ name }) => name)
  const advice = known.length === 0 ? '' : ` Layers that can be looked into are ${known.slice(-8).join(', ')}.`
  throw new MaskscopeError('usage', `The model ${model} has no layer "${layer}".${advice} "maskscope inspect" lists all.`, { subject: 'layer' })
}

/** @throws Error where the channels are not the layer's: whoever asks has looked at its shape */
export function checkChannels(channels: readonly (readonly number[])[], layer: string, graph: GraphReport, images: ImageBatch): void {
  if (channels.length !== images.count) throw new Error(`${channels.length} lists of channels for ${images.count} images`)
  const most = graph.layers.find(({ name }) => name === layer)!.shape.at(-1)!
  for (const channel of channels.flat()) {
    if (!Number.isInteger(channel) || channel < 0 || channel >= most) throw new Error(`channel ${channel} of the layer ${layer}, which has ${most}`)
  }
}

/** @throws MaskscopeError 'usage' naming a layer whose weights cannot be shuffled */
export function checkWeighted(layers: readonly string[], graph: GraphReport | null, info: ModelInfo): void {
  for (const layer of layers) {
    checkLayer(layer, graph, info)
    const found = graph!.layers.find(({ name }) => name === layer)!
    if ((weightedOps as readonly string[]).includes(found.op)) continue
    throw new MaskscopeError('usage', `The layer ${layer} of ${info.name} has no weights. Choose one that has, such as a convolution.`, { subject: 'layer' })
  }
}

/** What needs a graph of ours, and there is none. */
export function noGraph(info: ModelInfo, what: string): MaskscopeError {
  return new MaskscopeError('unavailable', `${what} needs the layers of the model, and ${info.name} runs as it is, not as a graph of ours. Choose what needs no layer.`)
}

import { MaskscopeError } from '#shared/domain/errors.ts'
import type { Parameter, ParameterValues } from '#shared/domain/parameters.ts'
import type { Classifier } from '../../classifier/classifier.ts'
import { wordOf } from '../common/parameters.ts'

/** Which layer a map of activations is made of. */
export const layerParameter: Parameter = {
  type: 'text', name: 'layer', label: 'Layer', group: 'Layer', common: true, kind: 'layer',
  help: 'Whose activations make the map; auto takes the last convolution with at least 4×4 places.',
  default: 'auto',
}

/**
 * The layer that `layer` names, or the last convolution with at least 4×4 places.
 * @throws MaskscopeError 'unavailable' where the model has no such layer, 'usage' where the one named is not there or is no picture of channels.
 */
export function chooseLayer(classifier: Pick<Classifier, 'graph' | 'info'>, values: ParameterValues): string {
  const { graph, info } = classifier
  if (!graph) {
    throw new MaskscopeError('unavailable', `The layers of ${info.name} cannot be looked into: it runs as it is. Choose a method that needs no layer.`, { subject: 'layer' })
  }
  const named = wordOf(values, 'layer')
  if (named === 'auto') {
    if (graph.camLayer !== null) return graph.camLayer
    throw new MaskscopeError('unavailable', `The model ${info.name} has no convolution with at least 4×4 places. Name a layer, or choose another method.`, { subject: 'layer' })
  }
  const layer = graph.layers.find(({ name }) => name === named)
  const advice = `Layers to choose from are ${graph.layers.filter(({ cam }) => cam).slice(-8).map(({ name }) => name).join(', ') || 'not among its layers'}.`
  if (!layer) throw new MaskscopeError('usage', `The model ${info.name} has no layer "${named}". ${advice} "maskscope inspect" lists all.`, { subject: 'layer' })
  if (layer.shape.length === 3) return named
  throw new MaskscopeError('usage', `The layer ${named} of ${info.name} gives ${layer.shape.join('×') || 'one number'}, not rows, columns and channels. ${advice}`, { subject: 'layer' })
}

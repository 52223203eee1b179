/**
 * The number of channels that a TF.js model's input has, read off its topology: the first input layer's shape, or the
 * placeholder's. Mean and std of a model card are completed to it; the engine reads and checks the input itself.
 * @returns 3 where the topology does not tell.
 */
export function inputChannels(topology: unknown): number {
  const shape = layersShape(topology) ?? graphShape(topology)
  const channels = shape?.[shape.length - 1]
  return channels !== undefined && Number.isInteger(channels) && channels > 0 && channels <= 4 ? channels : 3
}

function layersShape(topology: unknown): number[] | undefined {
  const model = get(topology, 'model_config') ?? topology
  const config = get(model, 'config')
  const layers = Array.isArray(config) ? config : get(config, 'layers')
  if (!Array.isArray(layers)) return undefined
  for (const layer of layers) {
    const layerConfig = get(layer, 'config')
    const shape = get(layerConfig, 'batch_input_shape') ?? get(layerConfig, 'batch_shape') ?? get(layerConfig, 'batchInputShape')
    if (Array.isArray(shape)) return shape.map(Number)
  }
  return undefined
}

function graphShape(topology: unknown): number[] | undefined {
  const nodes = get(topology, 'node')
  if (!Array.isArray(nodes)) return undefined
  const placeholder: unknown = nodes.find((n) => get(n, 'op') === 'Placeholder')
  const dims = get(get(get(get(placeholder, 'attr'), 'shape'), 'shape'), 'dim')
  return Array.isArray(dims) ? dims.map((d) => Number(get(d, 'size'))) : undefined
}

function get(value: unknown, key: string): unknown {
  return typeof value === 'object' && value !== null ? (value as Record<string, unknown>)[key] : undefined
}

import { MaskscopeError } from '#shared/domain/errors.ts'
import type { Ref } from '../build.ts'
import { createBuilder, UnsupportedNode } from '../build.ts'
import type { Graph, Shape } from '../graph.ts'
import { activationLayers } from './layer-activations.ts'
import type { Layer, LayerContext, LayerImporter } from './layer-context.ts'
import { createContext } from './layer-context.ts'
import { convolutionLayers } from './layer-convolutions.ts'
import { shapeLayers } from './layer-shapes.ts'
import { checkInputShape } from './input-shape.ts'
import type { DecodedWeight } from './weights.ts'

const importers: Record<string, LayerImporter> = { ...convolutionLayers, ...activationLayers, ...shapeLayers }

interface RawLayer {
  class_name?: string
  name?: string
  config?: Record<string, unknown>
  inbound_nodes?: unknown[]
}

/**
 * A TF.js layers model (Sequential or Functional, models nested in models, as TF.js, Keras 2 or Keras 3 write them).
 * @param topology `modelTopology` of model.json
 * @throws UnsupportedNode where the graph cannot express a layer; MaskscopeError 'input' where the model is broken or
 * does not take images.
 */
export function importLayersModel(topology: unknown, weights: ReadonlyMap<string, DecodedWeight>): Graph {
  const root = topology as { model_config?: RawLayer } & RawLayer
  const model = root?.model_config ?? root
  if (typeof model !== 'object' || model === null || typeof model.class_name !== 'string') {
    throw new MaskscopeError('input', 'model.json has no model_config with a class_name; it is not a TF.js layers model. Convert the model again with tensorflowjs_converter.')
  }
  const builder = createBuilder()
  const context = createContext(builder, weights)
  const shape = checkInputShape(inputShapeOf(model))
  const input = builder.add(inputNameOf(model), { op: 'input' }, [], shape)
  const outputs = importModel(model, [input], context)
  if (outputs.length !== 1) {
    throw new MaskscopeError('input', `The model has ${outputs.length} outputs; a classifier with one output is needed. Export the part that ends in the class scores.`)
  }
  return builder.finish(input, outputs[0]!)
}

function importModel(model: RawLayer, inputs: readonly Ref[], context: LayerContext): Ref[] {
  switch (model.class_name) {
    case 'Sequential':
      return [importSequential(model, inputs[0]!, context)]
    case 'Functional':
    case 'Model':
      return importFunctional(model, inputs, context)
    default:
      throw new UnsupportedNode(model.name ?? 'model', model.class_name ?? 'unknown')
  }
}

/** TF.js once wrote a Sequential's config as the list of layers itself. */
function layersOf(model: RawLayer): RawLayer[] {
  const config = model.config as unknown
  const layers = Array.isArray(config) ? config : (config as { layers?: unknown } | undefined)?.layers
  if (!Array.isArray(layers) || layers.length === 0) {
    throw new MaskscopeError('input', 'model.json lists no layers. Convert or download the model again.')
  }
  return layers as RawLayer[]
}

function importSequential(model: RawLayer, input: Ref, context: LayerContext): Ref {
  let current = input
  for (const raw of layersOf(model)) {
    if (raw.class_name !== 'InputLayer') current = importLayer(raw, [current], context)[0]!
  }
  return current
}

function importFunctional(model: RawLayer, inputs: readonly Ref[], context: LayerContext): Ref[] {
  const config = model.config ?? {}
  const layers = layersOf(model)
  const inputNames = endpoints(config['input_layers']).map(([name]) => name)
  /** Outputs of each call of each layer: a layer may be used more than once. */
  const values = new Map<string, Ref[]>()
  inputNames.forEach((name, i) => values.set(`${name}/0`, [inputs[i]!]))
  if (inputNames.length !== inputs.length) {
    throw new MaskscopeError('input', `The model takes ${inputNames.length} inputs; a classifier of one image is needed.`)
  }
  const pending = layers
    .filter((l) => l.class_name !== 'InputLayer')
    .flatMap((l) => (l.inbound_nodes ?? []).map((node, call) => ({ layer: l, call, from: sourcesOf(node) })))
  while (pending.length > 0) {
    const ready = pending.findIndex((p) => p.from.every(([name, call]) => values.has(`${name}/${call}`)))
    if (ready < 0) {
      throw new MaskscopeError('input', `Layer ${nameOf(pending[0]!.layer)} depends on layers that model.json does not hold. Convert or download the model again.`)
    }
    const [step] = pending.splice(ready, 1)
    const from = step!.from.map(([name, call, index]) => values.get(`${name}/${call}`)![index]!)
    values.set(`${nameOf(step!.layer)}/${step!.call}`, importLayer(step!.layer, from, context))
  }
  return endpoints(config['output_layers']).map(([name, call, index]) => {
    const found = values.get(`${name}/${call}`)?.[index]
    if (found === undefined) throw new MaskscopeError('input', `The model's output layer ${name} is not in model.json. Convert or download the model again.`)
    return found
  })
}

function importLayer(raw: RawLayer, inputs: readonly Ref[], context: LayerContext): Ref[] {
  const className = raw.class_name ?? 'unknown'
  if (['Sequential', 'Functional', 'Model'].includes(className)) return importModel(raw, inputs, context)
  const layer: Layer = { className, name: nameOf(raw), config: raw.config ?? {} }
  const importer = importers[className]
  if (!importer) throw new UnsupportedNode(layer.name, className)
  return [importer(layer, inputs, context)]
}

function nameOf(raw: RawLayer): string {
  return raw.name ?? (raw.config?.['name'] as string | undefined) ?? raw.class_name ?? 'layer'
}

type Endpoint = [name: string, call: number, index: number]

/** One or several [layer, call, output]. */
function endpoints(value: unknown): Endpoint[] {
  if (!Array.isArray(value)) return []
  if (typeof value[0] === 'string') return [[value[0], Number(value[1] ?? 0), Number(value[2] ?? 0)]]
  return (value as unknown[][]).map(([name, call, index]) => [String(name), Number(call ?? 0), Number(index ?? 0)])
}

/** What a call of a layer reads: Keras 2 lists [layer, call, output, {}], Keras 3 writes tensors with a history. */
function sourcesOf(node: unknown): Endpoint[] {
  if (Array.isArray(node)) return endpoints(node)
  const found: Endpoint[] = []
  const walk = (value: unknown): void => {
    if (Array.isArray(value)) return value.forEach(walk)
    if (typeof value !== 'object' || value === null) return
    const history = (value as { config?: { keras_history?: unknown[] } }).config?.keras_history
    if (history) found.push(...endpoints(history))
    else Object.values(value).forEach(walk)
  }
  walk((node as { args?: unknown }).args)
  return found
}

/** The declared input shape: of the InputLayer, or of the first layer that states one. */
function inputShapeOf(model: RawLayer): Shape | null {
  const [first] = layersOf(model)
  const config = model.config as { layers?: unknown; build_input_shape?: Shape; batch_input_shape?: Shape } | undefined
  const inputs = layersOf(model).filter((l) => l.class_name === 'InputLayer')
  const stated = (inputs[0] ?? first)?.config
  const shape = (stated?.['batch_input_shape'] ?? stated?.['batch_shape'] ?? config?.build_input_shape ?? config?.batch_input_shape) as Shape | undefined
  if (shape) return shape
  const nested = first && ['Sequential', 'Functional', 'Model'].includes(first.class_name ?? '')
  return nested ? inputShapeOf(first) : null
}

function inputNameOf(model: RawLayer): string {
  const input = layersOf(model).find((l) => l.class_name === 'InputLayer')
  return input ? nameOf(input) : 'input'
}

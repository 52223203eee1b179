import { MaskscopeError } from '#shared/domain/errors.ts'
import type { GraphBuilder, Ref } from '../build.ts'
import { UnsupportedNode } from '../build.ts'
import type { Size2, Weight } from '../graph.ts'
import type { DecodedWeight } from './weights.ts'

/** A layer of a Keras-style topology: class name, name and config as the file states them. */
export interface Layer {
  className: string
  name: string
  config: Record<string, unknown>
}

/** Turns one layer into nodes and returns the node that holds its output. */
export type LayerImporter = (layer: Layer, inputs: readonly Ref[], context: LayerContext) => Ref

export interface LayerContext {
  builder: GraphBuilder
  /** @throws MaskscopeError 'input' where the weight is missing. */
  weight(layer: Layer, name: string): Weight
  optionalWeight(layer: Layer, name: string): Weight | null
}

export function createContext(builder: GraphBuilder, weights: ReadonlyMap<string, DecodedWeight>): LayerContext {
  function optionalWeight(layer: Layer, name: string): Weight | null {
    const exact = weights.get(`${layer.name}/${name}`)
    if (exact) return exact
    // Nested models and some converters put a scope before the layer's name.
    const scoped = [...weights].filter(([key]) => key.endsWith(`/${layer.name}/${name}`))
    return scoped.length === 1 ? scoped[0]![1] : null
  }
  return {
    builder,
    optionalWeight,
    weight(layer, name) {
      const found = optionalWeight(layer, name)
      if (found) return found
      throw new MaskscopeError('input', `Weight ${layer.name}/${name} is missing from the model's weight files. Download or convert the model again.`, { subject: `${layer.name}/${name}` })
    },
  }
}

export function numberOf(layer: Layer, key: string, fallback: number): number {
  const value = layer.config[key]
  return typeof value === 'number' ? value : fallback
}

export function booleanOf(layer: Layer, key: string, fallback: boolean): boolean {
  const value = layer.config[key]
  return typeof value === 'boolean' ? value : fallback
}

/** A pair of whole numbers, or one number for both. */
export function sizeOf2(layer: Layer, key: string, fallback: Size2): Size2 {
  const value = layer.config[key]
  if (typeof value === 'number') return [value, value]
  if (Array.isArray(value) && value.length === 2) return [value[0] as number, value[1] as number]
  return fallback
}

/** Everything inside the graph is channels-last. */
export function requireChannelsLast(layer: Layer): void {
  const format = layer.config['data_format']
  if (format !== undefined && format !== null && format !== 'channels_last') {
    throw new UnsupportedNode(layer.name, layer.className, `data_format ${String(format)}`)
  }
}

export function unsupported(layer: Layer, detail: string): UnsupportedNode {
  return new UnsupportedNode(layer.name, layer.className, detail)
}

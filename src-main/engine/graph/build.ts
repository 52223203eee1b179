import { MaskscopeError } from '#shared/domain/errors.ts'
import type { Graph, GraphNode, Operation, Pads, Shape, Weight } from './graph.ts'
import { inferShape } from './shapes.ts'

/** An operation the graph cannot express: the model then runs as TF.js runs it. */
export class UnsupportedNode extends Error {
  override readonly name = 'UnsupportedNode'
  readonly node: string
  readonly operation: string

  constructor(node: string, operation: string, detail = '') {
    super(`node ${node} (${operation}${detail ? `, ${detail}` : ''})`)
    this.node = node
    this.operation = operation
  }
}

/** A value while importing: the node that computes it. */
export type Ref = string

/** Collects nodes in topological order and infers their shapes. */
export interface GraphBuilder {
  /** Adds the node that ends `layer`; where a layer takes several nodes, those before it are added with `part`. */
  add(layer: string, operation: Operation, inputs: readonly Ref[], shape?: Shape): Ref
  /** An inner step of `layer`, named layer/part. */
  part(layer: string, part: string, operation: Operation, inputs: readonly Ref[], shape?: Shape): Ref
  shapeOf(ref: Ref): Shape
  node(ref: Ref): GraphNode
  /** Says that `layer` is `ref` itself (dropout, identity). */
  alias(layer: string, ref: Ref): Ref
  note(text: string): void
  finish(input: Ref, output: Ref): Graph
}

export function createBuilder(): GraphBuilder {
  const nodes = new Map<string, GraphNode>()
  const notes: string[] = []

  function insert(name: string, layers: readonly string[], operation: Operation, inputs: readonly Ref[], shape?: Shape): Ref {
    let unique = name
    for (let i = 1; nodes.has(unique); i++) unique = `${name}_${i}`
    try {
      const inferred = shape ?? inferShape(operation, inputs.map(shapeOf))
      nodes.set(unique, { name: unique, inputs, shape: inferred, layers, ...operation })
    } catch (error) {
      throw new MaskscopeError('input', `The model's node ${name} is inconsistent: ${(error as Error).message}. Convert the model again.`, {
        subject: name,
        cause: error,
      })
    }
    return unique
  }

  function node(ref: Ref): GraphNode {
    const found = nodes.get(ref)
    if (!found) throw new Error(`no node ${ref} yet`)
    return found
  }
  const shapeOf = (ref: Ref): Shape => node(ref).shape

  return {
    add: (layer, operation, inputs, shape) => insert(layer, [layer], operation, inputs, shape),
    part: (layer, part, operation, inputs, shape) => insert(`${layer}/${part}`, [], operation, inputs, shape),
    shapeOf,
    node,
    alias(layer, ref) {
      const found = node(ref)
      nodes.set(ref, { ...found, layers: [...found.layers, layer] })
      return ref
    },
    note: (text) => void notes.push(text),
    finish: (input, output) => ({ nodes: [...nodes.values()], input, output, notes }),
  }
}

export function weight(shape: Shape, data: Float32Array | readonly number[]): Weight {
  return { shape, data: data instanceof Float32Array ? data : Float32Array.from(data) }
}

export function pads(vertical: readonly [number, number], horizontal: readonly [number, number]): Pads {
  return { top: vertical[0], bottom: vertical[1], left: horizontal[0], right: horizontal[1] }
}

/** The scale and offset of a batch normalisation: gamma·(x − mean)/sqrt(variance + epsilon) + beta. */
export function normalisation(
  channels: number,
  mean: Weight,
  variance: Weight,
  gamma: Weight | null,
  beta: Weight | null,
  epsilon: number,
): Operation & { op: 'affine' } {
  const scale = new Float32Array(channels)
  const offset = new Float32Array(channels)
  for (let c = 0; c < channels; c++) {
    const s = (gamma ? gamma.data[c]! : 1) / Math.sqrt(variance.data[c]! + epsilon)
    scale[c] = s
    offset[c] = (beta ? beta.data[c]! : 0) - mean.data[c]! * s
  }
  return { op: 'affine', scale: { shape: [channels], data: scale }, offset: { shape: [channels], data: offset } }
}

import type { TfjsSource, WeightSpec } from '#shared/domain/model.ts'
import { createRandom } from '#shared/random/random.ts'
import { source } from './models.ts'

/** Builds frozen TensorFlow graphs as tfjs-converter writes them. */
export interface GraphDef {
  /** Adds a node and returns its name; "name:1" names its second output. */
  node(name: string, op: string, inputs: string[], attributes?: Record<string, unknown>): string
  /** Random numbers of the size that keeps activations of the order of one. */
  weight(name: string, shape: number[], options?: { between?: [number, number] }): string
  constant(name: string, values: number[], shape?: number[], dtype?: 'int32' | 'float32'): string
  source(changes?: Partial<TfjsSource>): TfjsSource
}

export const attribute = {
  ints: (values: number[]) => ({ list: { i: values.map(String) } }),
  text: (value: string) => ({ s: Buffer.from(value).toString('base64') }),
  texts: (values: string[]) => ({ list: { s: values.map((v) => Buffer.from(v).toString('base64')) } }),
  float: (f: number) => ({ f }),
  int: (i: number) => ({ i: String(i) }),
  bool: (b: boolean) => ({ b }),
}

export function graphDef(inputShape: number[]): GraphDef {
  const random = createRandom(11, 'graph')
  const float = { type: 'DT_FLOAT' }
  const nodes: unknown[] = [
    { name: 'input', op: 'Placeholder', attr: { dtype: float, shape: { shape: { dim: [-1, ...inputShape].map((size) => ({ size: String(size) })) } } } },
  ]
  const specs: WeightSpec[] = []
  const data: Uint8Array[] = []

  function put(name: string, values: Float32Array | Int32Array, shape: number[], dtype: 'int32' | 'float32'): string {
    const type = dtype === 'int32' ? 'DT_INT32' : 'DT_FLOAT'
    nodes.push({ name, op: 'Const', attr: { dtype: { type }, value: { tensor: { dtype: type, tensorShape: { dim: shape.map((size) => ({ size: String(size) })) } } } } })
    specs.push({ name, shape, dtype })
    data.push(new Uint8Array(values.buffer))
    return name
  }

  return {
    node(name, op, inputs, attributes = {}) {
      nodes.push({ name, op, input: inputs, attr: { T: float, ...attributes } })
      return name
    },
    weight(name, shape, { between } = {}) {
      const size = shape.reduce((a, b) => a * b, 1)
      const fan = shape.length > 1 ? size / shape[shape.length - 1]! : 4
      const draw = (): number => (between ? random.between(...between) : random.normal() * (shape.length > 1 ? 1.5 / Math.sqrt(fan) : 0.3))
      return put(name, Float32Array.from({ length: size }, draw), shape, 'float32')
    },
    constant: (name, values, shape = [values.length], dtype = 'int32') => put(name, dtype === 'int32' ? Int32Array.from(values) : Float32Array.from(values), shape, dtype),
    source: (changes = {}) => source({
      format: 'tfjs-graph', topology: { node: nodes, versions: {} }, weightSpecs: specs, weightData: new Uint8Array(Buffer.concat(data)), ...changes,
    }),
  }
}

import { MaskscopeError } from '#shared/domain/errors.ts'
import type { ModelInfo, ModelSource } from '#shared/domain/model.ts'
import { UnsupportedNode } from '../graph/build.ts'
import { multiplyAdds, parameterCount } from '../graph/cost.ts'
import type { Graph } from '../graph/graph.ts'
import { nodeNamed, sizePerImage } from '../graph/graph.ts'
import { importGraphModel } from '../graph/import/graph-model.ts'
import { importLayersModel } from '../graph/import/layers-model.ts'
import { decodeWeights } from '../graph/import/weights.ts'
import { simplify } from '../graph/simplify/simplify.ts'
import { createTfjsExecutor } from '../graph/tfjs/executor.ts'
import type { Classifier } from './classifier.ts'
import { createClassifier } from './graph-classifier.ts'
import { loadOpaque } from './opaque.ts'
import { labelsFor } from './labels.ts'

const formats = { 'tfjs-layers': 'TF.js layers model', 'tfjs-graph': 'TF.js graph model', onnx: 'ONNX model' } as const

/**
 * A classifier on the active TF.js backend. The model becomes our graph where the graph can express it; else TF.js runs it
 * as it is, and the notes say so.
 * @throws MaskscopeError 'input' naming what is wrong with the model and what to do.
 */
export async function loadClassifier(source: ModelSource): Promise<Classifier> {
  if (source.format === 'onnx') throw new MaskscopeError('input', 'ONNX models are not read yet.')
  const weights = decodeWeights(source.weightSpecs, source.weightData)
  checkPreprocessing(source)
  let imported: Graph
  try {
    imported = source.format === 'tfjs-layers' ? importLayersModel(source.topology, weights) : importGraphModel(source.topology, weights)
  } catch (error) {
    if (error instanceof UnsupportedNode) return loadOpaque(source, error)
    throw error
  }
  const labelCount = source.labels?.length ?? null
  const { graph, head } = simplify(imported, { preprocessing: source.preprocessing, head: source.head, labels: labelCount })
  const [, height, width, channels] = nodeNamed(graph, graph.input).shape as [number, number, number, number]
  const classes = nodeNamed(graph, graph.output).shape[1]!
  const labels = labelsFor(source, classes)
  const info: ModelInfo = {
    name: source.name,
    sha256: source.sha256,
    format: formats[source.format],
    input: { height, width, channels },
    classes,
    labels: labels.labels,
    head,
    access: 'gradient',
    preprocessing: source.preprocessing,
    parameters: parameterCount(graph),
    multiplyAdds: multiplyAdds(graph),
    notes: [...graph.notes, ...labels.notes],
    executor: { id: 'tfjs', reason: 'It is the only executor.', measured: {}, version: null },
  }
  return createClassifier(info, createTfjsExecutor(graph, head), limitsOf(graph))
}

/** The most images whose activations stay within 512 MB: TF.js's WASM heap never shrinks. */
function limitsOf(graph: Graph): { forward: number; gradient: number } {
  const sizes = graph.nodes.map((n) => sizePerImage(n.shape) * 4)
  const all = sizes.reduce((sum, n) => sum + n, 0)
  const budget = 512 * 2 ** 20
  const within = (bytes: number): number => Math.max(1, Math.min(256, Math.floor(budget / bytes)))
  return { forward: within(4 * Math.max(...sizes)), gradient: within(2 * all) }
}

function checkPreprocessing({ preprocessing }: ModelSource): void {
  const refuse = (field: string, what: string): never => {
    throw new MaskscopeError('input', `The preprocessing's ${field} ${what}. Correct it in the model card.`, { subject: field })
  }
  const { range, mean, std, cropFraction } = preprocessing
  if (!range.every(Number.isFinite) || range[0] === range[1]) refuse('range', `is ${range.join(', ')}; two different numbers are needed`)
  for (const [field, values] of [['mean', mean], ['std', std]] as const) {
    if ((values.length !== 1 && values.length !== 3) || !values.every(Number.isFinite)) refuse(field, 'must hold one number or three')
  }
  if (std.some((v) => v <= 0)) refuse('std', `is ${std.join(', ')}; positive numbers are needed`)
  if (!(cropFraction > 0 && cropFraction <= 1)) refuse('cropFraction', `is ${cropFraction}; it must be above 0 and at most 1`)
}

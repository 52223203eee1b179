import { getBackend } from '@tensorflow/tfjs-core'
import { MaskscopeError } from '#shared/domain/errors.ts'
import type { ModelInfo, ModelSource } from '#shared/domain/model.ts'
import type { ModelUse } from '../protocol.ts'
import { UnsupportedNode } from '../graph/build.ts'
import { multiplyAdds, parameterCount } from '../graph/cost.ts'
import type { Graph } from '../graph/graph.ts'
import { nodeNamed } from '../graph/graph.ts'
import { importGraphModel } from '../graph/import/graph-model.ts'
import { importLayersModel } from '../graph/import/layers-model.ts'
import { importOnnx } from '../graph/import/onnx/onnx-model.ts'
import { decodeWeights } from '../graph/import/weights.ts'
import { withInputSize } from '../graph/input-size.ts'
import { readOnnx } from '../graph/onnx-format/read.ts'
import { graphReport } from '../graph/report.ts'
import { simplify } from '../graph/simplify/simplify.ts'
import { chooseExecutor, type ThreadedExecutor } from './choose-executor.ts'
import type { Classifier } from './classifier.ts'
import { contendersFor, executorOf } from './contenders.ts'
import { createClassifier } from './graph-classifier.ts'
import { labelsFor } from './labels.ts'
import { fitBatches } from './limits.ts'
import { loadOpaqueOnnx, onnxFormat } from './opaque-onnx.ts'
import { loadOpaque } from './opaque.ts'

const formats = { 'tfjs-layers': 'TF.js layers model', 'tfjs-graph': 'TF.js graph model' } as const

export interface LoadedClassifier extends Classifier {
  /** How many cores one call may use from now on; an executor that has only one keeps to it. */
  setThreads(threads: number): Promise<void>
}

/** TF.js on the active backend, within 1 GB. */
export const plainUse: ModelUse = { executor: 'tfjs', threads: 1, memory: 2 ** 30, measured: null }

/**
 * A classifier. The model becomes our graph where the graph can express it, and the executor that is asked for, or the faster, runs
 * that; else TF.js or ONNX Runtime runs the file as it is, and the notes say so.
 * @throws MaskscopeError 'input' naming what is wrong with the model and what to do, 'unavailable' where the executor that is asked
 * for cannot serve.
 */
export async function loadClassifier(source: ModelSource, use: ModelUse = plainUse): Promise<LoadedClassifier> {
  checkPreprocessing(source)
  let imported: Graph
  try {
    imported = importModel(source)
  } catch (error) {
    if (!(error instanceof UnsupportedNode)) throw error
    if ((source.preprocessing.inputScale ?? 1) > 1) {
      throw new MaskscopeError('unavailable', `The model ${source.name} takes images of its own size only, since it cannot be looked into: ${error.message} Leave the input scale out.`, { subject: 'inputScale' })
    }
    if (source.format !== 'onnx') return threaded(await loadOpaque(source, error, use.executor), {})
    return threaded(await loadOpaqueOnnx(source, error, { wish: use.executor, threads: use.threads }), {})
  }
  const labelCount = source.labels?.length ?? null
  const { graph: own, head } = simplify(imported, { preprocessing: source.preprocessing, head: source.head, labels: labelCount })
  const graph = enlarged(own, source.preprocessing.inputScale ?? 1)
  const [, height, width, channels] = nodeNamed(graph, graph.input).shape as [number, number, number, number]
  const classes = nodeNamed(graph, graph.output).shape[1]!
  const labels = labelsFor(source, classes)
  const image = new Float32Array(height * width * channels).fill(0.5)
  const { executor, choice } = await chooseExecutor({
    wish: use.executor, measured: use.measured, image, ...(await contendersFor(graph, head, { threads: use.threads, backend: getBackend(), asked: use.executor === 'onnxruntime' })),
  })
  const { limits, notes } = fitBatches(graph, choice.id, use.memory)
  const info: ModelInfo = {
    name: source.name,
    sha256: source.sha256,
    format: source.format === 'onnx' ? onnxFormat(readOnnx(source.bytes)) : formats[source.format],
    input: { height, width, channels },
    classes,
    labels: labels.labels,
    head,
    access: 'gradient',
    preprocessing: source.preprocessing,
    parameters: parameterCount(graph),
    multiplyAdds: multiplyAdds(graph),
    notes: [...graph.notes, ...labels.notes, ...notes],
    executor: choice,
  }
  const make = (other: Graph): Promise<ThreadedExecutor> => executorOf(choice.id, other, head, use.threads)
  return threaded(createClassifier(info, executor, limits, graphReport(graph), { graph, make }), executor)
}

/** @throws MaskscopeError 'unavailable' where a layer fits one size only */
function enlarged(graph: Graph, scale: number): Graph {
  if (scale === 1) return graph
  const [, height, width] = nodeNamed(graph, graph.input).shape as [number, number, number, number]
  return withInputSize(graph, height * scale, width * scale)
}

function threaded(classifier: Classifier, executor: Pick<ThreadedExecutor, 'setThreads'>): LoadedClassifier {
  return { ...classifier, setThreads: async (threads) => executor.setThreads?.(threads) }
}

function importModel(source: ModelSource): Graph {
  switch (source.format) {
    case 'tfjs-layers':
      return importLayersModel(source.topology, decodeWeights(source.weightSpecs, source.weightData))
    case 'tfjs-graph':
      return importGraphModel(source.topology, decodeWeights(source.weightSpecs, source.weightData))
    case 'onnx':
      return importOnnx(source)
  }
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

import type { Classifier } from '#engine/classifier/classifier.ts'
import { createClassifier } from '#engine/classifier/graph-classifier.ts'
import { fitBatches } from '#engine/classifier/limits.ts'
import { multiplyAdds, parameterCount } from '#engine/graph/cost.ts'
import type { Executor } from '#engine/graph/executor.ts'
import type { Graph } from '#engine/graph/graph.ts'
import { sizePerImage, nodeNamed } from '#engine/graph/graph.ts'
import { graphReport } from '#engine/graph/report.ts'
import { writeModel } from '#engine/graph/onnxruntime/write-model.ts'
import type { ExecutorId } from '#shared/domain/executor.ts'
import type { ModelSource } from '#shared/domain/model.ts'
import { graphOf, plainPreprocessing } from './graph.ts'
import type { Network } from './layers.ts'

/** The network behind the interface that methods know, run by this executor. */
export function classifierOf(network: Network, graph: Graph, executor: Executor, id: ExecutorId): Classifier {
  const classes = sizePerImage(nodeNamed(graph, graph.output).shape)
  return createClassifier({
    name: network.name, sha256: '', format: 'benchmark', input: { height: network.side, width: network.side, channels: 3 },
    classes, labels: null, head: 'softmax', access: 'gradient', preprocessing: plainPreprocessing,
    parameters: parameterCount(graph), multiplyAdds: multiplyAdds(graph), notes: [],
    executor: { id, reason: '', measured: {}, version: null },
  }, executor, fitBatches(graph, id, 2 ** 31).limits, graphReport(graph))
}

/** The network as a file that a worker can be given. */
export function sourceOf(network: Network): ModelSource {
  const { bytes, external } = writeModel(graphOf(network), 'softmax', { score: null, node: null })
  return {
    format: 'onnx', name: network.name, sha256: network.name, bytes, external: Object.fromEntries(external.map(({ path, data }) => [path, data])),
    preprocessing: plainPreprocessing, labels: null, head: 'softmax',
  }
}

import type { Graph } from '../../graph.ts'
import type { OnnxNode } from '../../onnx-format/schema.ts'

/** Operators that ONNX defines channels first and that run channels last. */
const channelsFirst = new Set(['Conv', 'ConvTranspose', 'MaxPool', 'AveragePool', 'GlobalAveragePool', 'GlobalMaxPool', 'BatchNormalization', 'InstanceNormalization', 'LRN', 'Resize', 'Upsample'])

/** How many changes of layout the file asks for or implies, and how many are left; null where there are none. */
export function layoutNote(nodes: readonly OnnxNode[], graph: Graph): string | null {
  const stated = nodes.filter((n) => n.opType === 'Transpose').length
  const implied = 2 * nodes.filter((n) => channelsFirst.has(n.opType)).length
  if (stated + implied === 0) return null
  const left = graph.nodes.filter((n) => n.op === 'transpose').length
  const asked = `${stated} of the file and ${implied} around operators that run channels last`
  return `Of ${stated + implied} changes of layout (${asked}), ${Math.max(0, stated + implied - left)} are cancelled.`
}

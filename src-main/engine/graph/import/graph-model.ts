import type { Graph } from '../graph.ts'
import { UnsupportedNode } from '../build.ts'
import type { DecodedWeight } from './weights.ts'

export function importGraphModel(_topology: unknown, _weights: ReadonlyMap<string, DecodedWeight>): Graph {
  throw new UnsupportedNode('graph', 'graph model')
}

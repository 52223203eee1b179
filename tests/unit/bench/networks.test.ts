import { expect, test } from 'vitest'
import { multiplyAdds } from '#engine/graph/cost.ts'
import { createNetwork, expectedMillions, networkNames } from '../../../bench/networks/architectures.ts'
import { graphOf } from '../../../bench/networks/graph.ts'

test.each(networkNames)('%s has the multiply-adds of the network it is named after, and nothing left to fold', (name) => {
  const graph = graphOf(createNetwork(name))
  expect(Math.round(multiplyAdds(graph) / 1e6)).toBe(expectedMillions[name])
  expect(graph.nodes.filter((node) => node.op === 'affine')).toEqual([])
})

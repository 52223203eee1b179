import { elementTypes } from '#engine/graph/onnx-format/schema.ts'
import { describe, test } from 'vitest'
import type { Case } from './run-parts.ts'
import { onnxNode } from '#engine/graph/onnx-format/write.ts'
import { checkCase } from './run-parts.ts'

const x = { x: [2, 3, 4, 6] }
const boolean = elementTypes.bool

const cases: Record<string, Case> = {
  'Reshape with 0 and -1': { node: onnxNode('Reshape', ['x', 's'], ['y']), data: x, known: { s: [0, -1, 6] } },
  'Reshape that splits channels': { node: onnxNode('Reshape', ['x', 's'], ['y']), data: { x: [2, 6, 4, 5] }, known: { s: [2, 2, 3, 4, 5] } },
  'Reshape across channels and rows': { node: onnxNode('Reshape', ['x', 's'], ['y']), data: x, known: { s: [2, 4, 3, 6] } },
  'Reshape to a scalar': { node: onnxNode('Reshape', ['x', 's'], ['y']), data: { x: [1, 1, 1, 1] }, known: { s: [] } },
  'Reshape with allowzero': { node: onnxNode('Reshape', ['x', 's'], ['y'], { allowzero: 1 }), data: { x: [0, 3, 2, 2] }, known: { s: [3, 0, 7] } },
  'Flatten': { node: onnxNode('Flatten', ['x'], ['y']), data: x },
  'Flatten, axis 0': { node: onnxNode('Flatten', ['x'], ['y'], { axis: 0 }), data: x },
  'Flatten, axis -1': { node: onnxNode('Flatten', ['x'], ['y'], { axis: -1 }), data: x },
  'Squeeze': { node: onnxNode('Squeeze', ['x', 'a'], ['y']), data: { x: [2, 1, 3, 1] }, known: { a: [-1, 1] } },
  'Squeeze of all': { node: onnxNode('Squeeze', ['x'], ['y']), data: { x: [1, 3, 1, 2] } },
  'Squeeze by attribute': { node: onnxNode('Squeeze', ['x'], ['y'], { axes: [2] }), data: { x: [2, 3, 1, 2] }, opset: 11 },
  'Unsqueeze': { node: onnxNode('Unsqueeze', ['x', 'a'], ['y']), data: x, known: { a: [-1, 1] } },
  'Unsqueeze by attribute': { node: onnxNode('Unsqueeze', ['x'], ['y'], { axes: [0, 4] }), data: { x: [3, 4, 5] }, opset: 9 },
  'Transpose': { node: onnxNode('Transpose', ['x'], ['y'], { perm: [3, 1, 0, 2] }), data: x },
  'Transpose without attribute': { node: onnxNode('Transpose', ['x'], ['y']), data: x },
  'Shape, part': { node: onnxNode('Shape', ['x'], ['y'], { start: 1, end: -1 }), data: x, outputType: elementTypes.int64 },
  'Size': { node: onnxNode('Size', ['x'], ['y']), data: x, outputType: elementTypes.int64 },
  'DepthToSpace': { node: onnxNode('DepthToSpace', ['x'], ['y'], { blocksize: 2 }), data: { x: [2, 8, 3, 2] } },
  'DepthToSpace, CRD': { node: onnxNode('DepthToSpace', ['x'], ['y'], { blocksize: 2, mode: 'CRD' }), data: { x: [2, 8, 3, 2] } },
  'SpaceToDepth': { node: onnxNode('SpaceToDepth', ['x'], ['y'], { blocksize: 2 }), data: x },
  'Slice': { node: onnxNode('Slice', ['x', 'b', 'e'], ['y']), data: x, known: { b: [0, 1, -3], e: [2, 3, 1000] } },
  'Slice with axes and steps': { node: onnxNode('Slice', ['x', 'b', 'e', 'a', 's'], ['y']), data: x, known: { b: [-1, 5], e: [-1000, 0], a: [2, 3], s: [-1, -2] } },
  'Slice to nothing': { node: onnxNode('Slice', ['x', 'b', 'e', 'a'], ['y']), data: x, known: { b: [3], e: [1], a: [1] } },
  'Slice of every second': { node: onnxNode('Slice', ['x', 'b', 'e', 'a', 's'], ['y']), data: x, known: { b: [1], e: [2 ** 53], a: [-1], s: [2] } },
  'Slice by attributes': { node: onnxNode('Slice', ['x'], ['y'], { starts: [1], ends: [3], axes: [2] }), data: x, opset: 9 },
  'Gather': { node: onnxNode('Gather', ['x', 'i'], ['y'], { axis: 1 }), data: x, known: { i: [2, 0, -1, 0] } },
  'Gather, side by side': { node: onnxNode('Gather', ['x', 'i'], ['y'], { axis: 3 }), data: x, known: { i: [2, 3, 4] } },
  'Gather of one': { node: onnxNode('Gather', ['x', 'i'], ['y'], { axis: -2 }), data: x, known: { i: -1 } },
  'Split evenly': { node: onnxNode('Split', ['x'], ['a', 'b'], { axis: -1 }), data: x },
  'Split unevenly': { node: onnxNode('Split', ['x', 's'], ['a', 'b'], { axis: 3 }), data: x, known: { s: [4, 2] } },
  'Split into a number of outputs': { node: onnxNode('Split', ['x'], ['a', 'b', 'c', 'd'], { axis: 3, num_outputs: 4 }), data: { x: [1, 2, 2, 7] }, opset: 18 },
  'Split by attribute': { node: onnxNode('Split', ['x'], ['a', 'b'], { axis: 1, split: [1, 2] }), data: x, opset: 11 },
  'Concat': { node: onnxNode('Concat', ['x', 'y', 'x'], ['z'], { axis: -3 }), data: { ...x, y: [2, 5, 4, 6] } },
  'Concat of one': { node: onnxNode('Concat', ['x'], ['z'], { axis: 0 }), data: x },
  'Expand': { node: onnxNode('Expand', ['x', 's'], ['y']), data: { x: [2, 1, 4, 1] }, known: { s: [3, 1, 3, 1, 5] } },
  'Expand that keeps': { node: onnxNode('Expand', ['x', 's'], ['y']), data: x, known: { s: [1, 1] } },
  'Tile': { node: onnxNode('Tile', ['x', 'r'], ['y']), data: { x: [2, 1, 2, 3] }, known: { r: [1, 3, 2, 1] } },
  'Pad': { node: onnxNode('Pad', ['x', 'p'], ['y']), data: x, known: { p: [0, 1, 2, 0, 1, 0, 3, 1] } },
  'Pad that takes away': { node: onnxNode('Pad', ['x', 'p'], ['y']), data: x, known: { p: [0, -1, 2, 0, 0, 1, -1, -2] } },
  'Pad, reflect': { node: onnxNode('Pad', ['x', 'p'], ['y'], { mode: 'reflect' }), data: x, known: { p: [0, 0, 3, 2, 0, 1, 1, 5] } },
  'Pad, edge': { node: onnxNode('Pad', ['x', 'p'], ['y'], { mode: 'edge' }), data: x, known: { p: [0, 2, 1, 0, 0, 1, 0, 3] } },
  'Pad, wrap': { node: onnxNode('Pad', ['x', 'p'], ['y'], { mode: 'wrap' }), data: x, known: { p: [0, 0, 1, 3, 0, 0, 2, 1] }, opset: 19 },
  'Pad with axes': { node: onnxNode('Pad', ['x', 'p', '', 'a'], ['y']), data: x, known: { p: [1, 2, 3, 4], a: [-1, 1] }, opset: 18 },
  'Pad by attribute': { node: onnxNode('Pad', ['x'], ['y'], { pads: [0, 0, 1, 1, 0, 0, 2, 2], value: { float: 1.5 } }), data: x, opset: 9 },
  'Equal': { node: onnxNode('Equal', ['x', 'x'], ['y']), data: x, outputType: boolean },
  'Greater': { node: onnxNode('Greater', ['x', 'y'], ['z']), data: { ...x, y: [3, 1, 1] }, outputType: boolean },
  'LessOrEqual': { node: onnxNode('LessOrEqual', ['x', 'y'], ['z']), data: { ...x, y: [6] }, outputType: boolean },
  'Dropout': { node: onnxNode('Dropout', ['x'], ['y'], {}), data: x },
  'Identity': { node: onnxNode('Identity', ['x'], ['y']), data: { x: [] } },
}

describe('nodes that move data', () => {
  for (const [name, given] of Object.entries(cases)) test(name, () => checkCase(given))
})

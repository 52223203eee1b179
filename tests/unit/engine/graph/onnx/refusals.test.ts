import { expect, test } from 'vitest'
import { UnsupportedNode } from '#engine/graph/build.ts'
import type { OnnxNode, OnnxTensor } from '#engine/graph/onnx-format/schema.ts'
import { floatTensor, int64Tensor, onnxModel, onnxNode, valueInfo } from '#engine/graph/onnx-format/write.ts'
import { MaskscopeError } from '#shared/domain/errors.ts'
import { imported } from './run-file.ts'
import { randomTensor } from './small-model.ts'

const huge = 2 ** 30
const weights: readonly OnnxTensor[] = [
  randomTensor('filter', [4, 3, 3, 3]), randomTensor('three', [3]), randomTensor('matrix', [7, 5]), int64Tensor('sizes', [4], [1, 3, huge, huge]), floatTensor('scales', [4], Float32Array.of(1, 1, -2, 0)),
]

/** Nodes that read `image` [n, 3, 8, 8], and what the refusal names. */
const cases: Record<string, readonly [OnnxNode, RegExp]> = {
  'a filter for other channels': [onnxNode('Conv', ['image', 'filter'], ['y'], { group: 2 }, 'odd'), /odd.*2 groups/],
  'strides of nothing': [onnxNode('Conv', ['image', 'filter'], ['y'], { strides: [0, 1] }, 'odd'), /odd.*strides/],
  'negative pads': [onnxNode('Conv', ['image', 'filter'], ['y'], { pads: [-1, 0, 0, 0] }, 'odd'), /odd.*pads/],
  'an unknown auto_pad': [onnxNode('MaxPool', ['image'], ['y'], { kernel_shape: [2, 2], auto_pad: 'FULL' }, 'odd'), /odd.*auto_pad FULL/],
  'a window larger than the image': [onnxNode('MaxPool', ['image'], ['y'], { kernel_shape: [huge, huge] }, 'odd'), /odd/],
  'padding as large as the window': [onnxNode('AveragePool', ['image'], ['y'], { kernel_shape: [2, 2], pads: [2, 0, 0, 0] }, 'odd'), /odd.*padding/],
  'gaps that go on for ever': [onnxNode('ConvTranspose', ['image', 'across'], ['y'], { dilations: [huge, huge] }, 'odd'), /odd/],
  'a matrix that does not fit': [onnxNode('MatMul', ['image', 'matrix'], ['y'], {}, 'odd'), /odd.*\[7, 5\]/],
  'sizes beyond all memory': [onnxNode('Resize', ['image', '', '', 'sizes'], ['y'], {}, 'odd'), /odd/],
  'scales that are none': [onnxNode('Resize', ['image', '', 'scales'], ['y'], {}, 'odd'), /odd.*scales/],
  'an unknown mode': [onnxNode('Resize', ['image', '', '', 'small'], ['y'], { mode: 'magic' }, 'odd'), /odd.*magic/],
  'an axis that is not there': [onnxNode('Softmax', ['image'], ['y'], { axis: 7 }, 'odd'), /odd.*axis 7/],
  'an axis twice': [onnxNode('ReduceMean', ['image'], ['y'], { axes: [1, -3] }, 'odd'), /odd.*twice/],
  'statistics for other channels': [onnxNode('InstanceNormalization', ['image', 'three', 'filter'], ['y'], {}, 'odd'), /odd/],
  'a missing input': [onnxNode('Add', ['image', ''], ['y'], {}, 'odd'), /odd.*missing/],
  'groups that do not divide the channels': [onnxNode('GroupNormalization', ['image', 'three', 'three'], ['y'], { num_groups: 2 }, 'odd'), /odd.*2 groups/],
}

test.each(Object.entries(cases))('%s: an error names the node, at once', (_name, [node, message]) => {
  const model = onnxModel({
    nodes: [node, onnxNode('GlobalAveragePool', ['y'], ['pooled']), onnxNode('Flatten', ['pooled'], ['logits'])],
    inputs: [valueInfo('image', ['n', 3, 8, 8])],
    outputs: [valueInfo('logits', ['n', 3])],
    initializers: [...weights, randomTensor('across', [3, 3, 2, 2]), int64Tensor('small', [4], [1, 3, 4, 4])],
  }, 17)
  const before = process.cpuUsage()
  let error: unknown
  try {
    imported(model)
  } catch (caught) {
    error = caught
  }
  expect(error instanceof UnsupportedNode || error instanceof MaskscopeError).toBe(true)
  expect((error as Error).message).toMatch(message)
  expect(process.cpuUsage(before).user / 1000).toBeLessThan(1000)
})

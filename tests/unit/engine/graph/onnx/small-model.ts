import type { OnnxModel, OnnxNode, OnnxTensor } from '#engine/graph/onnx-format/schema.ts'
import { floatTensor, int64Tensor, onnxModel, onnxNode, valueInfo } from '#engine/graph/onnx-format/write.ts'
import { createRandom } from '#shared/random/random.ts'

export const CLASSES = 5

/** Normal numbers of a size that keeps activations of the order of one. */
export function randomTensor(name: string, dims: readonly number[], seed = 1): OnnxTensor {
  const random = createRandom(seed, name)
  const size = dims.reduce((product, n) => product * n, 1)
  const fan = dims.length > 1 ? size / dims[0]! : 4
  return floatTensor(name, dims, Float32Array.from({ length: size }, () => random.normal() / Math.sqrt(fan)))
}

/** How the body reaches a matrix of images and features. */
export type Head = 'flatten' | 'shape' | 'literal'

const heads: Readonly<Record<Head, readonly OnnxNode[]>> = {
  flatten: [onnxNode('Flatten', ['pooled'], ['features'])],
  // as PyTorch writes x.view(x.size(0), -1)
  shape: [
    onnxNode('Shape', ['pooled'], ['sizes']), onnxNode('Gather', ['sizes', 'zero'], ['count'], { axis: 0 }),
    onnxNode('Unsqueeze', ['count', 'axis'], ['first']), onnxNode('Concat', ['first', 'rest'], ['target'], { axis: 0 }),
    onnxNode('Reshape', ['pooled', 'target'], ['features']),
  ],
  literal: [onnxNode('Reshape', ['pooled', 'fixed'], ['features'])],
}

/** A classifier of 8×8 RGB images: two convolutions, one of them depthwise, pooling, one dense layer. */
export function smallModel(batch: number | string = 'n', head: Head = 'shape'): OnnxModel {
  return onnxModel({
    nodes: [
      onnxNode('Conv', ['image', 'filter-1', 'bias-1'], ['conv-1'], { kernel_shape: [3, 3], pads: [1, 1, 1, 1] }),
      onnxNode('Relu', ['conv-1'], ['relu-1']),
      onnxNode('Conv', ['relu-1', 'filter-2'], ['conv-2'], { group: 4, strides: [2, 2] }),
      onnxNode('Add', ['conv-2', 'shift'], ['shifted']),
      onnxNode('Relu', ['shifted'], ['relu-2']),
      onnxNode('MaxPool', ['relu-2'], ['pooled'], { kernel_shape: [2, 2] }),
      ...heads[head],
      onnxNode('Gemm', ['features', 'matrix', 'bias-2'], ['logits'], { transB: 1 }),
    ],
    inputs: [valueInfo('image', [batch, 3, 8, 8])],
    outputs: [valueInfo('logits', [batch, CLASSES])],
    initializers: [
      randomTensor('filter-1', [4, 3, 3, 3]), randomTensor('bias-1', [4]), randomTensor('filter-2', [4, 1, 3, 3]), randomTensor('shift', [4, 1, 1]),
      randomTensor('matrix', [CLASSES, 16]), randomTensor('bias-2', [CLASSES]),
      int64Tensor('zero', [], [0]), int64Tensor('axis', [1], [0]), int64Tensor('rest', [1], [-1]), int64Tensor('fixed', [2], [1, -1]),
    ],
  }, 17)
}

import type { OnnxModel, OnnxNode, OnnxTensor } from '#engine/graph/onnx-format/schema.ts'
import { floatTensor, int64Tensor, onnxModel, onnxNode, valueInfo } from '#engine/graph/onnx-format/write.ts'
import { randomTensor } from './small-model.ts'

/** A vision transformer of one block for 8×8 RGB images: four patches and a class token, 8 features, two heads. */
const FEATURES = 8
const HEADS = 2
const DEPTH = FEATURES / HEADS

const scalar = (name: string, value: number): OnnxTensor => floatTensor(name, [], Float32Array.of(value))
const whole = (name: string, values: readonly number[] | number): OnnxTensor => (typeof values === 'number' ? int64Tensor(name, [], [values]) : int64Tensor(name, [values.length], values))

const weights: readonly OnnxTensor[] = [
  randomTensor('patch-filter', [FEATURES, 3, 4, 4]), randomTensor('patch-bias', [FEATURES]), randomTensor('class-token', [1, 1, FEATURES]),
  randomTensor('positions', [1, 5, FEATURES]), randomTensor('qkv-matrix', [FEATURES, 3 * FEATURES]), randomTensor('qkv-bias', [3 * FEATURES]),
  randomTensor('out-matrix', [FEATURES, FEATURES]), randomTensor('out-bias', [FEATURES]), randomTensor('up-matrix', [FEATURES, 16]), randomTensor('up-bias', [16]),
  randomTensor('down-matrix', [16, FEATURES]), randomTensor('down-bias', [FEATURES]), randomTensor('head-matrix', [FEATURES, 5]), randomTensor('head-bias', [5]),
  randomTensor('gamma', [FEATURES]), randomTensor('beta', [FEATURES]),
  scalar('two', 2), scalar('epsilon', 1e-5), scalar('root-two', Math.SQRT2), scalar('one', 1), scalar('half', 0.5), scalar('depth', DEPTH), scalar('scale', 1 / Math.sqrt(DEPTH)),
  whole('zero', 0), whole('first', 1), whole('second', 2), whole('axis-0', [0]), whole('axis-2', [2]), whole('axis-last', [-1]), whole('features', [FEATURES]), whole('minus', [-1]),
  whole('row', [1]), whole('threefold', [3, FEATURES]), whole('cut-begin', [-1]), whole('cut-end', [2 ** 53]),
]

/** Patches in rows behind the class token, with their positions: as `tokens`. */
const embedding: readonly OnnxNode[] = [
  onnxNode('Conv', ['image', 'patch-filter', 'patch-bias'], ['patches'], { kernel_shape: [4, 4], strides: [4, 4] }),
  onnxNode('Shape', ['patches'], ['patch-sizes']), onnxNode('Slice', ['patch-sizes', 'axis-0', 'axis-2'], ['patch-lead']),
  onnxNode('Concat', ['patch-lead', 'minus'], ['patch-target'], { axis: 0 }), onnxNode('Reshape', ['patches', 'patch-target'], ['patch-columns']),
  onnxNode('Transpose', ['patch-columns'], ['patch-rows'], { perm: [0, 2, 1] }),
  onnxNode('Shape', ['image'], ['image-sizes']), onnxNode('Gather', ['image-sizes', 'zero'], ['count'], { axis: 0 }),
  onnxNode('Unsqueeze', ['count', 'axis-0'], ['count-list']), onnxNode('Concat', ['count-list', 'minus', 'minus'], ['token-stated'], { axis: 0 }),
  onnxNode('ConstantOfShape', ['three'], ['ones-3'], { value: { tensor: whole('value', [1]) } }), onnxNode('Mul', ['ones-3', 'minus'], ['minus-3']),
  onnxNode('Equal', ['token-stated', 'minus-3'], ['is-minus']), onnxNode('Where', ['is-minus', 'ones-3', 'token-stated'], ['token-shape']),
  onnxNode('Expand', ['class-token', 'token-shape'], ['class-tokens']),
  onnxNode('Concat', ['class-tokens', 'patch-rows'], ['joined'], { axis: 1 }), onnxNode('Add', ['joined', 'positions'], ['tokens']),
]

/** Layer normalisation in its steps, as older exports write it. */
function normalised(x: string, y: string): OnnxNode[] {
  const n = (part: string): string => `${y}-${part}`
  return [
    onnxNode('ReduceMean', [x], [n('mean')], { axes: [-1] }), onnxNode('Sub', [x, n('mean')], [n('centred')]), onnxNode('Pow', [n('centred'), 'two'], [n('square')]),
    onnxNode('ReduceMean', [n('square')], [n('variance')], { axes: [-1] }), onnxNode('Add', [n('variance'), 'epsilon'], [n('shifted')]),
    onnxNode('Sqrt', [n('shifted')], [n('deviation')]), onnxNode('Div', [n('centred'), n('deviation')], [n('normal')]),
    onnxNode('Mul', [n('normal'), 'gamma'], [n('scaled')]), onnxNode('Add', [n('scaled'), 'beta'], [y]),
  ]
}

/** Queries, keys and values in five axes, images first, as timm writes it; `literal` spells the batch of one out. */
function batchFirst(literal: boolean): OnnxNode[] {
  const target = literal
    ? [onnxNode('Identity', ['qkv-literal'], ['qkv-target']), onnxNode('Identity', ['out-literal'], ['out-target'])]
    : [
        onnxNode('Shape', ['normal-1'], ['token-sizes']), onnxNode('Slice', ['token-sizes', 'axis-0', 'axis-2'], ['token-lead']),
        onnxNode('Concat', ['token-lead', 'qkv-rest'], ['qkv-target'], { axis: 0 }), onnxNode('Concat', ['token-lead', 'minus'], ['out-target'], { axis: 0 }),
      ]
  return [
    ...target,
    onnxNode('MatMul', ['normal-1', 'qkv-matrix'], ['qkv-product']), onnxNode('Add', ['qkv-bias', 'qkv-product'], ['qkv']),
    onnxNode('Reshape', ['qkv', 'qkv-target'], ['qkv-5']), onnxNode('Transpose', ['qkv-5'], ['qkv-first'], { perm: [2, 0, 3, 1, 4] }),
    onnxNode('Gather', ['qkv-first', 'zero'], ['q'], { axis: 0 }), onnxNode('Gather', ['qkv-first', 'first'], ['k'], { axis: 0 }), onnxNode('Gather', ['qkv-first', 'second'], ['v'], { axis: 0 }),
    // scaled_dot_product_attention: both sides by the root of the scale, worked out from shapes
    onnxNode('Shape', ['q'], ['q-sizes']), onnxNode('Slice', ['q-sizes', 'cut-begin', 'cut-end'], ['q-depth']), onnxNode('Cast', ['q-depth'], ['q-depth-float'], { to: 1 }),
    onnxNode('Sqrt', ['q-depth-float'], ['q-root']), onnxNode('Div', ['one', 'q-root'], ['q-factor']), onnxNode('Sqrt', ['q-factor'], ['q-half']),
    onnxNode('Transpose', ['k'], ['k-turned'], { perm: [0, 1, 3, 2] }), onnxNode('Mul', ['q', 'q-half'], ['q-scaled']), onnxNode('Mul', ['k-turned', 'q-half'], ['k-scaled']),
    onnxNode('MatMul', ['q-scaled', 'k-scaled'], ['similar']), onnxNode('Softmax', ['similar'], ['attention'], { axis: -1 }), onnxNode('MatMul', ['attention', 'v'], ['seen']),
    onnxNode('Transpose', ['seen'], ['seen-rows'], { perm: [0, 2, 1, 3] }), onnxNode('Reshape', ['seen-rows', 'out-target'], ['seen-joined']),
    onnxNode('MatMul', ['seen-joined', 'out-matrix'], ['out-product']), onnxNode('Add', ['out-product', 'out-bias'], ['attended']),
  ]
}

/** nn.MultiheadAttention: tokens first, and images and heads in one axis. */
function tokensFirst(): OnnxNode[] {
  const heads = (x: string): OnnxNode[] => [onnxNode('Reshape', [x, 'merged'], [`${x}-heads`]), onnxNode('Transpose', [`${x}-heads`], [`${x}-stack`], { perm: [1, 0, 2] })]
  return [
    onnxNode('Transpose', ['normal-1'], ['by-token'], { perm: [1, 0, 2] }),
    onnxNode('Shape', ['by-token'], ['token-sizes']), onnxNode('Gather', ['token-sizes', 'zero'], ['length'], { axis: 0 }), onnxNode('Gather', ['token-sizes', 'first'], ['images'], { axis: 0 }),
    onnxNode('Mul', ['images', 'second'], ['images-heads']), onnxNode('Unsqueeze', ['length', 'axis-0'], ['length-list']), onnxNode('Unsqueeze', ['images-heads', 'axis-0'], ['images-heads-list']),
    onnxNode('Concat', ['length-list', 'images-heads-list', 'depth-list'], ['merged'], { axis: 0 }),
    onnxNode('MatMul', ['by-token', 'qkv-matrix'], ['qkv-product']), onnxNode('Add', ['qkv-bias', 'qkv-product'], ['qkv']),
    onnxNode('Slice', ['token-sizes', 'axis-0', 'axis-2'], ['token-lead']), onnxNode('Concat', ['token-lead', 'threefold'], ['qkv-target'], { axis: 0 }),
    onnxNode('Reshape', ['qkv', 'qkv-target'], ['qkv-4']), onnxNode('Unsqueeze', ['qkv-4', 'axis-0'], ['qkv-5']), onnxNode('Transpose', ['qkv-5'], ['qkv-first'], { perm: [3, 1, 2, 0, 4] }),
    onnxNode('Squeeze', ['qkv-first', 'axis-3'], ['qkv-squeezed']),
    onnxNode('Gather', ['qkv-squeezed', 'zero'], ['q'], { axis: 0 }), onnxNode('Gather', ['qkv-squeezed', 'first'], ['k'], { axis: 0 }), onnxNode('Gather', ['qkv-squeezed', 'second'], ['v'], { axis: 0 }),
    ...heads('q'), ...heads('k'), ...heads('v'),
    onnxNode('Mul', ['q-stack', 'scale'], ['q-scaled']), onnxNode('Transpose', ['k-stack'], ['k-turned'], { perm: [0, 2, 1] }),
    onnxNode('MatMul', ['q-scaled', 'k-turned'], ['similar']), onnxNode('Softmax', ['similar'], ['attention'], { axis: -1 }), onnxNode('MatMul', ['attention', 'v-stack'], ['seen']),
    onnxNode('Transpose', ['seen'], ['seen-rows'], { perm: [1, 0, 2] }),
    onnxNode('Mul', ['length', 'images'], ['rows']), onnxNode('Unsqueeze', ['rows', 'axis-0'], ['rows-list']), onnxNode('Concat', ['rows-list', 'features'], ['flat-target'], { axis: 0 }),
    onnxNode('Reshape', ['seen-rows', 'flat-target'], ['seen-flat']), onnxNode('Gemm', ['seen-flat', 'out-matrix', 'out-bias'], ['out-flat']),
    onnxNode('Concat', ['token-lead', 'features'], ['back'], { axis: 0 }), onnxNode('Reshape', ['out-flat', 'back'], ['out-tokens']), onnxNode('Transpose', ['out-tokens'], ['attended'], { perm: [1, 0, 2] }),
  ]
}

/** The rest of the block with GELU in its steps, the class token and the head. */
const rest: readonly OnnxNode[] = [
  onnxNode('Add', ['tokens', 'attended'], ['sum-1']), ...normalised('sum-1', 'normal-2'),
  onnxNode('MatMul', ['normal-2', 'up-matrix'], ['up-product']), onnxNode('Add', ['up-product', 'up-bias'], ['up']),
  onnxNode('Div', ['up', 'root-two'], ['up-small']), onnxNode('Erf', ['up-small'], ['up-erf']), onnxNode('Add', ['up-erf', 'one'], ['up-gate']),
  onnxNode('Mul', ['up', 'up-gate'], ['up-double']), onnxNode('Mul', ['up-double', 'half'], ['gelu']),
  onnxNode('MatMul', ['gelu', 'down-matrix'], ['down-product']), onnxNode('Add', ['down-product', 'down-bias'], ['down']), onnxNode('Add', ['sum-1', 'down'], ['sum-2']),
  onnxNode('LayerNormalization', ['sum-2', 'gamma', 'beta'], ['normal-3'], { axis: -1 }),
  onnxNode('Gather', ['normal-3', 'zero'], ['class'], { axis: 1 }), onnxNode('Gemm', ['class', 'head-matrix', 'head-bias'], ['logits']),
]

export type Form = 'images first' | 'images first, batch of one spelled out' | 'tokens first'

export function visionTransformer(form: Form): OnnxModel {
  const literal = form === 'images first, batch of one spelled out'
  return onnxModel({
    nodes: [...embedding, ...normalised('tokens', 'normal-1'), ...(form === 'tokens first' ? tokensFirst() : batchFirst(literal)), ...rest],
    inputs: [valueInfo('image', [literal ? 1 : 'n', 3, 8, 8])],
    outputs: [valueInfo('logits', [literal ? 1 : 'n', 5])],
    initializers: [
      ...weights, whole('three', [3]), whole('axis-3', [3]), whole('depth-list', [DEPTH]), whole('qkv-rest', [3, HEADS, DEPTH]),
      whole('qkv-literal', [1, 5, 3, HEADS, DEPTH]), whole('out-literal', [1, 5, FEATURES]),
    ],
  }, 17)
}

import type { OnnxNode } from '../../onnx-format/schema.ts'
import { elementTypes } from '../../onnx-format/schema.ts'
import { float, hasAttribute, int, unsupported } from './attributes.ts'
import type { NodeImporter, OnnxContext } from './context.ts'
import { matrixProduct } from './linear-nodes.ts'
import { reshaped } from './reshape.ts'
import { selected } from './selection.ts'
import { transposed } from './shape-nodes.ts'
import { stepsOf } from './steps.ts'
import type { Known, OnnxValue } from './value.ts'
import { BATCH, knownFloats, naturalOrder } from './value.ts'

/** Added to what attention must not see. */
const hidden = -1e30

/** softmax(scale·Q·Kᵀ + mask)·V, of stacks of heads [n, heads, tokens, depth] or with the heads in the last of three axes. */
const attention: NodeImporter = (node, inputs, context) => {
  const [query, key, value] = ['the queries', 'the keys', 'the values'].map((what, i) => context.required(node, inputs[i], what))
  if (inputs.slice(4).some((v) => v !== undefined) || node.outputs.slice(1).some((o) => o !== '') || float(node, 'softcap', 0) !== 0) {
    throw unsupported(node, 'with a cache, a soft limit or outputs inside of it')
  }
  const queryShape = context.shape(query!)
  const flat = queryShape.length === 3
  const q = headsOf(node, query!, 'q_num_heads', 'query-heads', context)
  const [, heads, tokens, depth] = context.shape(q) as [number, number, number, number]
  const k = likeQueries(node, headsOf(node, key!, 'kv_num_heads', 'key-heads', context), heads, 'key-groups', context)
  const v = likeQueries(node, headsOf(node, value!, 'kv_num_heads', 'value-heads', context), heads, 'value-groups', context)
  const scale = hasAttribute(node, 'scale') ? float(node, 'scale', 1) : 1 / Math.sqrt(depth)
  const similar = matrixProduct(node, q, transposed(node, k, [0, 1, 3, 2], context), context, 'similar')
  if (similar.kind === 'known') throw unsupported(node, 'of known values')
  const steps = stepsOf(node, context)
  const scaled = context.value(steps.scaled(similar.ref, scale, 0), similar.order)
  const masked = masks(node, inputs[3], tokens, context.shape(k)[2]!, context).reduce<OnnxValue>((sum, mask) => {
    const { refs, order } = context.alignment([sum, mask])
    return context.value(steps.binary('add', refs[0]!, refs[1]!), order)
  }, scaled)
  const weights = context.value(context.part(node, 'softmax', { op: 'softmax', log: false }, [context.natural(masked)]))
  const seen = matrixProduct(node, weights, v, context, flat ? 'seen' : undefined)
  if (!flat) return [seen]
  return [reshaped(node, transposed(node, seen, [0, 2, 1, 3], context), [queryShape[0]!, tokens, heads * context.shape(v)[3]!], context)]
}

/** [n, heads, tokens, depth] */
function headsOf(node: OnnxNode, x: OnnxValue, attribute: string, part: string, context: OnnxContext): OnnxValue {
  const shape = context.shape(x)
  if (shape.length === 4) return x
  const heads = int(node, attribute, 0)
  const [n, tokens, features] = shape
  if (shape.length !== 3 || heads < 1 || features! % heads !== 0) throw unsupported(node, `${heads} heads of [${shape.join(', ')}]`)
  return transposed(node, reshaped(node, x, [n!, tokens!, heads, features! / heads], context, part), [0, 2, 1, 3], context)
}

/** Several heads of queries may share one of keys and values. */
function likeQueries(node: OnnxNode, x: OnnxValue, heads: number, part: string, context: OnnxContext): OnnxValue {
  const own = context.shape(x)[1]!
  if (own === heads) return x
  if (heads % own !== 0) throw unsupported(node, `${own} heads for ${heads}`)
  return selected(node, x, 1, Array.from({ length: heads }, (_, i) => Math.floor(i / (heads / own))), context, part)
}

function masks(node: OnnxNode, stated: OnnxValue | undefined, tokens: number, keys: number, context: OnnxContext): OnnxValue[] {
  const found: OnnxValue[] = []
  if (stated) found.push(stated.type === elementTypes.bool ? additive(context.known(node, stated, 'the mask')) : stated)
  if (int(node, 'is_causal', 0) !== 0) {
    if (tokens % BATCH === 0 || keys % BATCH === 0) throw unsupported(node, 'over the batch')
    context.allow(node, tokens * keys)
    const later = naturalOrder(tokens).flatMap((i) => naturalOrder(keys).map((j) => (j > i ? hidden : 0)))
    found.push(knownFloats([tokens, keys], Float32Array.from(later)))
  }
  return found
}

/** True is what may be seen. */
function additive(mask: Known): Known {
  return knownFloats(mask.shape, Float32Array.from(mask.data, (v) => (v !== 0 ? 0 : hidden)))
}

export const attentionNodes: Record<string, NodeImporter> = { Attention: attention }

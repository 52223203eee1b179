import { weight } from '../build.ts'
import type { GraphNode, PlainUnary, Unary, Weight } from '../graph.ts'
import type { Draft } from './draft.ts'
import { find, onlyConsumer, sameShape, supplant } from './draft.ts'
import type { Rewrite } from './rewrite.ts'

/** x·scale + offset with one scale and one offset for all channels. */
interface Scaled {
  readonly of: string
  readonly scale: number
  readonly offset: number
}

function uniform({ data }: Weight): number | null {
  const [first] = data
  return first !== undefined && data.every((v) => v === first) ? first : null
}

/** What `name` is a multiple of; itself, once, where it is nothing else. */
function scaledOf(draft: Draft, name: string): Scaled {
  const node = find(draft, name)
  const [scale, offset] = node.op === 'affine' ? [uniform(node.scale), uniform(node.offset)] : [null, null]
  return scale === null || offset === null ? { of: name, scale: 1, offset: 0 } : { of: node.inputs[0]!, scale, offset }
}

/** The input of a unary node of a kind. */
function argumentOf(draft: Draft, name: string, kind: Unary['kind']): string | null {
  const node = find(draft, name)
  return node.op === 'unary' && node.function.kind === kind ? node.inputs[0]! : null
}

const near = (a: number, b: number): boolean => Math.abs(a - b) <= 1e-5 * Math.max(1, Math.abs(b))

/** The two operands of a product, each in either place. */
function factors(node: GraphNode): [string, string][] {
  if (node.op !== 'binary' || node.function !== 'multiply') return []
  const [a, b] = node.inputs as [string, string]
  return [[a, b], [b, a]]
}

/** `node` is f(x). */
function becomeUnary(draft: Draft, node: GraphNode, f: Unary, x: string): boolean {
  supplant(draft, node, { op: 'unary', function: f }, [x])
  return true
}

/** x·sigmoid(x), x·hardSigmoid(x) of hard swish's slope, and x·tanh(softplus(x)). */
export const gatedActivation: Rewrite = (draft, node) => {
  for (const [x, gate] of factors(node)) {
    if (argumentOf(draft, gate, 'sigmoid') === x) return becomeUnary(draft, node, { kind: 'swish' }, x)
    const inner = argumentOf(draft, gate, 'tanh')
    if (inner !== null && argumentOf(draft, inner, 'softplus') === x) return becomeUnary(draft, node, { kind: 'mish' }, x)
    const hard = hardGate(draft, gate)
    if (hard?.x === x && near(hard.slope, 1 / 6) && near(hard.offset, 0.5)) return becomeUnary(draft, node, { kind: 'hardSwish' }, x)
  }
  return false
}

/** clip(slope·x + offset, 0, 1), also as a clip that ends elsewhere and is scaled: clip(x + 3, 0, 6)/6. */
function hardGate(draft: Draft, name: string): { x: string; slope: number; offset: number } | null {
  const node = find(draft, name)
  if (node.op === 'unary' && node.function.kind === 'hardSigmoid') return { x: node.inputs[0]!, slope: node.function.slope, offset: node.function.offset }
  if (node.op !== 'affine') return null
  const outer = scaledOf(draft, name)
  const clip = find(draft, outer.of)
  if (clip.op !== 'unary' || clip.function.kind !== 'relu' || clip.function.max === null) return null
  if (outer.offset !== 0 || !near(outer.scale * clip.function.max, 1)) return null
  const inner = scaledOf(draft, clip.inputs[0]!)
  return { x: inner.of, slope: inner.scale * outer.scale, offset: inner.offset * outer.scale }
}

/** A scaled clip is a hard sigmoid; where it gates its own input, that product is one node instead. */
export const hardSigmoidOfClip: Rewrite = (draft, node) => {
  if (node.op !== 'affine') return false
  const gate = hardGate(draft, node.name)
  const next = onlyConsumer(draft, node.name)
  if (!gate || (next && factors(next).some(([x]) => x === gate.x))) return false
  return becomeUnary(draft, node, { kind: 'hardSigmoid', slope: gate.slope, offset: gate.offset }, gate.x)
}

/** (x·clip(x + 3, 0, 6))·(1/6), the division last. */
export const hardSwishDividedLast: Rewrite = (draft, node) => {
  if (node.op !== 'affine') return false
  const outer = scaledOf(draft, node.name)
  if (outer.offset !== 0 || !near(outer.scale, 1 / 6)) return false
  for (const [x, gate] of factors(find(draft, outer.of))) {
    const clip = find(draft, gate)
    if (clip.op !== 'unary' || clip.function.kind !== 'relu' || clip.function.max !== 6) continue
    const inner = scaledOf(draft, clip.inputs[0]!)
    if (inner.of === x && inner.scale === 1 && inner.offset === 3) return becomeUnary(draft, node, { kind: 'hardSwish' }, x)
  }
  return false
}

/** k·x·(s + s·erf(x/√2)) is 2ks·gelu(x), and with the tanh of x + 0.044715x³ likewise, in whatever order the factors come. */
export const gelu: Rewrite = (draft, node) => {
  for (const [left, right] of factors(node)) {
    const gate = scaledOf(draft, right)
    const straight = scaledOf(draft, left)
    if (gate.scale !== gate.offset || straight.offset !== 0) continue
    const argument = erfArgument(draft, gate.of) ?? tanhArgument(draft, gate.of)
    if (argument?.x !== straight.of && argument?.x !== left) continue
    const factor = 2 * gate.scale * (argument.x === left ? 1 : straight.scale)
    const f: Unary = { kind: 'gelu', approximate: argument.approximate }
    if (near(factor, 1)) return becomeUnary(draft, node, f, argument.x)
    return scaledLater(draft, node, f, argument.x, factor)
  }
  return false
}

/** Where the factor comes after the product: 0.5·(x·(1 + erf(x/√2))). */
function scaledLater(draft: Draft, node: GraphNode, f: Unary, x: string, factor: number): boolean {
  const readers = [...(draft.readers.get(node.name) ?? [])].map((name) => find(draft, name))
  const [next] = readers
  if (readers.length !== 1 || next?.op !== 'affine' || draft.output === node.name) return false
  const { scale, offset } = scaledOf(draft, next.name)
  if (offset !== 0 || !near(scale * factor, 1)) return false
  return becomeUnary(draft, next, f, x)
}

function erfArgument(draft: Draft, name: string): { x: string; approximate: boolean } | null {
  const inner = argumentOf(draft, name, 'erf')
  if (inner === null) return null
  const { of, scale, offset } = scaledOf(draft, inner)
  return offset === 0 && near(scale, Math.SQRT1_2) ? { x: of, approximate: false } : null
}

/** √(2/π)·(x + 0.044715·x³) */
function tanhArgument(draft: Draft, name: string): { x: string; approximate: boolean } | null {
  const inner = argumentOf(draft, name, 'tanh')
  if (inner === null) return null
  const outer = scaledOf(draft, inner)
  const sum = find(draft, outer.of)
  if (outer.offset !== 0 || !near(outer.scale, Math.sqrt(2 / Math.PI)) || sum.op !== 'binary' || sum.function !== 'add') return null
  for (const [x, other] of [sum.inputs, [...sum.inputs].reverse()] as [string, string][]) {
    const cubic = scaledOf(draft, other)
    if (cubic.offset === 0 && near(cubic.scale, 0.044715) && isCube(draft, cubic.of, x)) return { x, approximate: true }
  }
  return null
}

function isCube(draft: Draft, name: string, x: string): boolean {
  return factors(find(draft, name)).some(([square, rest]) => rest === x && isSquare(draft, square, x))
}

function isSquare(draft: Draft, name: string, x: string): boolean {
  if (argumentOf(draft, name, 'square') === x) return true
  return factors(find(draft, name)).some(([a, b]) => a === x && b === x)
}

/** (x − mean(x))/√(mean((x − mean(x))²) + ε): layer normalisation in its steps. */
export const normalisationOfSteps: Rewrite = (draft, node) => {
  if (node.op !== 'binary') return false
  const [centred, divisor] = node.inputs as [string, string]
  if (node.function === 'divide') return normalised(draft, node, centred, argumentOf(draft, divisor, 'sqrt'))
  return factors(node).some(([x, factor]) => {
    const root = argumentOf(draft, factor, 'reciprocal')
    return normalised(draft, node, x, root === null ? argumentOf(draft, factor, 'rsqrt') : argumentOf(draft, root, 'sqrt'))
  })
}

function normalised(draft: Draft, node: GraphNode, centredName: string, shifted: string | null): boolean {
  if (shifted === null) return false
  const centred = centredBy(draft, centredName)
  const { of, scale, offset } = scaledOf(draft, shifted)
  const variance = find(draft, of)
  if (!centred || scale !== 1 || offset < 0 || variance.op !== 'reduce' || variance.function !== 'mean' || !variance.keepDims) return false
  const squared = squareOf(draft, variance.inputs[0]!)
  const other = squared === null ? null : centredBy(draft, squared)
  if (other?.x !== centred.x || !sameShape(other.axes, centred.axes) || !sameShape(variance.axes, centred.axes)) return false
  supplant(draft, node, { op: 'normalize', axes: centred.axes, epsilon: offset }, [centred.x])
  return true
}

/** x − mean(x) */
function centredBy(draft: Draft, name: string): { x: string; axes: readonly number[] } | null {
  const node = find(draft, name)
  if (node.op !== 'binary' || node.function !== 'subtract') return null
  const [x, meanName] = node.inputs as [string, string]
  const mean = find(draft, meanName)
  return mean.op === 'reduce' && mean.function === 'mean' && mean.keepDims && mean.inputs[0] === x ? { x, axes: mean.axes } : null
}

function squareOf(draft: Draft, name: string): string | null {
  const node = find(draft, name)
  if (node.op === 'binary' && node.function === 'multiply' && node.inputs[0] === node.inputs[1]) return node.inputs[0]!
  return argumentOf(draft, name, 'square')
}

/** √ then 1/x is one function; twice the negative is none. */
const pairs: Partial<Record<PlainUnary, Partial<Record<PlainUnary, PlainUnary>>>> = { sqrt: { reciprocal: 'rsqrt' }, reciprocal: { sqrt: 'rsqrt' } }

export const unaryPairs: Rewrite = (draft, node) => {
  if (node.op !== 'unary') return false
  const before = find(draft, node.inputs[0]!)
  if (before.op !== 'unary' || draft.readers.get(before.name)?.size !== 1 || draft.output === before.name) return false
  const found = pairs[before.function.kind as PlainUnary]?.[node.function.kind as PlainUnary]
  return found !== undefined && becomeUnary(draft, node, { kind: found }, before.inputs[0]!)
}

/** The negative as an affine map, which its neighbours can take up. */
export const negativeIsAffine: Rewrite = (draft, node) => {
  if (node.op !== 'unary' || node.function.kind !== 'negate') return false
  const channels = node.shape[node.shape.length - 1] ?? 0
  if (channels < 1 || channels > 2 ** 20) return false
  supplant(draft, node, { op: 'affine', scale: weight([channels], new Float32Array(channels).fill(-1)), offset: weight([channels], new Float32Array(channels)) }, node.inputs)
  return true
}

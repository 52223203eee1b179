import { UnsupportedNode } from '../../build.ts'
import type { OnnxAttribute, OnnxNode, OnnxTensor } from '../../onnx-format/schema.ts'

/** What a node is called: its name, or that of its first output where the file names none. */
export function nameOf(node: OnnxNode): string {
  return node.name || node.outputs.find((o) => o !== '') || node.opType
}

export function unsupported(node: OnnxNode, detail = ''): UnsupportedNode {
  return new UnsupportedNode(nameOf(node), node.domain === '' ? node.opType : `${node.domain}.${node.opType}`, detail.length > 300 ? `${detail.slice(0, 300)}…` : detail)
}

function find(node: OnnxNode, name: string): OnnxAttribute | undefined {
  return node.attributes.find((a) => a.name === name)
}

export function hasAttribute(node: OnnxNode, name: string): boolean {
  return find(node, name) !== undefined
}

export function int(node: OnnxNode, name: string, fallback: number): number {
  return find(node, name)?.i ?? fallback
}

export function float(node: OnnxNode, name: string, fallback: number): number {
  return find(node, name)?.f ?? fallback
}

export function text(node: OnnxNode, name: string, fallback: string): string {
  return find(node, name)?.s ?? fallback
}

export function ints(node: OnnxNode, name: string, fallback: readonly number[] = []): readonly number[] {
  return find(node, name)?.ints ?? fallback
}

export function floats(node: OnnxNode, name: string, fallback: readonly number[] = []): readonly number[] {
  return find(node, name)?.floats ?? fallback
}

export function tensor(node: OnnxNode, name: string): OnnxTensor | undefined {
  return find(node, name)?.t
}

/** @throws UnsupportedNode where the axis does not exist */
export function axisOf(node: OnnxNode, axis: number, rank: number): number {
  const found = axis < 0 ? axis + rank : axis
  if (!Number.isInteger(found) || found < 0 || found >= Math.max(rank, 1)) throw unsupported(node, `axis ${axis} of ${rank}`)
  return found
}

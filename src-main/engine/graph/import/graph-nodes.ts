import { UnsupportedNode } from '../build.ts'

/** A node of a frozen TensorFlow graph as tfjs-converter writes it. */
export interface RawNode {
  name: string
  op: string
  input?: string[]
  attr?: Record<string, RawAttribute>
}

interface RawAttribute {
  s?: string
  i?: string | number
  f?: number
  b?: boolean
  type?: string | number
  shape?: { dim?: { size?: string | number }[]; unknownRank?: boolean }
  list?: { i?: (string | number)[]; s?: string[]; f?: number[] }
}

export function numbersOf(node: RawNode, key: string): number[] {
  return (node.attr?.[key]?.list?.i ?? []).map(Number)
}

export function numberOf(node: RawNode, key: string, fallback: number): number {
  const attribute = node.attr?.[key]
  const value = attribute?.f ?? attribute?.i
  return value === undefined ? fallback : Number(value)
}

export function booleanOf(node: RawNode, key: string, fallback = false): boolean {
  return node.attr?.[key]?.b ?? fallback
}

/** Strings are base64 in JSON. */
export function textOf(node: RawNode, key: string, fallback: string): string {
  const value = node.attr?.[key]?.s
  return value === undefined ? fallback : decode(value)
}

export function textsOf(node: RawNode, key: string): string[] {
  return (node.attr?.[key]?.list?.s ?? []).map(decode)
}

function decode(base64: string): string {
  return Buffer.from(base64, 'base64').toString('utf8')
}

export function shapeAttribute(node: RawNode): (number | null)[] | null {
  const shape = node.attr?.['shape']?.shape
  if (!shape || shape.unknownRank) return null
  return (shape.dim ?? []).map((d) => (d.size === undefined || Number(d.size) < 0 ? null : Number(d.size)))
}

/** "name:1" and "name"; control inputs ("^name") carry no value. */
export function dataInputs(node: RawNode): { name: string; output: number }[] {
  return (node.input ?? [])
    .filter((input) => !input.startsWith('^'))
    .map((input) => {
      const [name, output] = input.split(':')
      return { name: name!, output: Number(output ?? 0) }
    })
}

export function requireNhwc(node: RawNode): void {
  const format = textOf(node, 'data_format', 'NHWC')
  if (format !== 'NHWC') throw unsupported(node, `data format ${format}`)
}

export function unsupported(node: RawNode, detail = ''): UnsupportedNode {
  return new UnsupportedNode(node.name, node.op, detail)
}

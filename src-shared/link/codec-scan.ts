/** Deeper than any message of the contract. */
const mostDepth = 32
/** Values of all kinds in one message: long arrays travel as typed arrays, which count once. */
const mostValues = 1_000_000

/**
 * Walks a MessagePack message without making anything of it. The decoder makes room for an array as soon as it reads
 * its length, so a few bytes could ask for all memory there is; what passes here is complete and of bounded size.
 * @throws RangeError for what is cut off, too deep, of too many values, or of a kind that is never sent
 */
export function scan(bytes: Uint8Array): void {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  /** Values still to come, per level. */
  const left: number[] = [1]
  let values = 0
  let at = 0

  /** Lengths of 1, 2 or 4 bytes. */
  function length(size: 1 | 2 | 4): number {
    const value = size === 1 ? view.getUint8(at) : size === 2 ? view.getUint16(at) : view.getUint32(at)
    at += size
    return value
  }
  function skip(count: number): void {
    at += count
  }
  function enter(count: number): void {
    values += count
    if (values > mostValues) throw new RangeError('too many values')
    if (left.length > mostDepth) throw new RangeError('too deep')
    left.push(count)
  }

  while (left.length > 0) {
    const top = left.length - 1
    if (left[top] === 0) {
      left.pop()
      continue
    }
    left[top]!--
    const head = view.getUint8(at++)
    if (head <= 0x7f || head >= 0xe0) continue
    if (head <= 0x8f) enter(2 * (head & 0x0f))
    else if (head <= 0x9f) enter(head & 0x0f)
    else if (head <= 0xbf) skip(head & 0x1f)
    else if (head <= 0xc3) continue
    else if (head <= 0xc6) throw new RangeError('plain binary, which is never sent')
    else if (head <= 0xc9) skip(length(sizes[head - 0xc7]!) + 1)
    else if (head <= 0xd3) skip(scalars[head - 0xca]!)
    else if (head <= 0xd8) skip((1 << (head - 0xd4)) + 1)
    else if (head <= 0xdb) skip(length(sizes[head - 0xd9]!))
    else if (head <= 0xdd) enter(length(sizes[head - 0xdb]!))
    else enter(2 * length(sizes[head - 0xdd]!))
    if (at > bytes.length) throw new RangeError('cut off')
  }
  if (at !== bytes.length) throw new RangeError('followed by more')
}

const sizes = [1, 2, 4] as const
/** Bytes of float 32, float 64, uint 8 to 64, int 8 to 64. */
const scalars = [4, 8, 1, 2, 4, 8, 1, 2, 4, 8] as const

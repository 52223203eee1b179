/** The container of TrueType files: a directory of tables (OpenType specification 1.9, "Font file"). */

/** Tables by tag, as views into the file. */
export function readTables(file: Uint8Array): Map<string, Uint8Array> {
  const view = new DataView(file.buffer, file.byteOffset, file.byteLength)
  const tables = new Map<string, Uint8Array>()
  for (let i = 0; i < view.getUint16(4); i++) {
    const entry = 12 + i * 16
    const tag = String.fromCharCode(...file.subarray(entry, entry + 4))
    const offset = view.getUint32(entry + 8)
    tables.set(tag, file.subarray(offset, offset + view.getUint32(entry + 12)))
  }
  return tables
}

/** A TrueType file of these tables, with checksums. */
export function writeTables(tables: ReadonlyMap<string, Uint8Array>): Uint8Array {
  const entries = [...tables].sort(([a], [b]) => (a < b ? -1 : 1))
  const lengths = entries.map(([, data]) => Math.ceil(data.length / 4) * 4)
  const start = 12 + entries.length * 16
  const file = new Uint8Array(start + lengths.reduce((sum, length) => sum + length, 0))
  const view = new DataView(file.buffer)
  const power = Math.floor(Math.log2(entries.length))
  view.setUint32(0, 0x00010000)
  view.setUint16(4, entries.length)
  view.setUint16(6, 2 ** power * 16)
  view.setUint16(8, power)
  view.setUint16(10, entries.length * 16 - 2 ** power * 16)
  let offset = start
  let head = -1
  entries.forEach(([tag, data], i) => {
    const entry = 12 + i * 16
    file.set(data, offset)
    if (tag === 'head') {
      head = offset
      view.setUint32(head + 8, 0)
    }
    for (let c = 0; c < 4; c++) file[entry + c] = tag.charCodeAt(c)
    view.setUint32(entry + 4, checksum(view, offset, lengths[i] as number))
    view.setUint32(entry + 8, offset)
    view.setUint32(entry + 12, data.length)
    offset += lengths[i] as number
  })
  if (head !== -1) view.setUint32(head + 8, (0xb1b0afba - checksum(view, 0, file.length)) >>> 0)
  return file
}

function checksum(view: DataView, offset: number, length: number): number {
  let sum = 0
  for (let at = offset; at < offset + length; at += 4) sum = (sum + view.getUint32(at)) >>> 0
  return sum
}

/** A cmap of one format 4 subtable: code points of the basic plane to glyphs, one segment per stretch of both. */
export function cmapTable(glyphs: ReadonlyMap<number, number>): Uint8Array {
  const segments: { first: number; last: number; delta: number }[] = []
  for (const [code, glyph] of [...glyphs].filter(([c]) => c < 0xffff).sort(([a], [b]) => a - b)) {
    const previous = segments[segments.length - 1]
    if (previous && code === previous.last + 1 && glyph - code === previous.delta) previous.last = code
    else segments.push({ first: code, last: code, delta: glyph - code })
  }
  segments.push({ first: 0xffff, last: 0xffff, delta: 1 })
  const count = segments.length
  const power = Math.floor(Math.log2(count))
  const length = 16 + count * 8
  const view = new DataView(new ArrayBuffer(12 + length))
  // header: version 0, one record: Windows, Unicode BMP
  const words = [0, 1, 3, 1, 0, 12, 4, length, 0, count * 2, 2 ** power * 2, power, count * 2 - 2 ** power * 2]
  words.push(...segments.map((s) => s.last), 0, ...segments.map((s) => s.first), ...segments.map((s) => s.delta & 0xffff), ...segments.map(() => 0))
  words.forEach((word, i) => view.setUint16(i * 2, word))
  return new Uint8Array(view.buffer)
}

/** A post table that names no glyphs (version 3). */
export function postTable(): Uint8Array {
  const view = new DataView(new ArrayBuffer(32))
  view.setUint32(0, 0x00030000)
  return new Uint8Array(view.buffer)
}

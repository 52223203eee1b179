/** Every pixel's segment. */
export interface Segmentation {
  /** H·W, each in [0, count). */
  labels: Int32Array
  count: number
}

/** Segments numbered anew, in the order in which a reader meets them. */
export function renumber(labels: Int32Array): Segmentation {
  const names = new Map<number, number>()
  const out = labels.map((label) => {
    const known = names.get(label)
    if (known !== undefined) return known
    names.set(label, names.size)
    return names.size - 1
  })
  return { labels: out, count: names.size }
}

/** Parts that hang together by edges, each with its own number; two parts of one segment become two. */
export function connectedParts(labels: Int32Array, height: number, width: number): Segmentation {
  const out = new Int32Array(labels.length).fill(-1)
  const queue = new Int32Array(labels.length)
  let count = 0
  for (let start = 0; start < labels.length; start++) {
    if (out[start] !== -1) continue
    let end = 0
    queue[end++] = start
    out[start] = count
    for (let k = 0; k < end; k++) {
      forNeighbours(queue[k]!, height, width, (other) => {
        if (out[other] !== -1 || labels[other] !== labels[start]) return
        out[other] = count
        queue[end++] = other
      })
    }
    count++
  }
  return { labels: out, count }
}

/**
 * Segments in one piece each: what hangs together becomes a segment, and one of fewer than `least` pixels joins the neighbour
 * with which it shares the longest border, smallest first.
 */
export function enforceConnected(labels: Int32Array, height: number, width: number, least: number): Segmentation {
  const parts = connectedParts(labels, height, width)
  const sizes = new Int32Array(parts.count)
  const borders = Array.from({ length: parts.count }, () => new Map<number, number>())
  parts.labels.forEach((label, i) => {
    sizes[label]!++
    forNeighbours(i, height, width, (other) => {
      const beside = parts.labels[other]!
      if (beside !== label) borders[label]!.set(beside, (borders[label]!.get(beside) ?? 0) + 1)
    })
  })
  const into = Int32Array.from({ length: parts.count }, (_, i) => i)
  const small = [...sizes.keys()].filter((part) => sizes[part]! < least).sort((a, b) => sizes[a]! - sizes[b]! || a - b)
  for (const part of small) {
    if (sizes[part]! >= least) continue
    const beside = [...borders[part]!].reduce<[number, number] | null>((best, entry) => (best && best[1] >= entry[1] ? best : entry), null)
    if (!beside) continue
    const [host] = beside
    into[part] = host
    sizes[host]! += sizes[part]!
    for (const [other, length] of borders[part]!) {
      borders[other]!.delete(part)
      if (other === host) continue
      borders[other]!.set(host, (borders[other]!.get(host) ?? 0) + length)
      borders[host]!.set(other, (borders[host]!.get(other) ?? 0) + length)
    }
  }
  return renumber(parts.labels.map((label) => follow(into, label)))
}

function follow(into: Int32Array, start: number): number {
  let label = start
  while (into[label] !== label) label = into[label]!
  return label
}

/** Up, down, left and right, where they exist. */
function forNeighbours(i: number, height: number, width: number, visit: (other: number) => void): void {
  const x = i % width
  if (i >= width) visit(i - width)
  if (i < (height - 1) * width) visit(i + width)
  if (x > 0) visit(i - 1)
  if (x < width - 1) visit(i + 1)
}

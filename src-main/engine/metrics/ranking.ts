import type { Random } from '#shared/random/random.ts'

/** The order of pixels by a map, highest first, and what becomes of equal values. */
export interface Ranking {
  /** Pixel indices; those of one value stand together, in the order of the image. */
  order: Uint32Array
  /** Where each group of equal values ends in `order`, ascending; the last is the number of pixels. */
  ends: Uint32Array
}

/** @param values finite; signed ones by their sign, so negatives come last */
export function rankPixels(values: Float32Array): Ranking {
  const order = Uint32Array.from(values.keys()).sort((a, b) => values[b]! - values[a]! || a - b)
  const ends: number[] = []
  for (let i = 1; i <= order.length; i++) if (i === order.length || values[order[i]!] !== values[order[i - 1]!]) ends.push(i)
  return { order, ends: Uint32Array.from(ends) }
}

/** The same order with each group of equal values in a drawn order. */
export function breakTies({ order, ends }: Ranking, random: Random): Uint32Array {
  const out = order.slice()
  let from = 0
  for (const end of ends) {
    for (let i = end - 1; i > from; i--) {
      const j = from + random.below(i - from + 1)
      const held = out[i]!
      out[i] = out[j]!
      out[j] = held
    }
    from = end
  }
  return out
}

/** The share of pixels whose value another pixel has, too, in [0, 1]. */
export function tieFraction({ order, ends }: Ranking): number {
  let alone = 0
  ends.forEach((end, g) => {
    if (end - (g === 0 ? 0 : ends[g - 1]!) === 1) alone++
  })
  return order.length === 0 ? 0 : 1 - alone / order.length
}

/** Whether no group of equal values is cut after the first `count` pixels: those are then the same in every order. */
export function isCleanCut({ ends }: Ranking, count: number): boolean {
  let low = 0
  let high = ends.length
  while (low < high) {
    const middle = (low + high) >> 1
    if (ends[middle]! < count) low = middle + 1
    else high = middle
  }
  return count === 0 || ends[low] === count
}

/** What the first `count` pixels hold of a mask, where ties at the cut are broken at random. */
export interface TopCount {
  /** Pixels of the mask above the cut group. */
  sure: number
  /** Pixels of the cut group, of them in the mask, and how many of the group are taken. */
  group: number
  hits: number
  taken: number
}

/** @param mask 0 or 1 per pixel */
export function topCount({ order, ends }: Ranking, mask: Uint8Array, count: number): TopCount {
  let from = 0
  let sure = 0
  for (const end of ends) {
    let hits = 0
    for (let i = from; i < end; i++) hits += mask[order[i]!]!
    if (end >= count) return { sure, group: end - from, hits, taken: count - from }
    sure += hits
    from = end
  }
  return { sure, group: 0, hits: 0, taken: 0 }
}

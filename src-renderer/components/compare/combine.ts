import type { MapData } from '#shared/domain/image.ts'
import { upsample } from '#shared/imaging/interpolation.ts'
import { asMask } from '#shared/imaging/normalisation.ts'
import type { MapKind } from '../stage/scale.ts'

/** Mean and standard deviation (n − 1) of several maps, pixel by pixel, at the size of the largest. */
export function spreadOf(maps: readonly MapData[]): { mean: MapData; sd: MapData } {
  const { height, width } = largest(maps)
  const all = maps.map((map) => upsample(map, height, width).data)
  const mean = new Float32Array(height * width)
  const sd = new Float32Array(height * width)
  for (let i = 0; i < mean.length; i++) {
    let sum = 0
    for (const data of all) sum += data[i]!
    const middle = sum / all.length
    let squares = 0
    for (const data of all) squares += (data[i]! - middle) ** 2
    mean[i] = middle
    sd[i] = all.length > 1 ? Math.sqrt(squares / (all.length - 1)) : 0
  }
  return { mean: { height, width, data: mean }, sd: { height, width, data: sd } }
}

function largest(maps: readonly MapData[]): { height: number; width: number } {
  return maps.reduce((best, { height, width }) => (height * width > best.height * best.width ? { height, width } : best), { height: 1, width: 1 })
}

export interface Pair {
  /** a − b of the maps scaled to [0, 1], each by itself; in [−1, 1]. */
  difference: MapData
  /** The smaller of the two: high where both are. */
  agreement: MapData
  /** Spearman's rank correlation of the raw values; NaN where one is constant. */
  correlation: number
  /** Of the pixels that either has among its top share, those that both have. */
  overlap: number
}

/** What two maps of one image differ in and agree on, at the size of the larger. @param top share of the pixels, (0, 1] */
export function pairOf(a: { map: MapData; kind: MapKind }, b: { map: MapData; kind: MapKind }, top: number): Pair {
  const { height, width } = largest([a.map, b.map])
  const [rawA, rawB] = [upsample(a.map, height, width), upsample(b.map, height, width)]
  const [x, y] = [scaled(rawA, a.kind).data, scaled(rawB, b.kind).data]
  const difference = x.map((value, i) => value - y[i]!)
  const agreement = x.map((value, i) => Math.min(value, y[i]!))
  const [inA, inB] = [topPixels(rawA.data, top), topPixels(rawB.data, top)]
  let both = 0
  let either = 0
  for (let i = 0; i < inA.length; i++) {
    if (inA[i]! && inB[i]!) both++
    if (inA[i]! || inB[i]!) either++
  }
  return {
    difference: { height, width, data: difference }, agreement: { height, width, data: agreement },
    correlation: rankCorrelation(rawA.data, rawB.data), overlap: either === 0 ? Number.NaN : both / either,
  }
}

function scaled(map: MapData, { signed, range, mask }: MapKind): MapData {
  return asMask(map, { signed, range: mask ? range : [null, null] })
}

/** 1 for the pixels of highest value, so many as the share says, at least one; ties with the last of them stay out. */
export function topPixels(values: Float32Array, share: number): Uint8Array {
  const count = Math.max(1, Math.round(values.length * share))
  const sorted = Float32Array.from(values).sort()
  const limit = sorted[sorted.length - count]!
  const above = values.reduce((sum, value) => sum + (value > limit ? 1 : 0), 0)
  const equal = values.reduce((sum, value) => sum + (value === limit ? 1 : 0), 0)
  const takeTies = above + equal <= count || above === 0
  return Uint8Array.from(values, (value) => (value > limit || (takeTies && value === limit) ? 1 : 0))
}

/** Ties share the mean of their ranks. */
export function rankCorrelation(a: Float32Array, b: Float32Array): number {
  const [x, y] = [ranksOf(a), ranksOf(b)]
  const middle = (a.length + 1) / 2
  let xy = 0
  let xx = 0
  let yy = 0
  for (let i = 0; i < x.length; i++) {
    xy += (x[i]! - middle) * (y[i]! - middle)
    xx += (x[i]! - middle) ** 2
    yy += (y[i]! - middle) ** 2
  }
  return xy / Math.sqrt(xx * yy)
}

function ranksOf(values: Float32Array): Float64Array {
  const order = [...values.keys()].sort((i, k) => values[i]! - values[k]!)
  const ranks = new Float64Array(values.length)
  for (let from = 0; from < order.length;) {
    let to = from
    while (to + 1 < order.length && values[order[to + 1]!] === values[order[from]!]) to++
    for (let i = from; i <= to; i++) ranks[order[i]!] = (from + to) / 2 + 1
    from = to + 1
  }
  return ranks
}

import { createRequire } from 'node:module'
import type * as MlKmeans from 'ml-kmeans'

const load = createRequire(import.meta.url)

/** Groups of vectors, the largest first. */
export interface Clusters {
  groups: { centre: Float32Array; /** Indices of the vectors. */ members: number[] }[]
  /** Mean silhouette (Rousseeuw, 1987), −1 to 1; 0 for one group. */
  silhouette: number
}

/** Of so many vectors at most, evenly chosen, the silhouette is taken: it needs all distances. */
const silhouetteVectors = 300
const mostGroups = 6

/**
 * k-means from k-means++ starts.
 * @param vectors [count, length]
 * @param groups how many; the number from 2 to 6 with the best silhouette where undefined
 * @param seed a whole number
 */
export function clustersOf(vectors: Float32Array, length: number, groups: number | undefined, seed: number): Clusters {
  const rows = Array.from({ length: vectors.length / length }, (_, i) => Array.from(vectors.subarray(i * length, (i + 1) * length)))
  const distinct = new Set(rows.map((row) => row.join(' '))).size
  const tried = groups === undefined ? Array.from({ length: mostGroups - 1 }, (_, i) => i + 2) : [groups]
  const fitting = tried.map((k) => Math.min(k, distinct)).filter((k, i, all) => all.indexOf(k) === i)
  const found = fitting.map((k) => clustered(rows, k, seed))
  return found.reduce((a, b) => (b.silhouette > a.silhouette ? b : a))
}

function clustered(rows: number[][], k: number, seed: number): Clusters {
  if (k === 1) return { groups: [groupOf(rows, rows.map((_, i) => i))], silhouette: 0 }
  // Of 250 small files, so loaded where it is used and not at every start of a worker.
  const { kmeans } = load('ml-kmeans') as typeof MlKmeans
  // The library counts a seed of 0 as none.
  const { clusters } = kmeans(rows, k, { seed: seed + 1, maxIterations: 100 })
  const members = Array.from({ length: k }, (_, c) => rows.flatMap((_, i) => (clusters[i] === c ? [i] : []))).filter((group) => group.length > 0)
  members.sort((a, b) => b.length - a.length || a[0]! - b[0]!)
  return { groups: members.map((group) => groupOf(rows, group)), silhouette: silhouette(rows, members) }
}

function groupOf(rows: readonly number[][], members: number[]): Clusters['groups'][number] {
  const centre = Float32Array.from(rows[0]!, (_, k) => members.reduce((sum, i) => sum + rows[i]![k]!, 0) / members.length)
  return { centre, members }
}

function silhouette(rows: readonly number[][], members: readonly number[][]): number {
  if (members.length < 2) return 0
  const groupOfRow = new Int32Array(rows.length)
  members.forEach((group, c) => group.forEach((i) => (groupOfRow[i] = c)))
  const step = Math.max(1, rows.length / silhouetteVectors)
  const chosen = Array.from({ length: Math.min(rows.length, silhouetteVectors) }, (_, i) => Math.floor(i * step))
  const values = chosen.map((i) => {
    const sums = new Float64Array(members.length)
    const counts = new Float64Array(members.length)
    for (const j of chosen) {
      if (j === i) continue
      sums[groupOfRow[j]!]! += distance(rows[i]!, rows[j]!)
      counts[groupOfRow[j]!]!++
    }
    const own = groupOfRow[i]!
    if (counts[own] === 0) return 0
    const inside = sums[own]! / counts[own]!
    let outside = Infinity
    sums.forEach((sum, c) => {
      if (c !== own && counts[c]! > 0) outside = Math.min(outside, sum / counts[c]!)
    })
    const larger = Math.max(inside, outside)
    return Number.isFinite(outside) && larger > 0 ? (outside - inside) / larger : 0
  })
  return values.reduce((a, b) => a + b, 0) / values.length
}

function distance(a: readonly number[], b: readonly number[]): number {
  let sum = 0
  for (let k = 0; k < a.length; k++) sum += (a[k]! - b[k]!) ** 2
  return Math.sqrt(sum)
}

/**
 * Times several pieces of work in turns, so that whatever else the machine does falls on all of them alike.
 * @param rounds timed turns of each piece, at least 5, after one that is not counted
 * @returns the median of each, in ms
 */
export async function medians<K extends string>(
  work: Record<K, () => void | Promise<void>>,
  rounds = 9,
): Promise<Record<K, number>> {
  const names = Object.keys(work) as K[]
  const times = Object.fromEntries(names.map((name) => [name, [] as number[]])) as Record<K, number[]>
  for (let round = -1; round < rounds; round++) {
    for (const name of names) {
      const start = performance.now()
      await work[name]()
      if (round >= 0) times[name].push(performance.now() - start)
    }
  }
  return Object.fromEntries(names.map((name) => [name, median(times[name])])) as Record<K, number>
}

export function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b)
  const middle = sorted.length >> 1
  return sorted.length % 2 === 1 ? sorted[middle]! : (sorted[middle - 1]! + sorted[middle]!) / 2
}

export function rounded(value: number, digits = 2): number {
  return Number(value.toFixed(digits))
}

import type { Random } from '#shared/random/random.ts'

/** Which players take part, and how much each answer weighs in KernelSHAP's regression. */
export interface Coalitions {
  count: number
  /** [count, players], 0 or 1 */
  members: Float32Array
  weights: Float64Array
  /** All coalitions of these sizes, and of the sizes that they leave over, are there. */
  complete: number
}

/**
 * Coalitions as the shap library draws them: from the smallest and largest sizes inwards all coalitions of a size, as long as
 * its share of the Shapley kernel (M − 1)/(s(M − s)) pays for them, then random ones with sizes by the kernel, each with its
 * complement; a coalition drawn twice counts twice. The weights of all sum to 1.
 * @param budget how many at most; all 2^M − 2 where they are fewer
 */
export function pairedCoalitions(players: number, budget: number, random: Random): Coalitions {
  const sizes = Math.ceil((players - 1) / 2)
  const paired = Math.floor((players - 1) / 2)
  const kernel = Array.from({ length: sizes }, (_, k) => ((players - 1) / ((k + 1) * (players - k - 1))) * (k < paired ? 2 : 1))
  const whole = kernel.reduce((a, b) => a + b, 0)
  const share = kernel.map((value) => value / whole)
  const rows: Uint8Array[] = []
  const weights: number[] = []
  let left = players < 31 ? Math.min(budget, 2 ** players - 2) : budget
  let rest = 1
  let size = 1
  for (; size <= sizes; size++) {
    const subsets = binomial(players, size) * (size <= paired ? 2 : 1)
    if ((left * share[size - 1]!) / rest / subsets < 1 - 1e-8) break
    for (const row of combinations(players, size)) {
      for (const coalition of size <= paired ? [row, complement(row)] : [row]) {
        rows.push(coalition)
        weights.push(share[size - 1]! / subsets)
      }
    }
    left -= subsets
    rest -= share[size - 1]!
  }
  const complete = size - 1
  if (size <= sizes && left > 0) draw()
  const members = new Float32Array(rows.length * players)
  rows.forEach((row, i) => members.set(row, i * players))
  return { count: rows.length, members, weights: Float64Array.from(weights), complete }

  function draw(): void {
    // A size with its complement's is drawn half as often: every draw of it brings both.
    const open = share.map((value, k) => (k < paired ? value / 2 : value)).slice(complete)
    const whole = open.reduce((a, b) => a + b, 0)
    const known = new Map<string, number>()
    const first = rows.length
    const order = Array.from({ length: players }, (_, i) => i)
    for (let tries = 4 * left; tries > 0 && left > 0; tries--) {
      const drawn = complete + 1 + pick(open, whole, random)
      random.shuffle(order)
      const row = new Uint8Array(players)
      for (let k = 0; k < drawn; k++) row[order[k]!] = 1
      for (const coalition of drawn <= paired ? [row, complement(row)] : [row]) {
        const key = coalition.join('')
        const at = known.get(key)
        if (at !== undefined) weights[at]! += 1
        else if (left > 0) {
          known.set(key, rows.length)
          rows.push(coalition)
          weights.push(1)
          left--
        }
      }
    }
    const drawn = weights.slice(first).reduce((a, b) => a + b, 0)
    for (let i = first; i < weights.length; i++) weights[i]! *= rest / drawn
  }
}

/** Coalitions drawn one by one, sizes by the kernel, each weighing the same: what Captum and Xplique do. */
export function sampledCoalitions(players: number, count: number, random: Random): Coalitions {
  const kernel = Array.from({ length: players - 1 }, (_, k) => (players - 1) / ((k + 1) * (players - k - 1)))
  const whole = kernel.reduce((a, b) => a + b, 0)
  const members = new Float32Array(count * players)
  const order = Array.from({ length: players }, (_, i) => i)
  for (let i = 0; i < count; i++) {
    const size = 1 + pick(kernel, whole, random)
    random.shuffle(order)
    for (let k = 0; k < size; k++) members[i * players + order[k]!] = 1
  }
  return { count, members, weights: new Float64Array(count).fill(1), complete: 0 }
}

function pick(shares: readonly number[], whole: number, random: Random): number {
  let at = random.uniform() * whole
  for (let k = 0; k < shares.length - 1; k++) {
    at -= shares[k]!
    if (at < 0) return k
  }
  return shares.length - 1
}

function complement(row: Uint8Array): Uint8Array {
  return row.map((member) => 1 - member)
}

/** Every way to choose `size` of `players`, in lexicographic order. */
function* combinations(players: number, size: number): Generator<Uint8Array> {
  const chosen = Array.from({ length: size }, (_, i) => i)
  for (;;) {
    const row = new Uint8Array(players)
    for (const i of chosen) row[i] = 1
    yield row
    let k = size - 1
    while (k >= 0 && chosen[k] === players - size + k) k--
    if (k < 0) return
    chosen[k]!++
    for (let j = k + 1; j < size; j++) chosen[j] = chosen[j - 1]! + 1
  }
}

function binomial(n: number, k: number): number {
  let out = 1
  for (let i = 0; i < k; i++) out = (out * (n - i)) / (i + 1)
  return out
}

/** A stack of maps, row-major. */
interface Maps {
  /** [count, height, width] */
  data: Float32Array
  height: number
  width: number
}

/** Moves that are tried around the best so far, in pixels to each side. */
const reach = 2
const rounds = 4

/**
 * Moves each map by whole pixels so that all lie on each other best: first their centres of mass meet, then, a few times over, each goes
 * where its product with the mean of all is largest. What comes in from outside is 0.
 * @returns the moved maps; empty ones stay as they are
 */
export function aligned({ data, height, width }: Maps): Float32Array {
  const area = height * width
  const count = data.length / area
  const moves = Array.from({ length: count }, (_, n) => centring(data.subarray(n * area, (n + 1) * area), height, width))
  let out = moved({ data, height, width }, moves)
  for (let round = 0; round < rounds; round++) {
    const mean = meanOf(out, area)
    moves.forEach((move, n) => better(data.subarray(n * area, (n + 1) * area), mean, height, width, move))
    out = moved({ data, height, width }, moves)
  }
  return out
}

interface Move {
  down: number
  across: number
}

function centring(map: Float32Array, height: number, width: number): Move {
  let mass = 0
  let down = 0
  let across = 0
  map.forEach((value, i) => {
    mass += value
    down += value * Math.floor(i / width)
    across += value * (i % width)
  })
  if (mass === 0) return { down: 0, across: 0 }
  return { down: Math.round((height - 1) / 2 - down / mass), across: Math.round((width - 1) / 2 - across / mass) }
}

/** Takes the best of the moves around; where several are equal, the first that was there. */
function better(map: Float32Array, mean: Float32Array, height: number, width: number, move: Move): void {
  const from = { ...move }
  let best = product(map, mean, height, width, move)
  for (let down = from.down - reach; down <= from.down + reach; down++) {
    for (let across = from.across - reach; across <= from.across + reach; across++) {
      const found = product(map, mean, height, width, { down, across })
      if (found <= best + 1e-9) continue
      best = found
      move.down = down
      move.across = across
    }
  }
}

function product(map: Float32Array, mean: Float32Array, height: number, width: number, { down, across }: Move): number {
  let sum = 0
  for (let y = Math.max(0, -down); y < Math.min(height, height - down); y++) {
    const to = (y + down) * width + across
    for (let x = Math.max(0, -across); x < Math.min(width, width - across); x++) sum += map[y * width + x]! * mean[to + x]!
  }
  return sum
}

function moved({ data, height, width }: Maps, moves: readonly Move[]): Float32Array {
  const out = new Float32Array(data.length)
  const area = height * width
  moves.forEach(({ down, across }, n) => {
    for (let y = Math.max(0, -down); y < Math.min(height, height - down); y++) {
      const to = n * area + (y + down) * width + across
      for (let x = Math.max(0, -across); x < Math.min(width, width - across); x++) out[to + x] = data[n * area + y * width + x]!
    }
  })
  return out
}

/** @returns the mean of all maps, [area] */
export function meanOf(data: Float32Array, area: number): Float32Array {
  const sums = new Float64Array(area)
  for (let i = 0; i < data.length; i++) sums[i % area]! += data[i]!
  return Float32Array.from(sums, (sum) => (sum * area) / data.length)
}

/** @returns the standard deviation of all maps, per place */
export function spreadOf(data: Float32Array, area: number): Float32Array {
  const mean = meanOf(data, area)
  const sums = new Float64Array(area)
  for (let i = 0; i < data.length; i++) sums[i % area]! += (data[i]! - mean[i % area]!) ** 2
  return Float32Array.from(sums, (sum) => Math.sqrt((sum * area) / data.length))
}

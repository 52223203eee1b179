import type { Random } from '#shared/random/random.ts'

/** A scalar field over a picture, row-major; most of ours lie in [0, 1]. */
export type Field = Float32Array

/**
 * Value noise: random values on a square lattice, joined smoothly.
 * @param cell lattice spacing in pixels, > 0
 * @returns [height, width], values in [0, 1)
 */
export function valueNoise(random: Random, height: number, width: number, cell: number): Field {
  const columns = Math.ceil(width / cell) + 2
  const rows = Math.ceil(height / cell) + 2
  const lattice = new Float32Array(rows * columns)
  for (let i = 0; i < lattice.length; i++) lattice[i] = random.uniform()
  const offsetX = random.uniform()
  const offsetY = random.uniform()
  const left = new Int32Array(width)
  const across = new Float32Array(width)
  for (let x = 0; x < width; x++) {
    const u = x / cell + offsetX
    left[x] = Math.floor(u)
    across[x] = smoothStep(u - Math.floor(u))
  }
  const field = new Float32Array(height * width)
  for (let y = 0; y < height; y++) {
    const v = y / cell + offsetY
    const top = Math.floor(v) * columns
    const down = smoothStep(v - Math.floor(v))
    for (let x = 0; x < width; x++) {
      const i = top + left[x]!
      const t = across[x]!
      const upper = lattice[i]! + (lattice[i + 1]! - lattice[i]!) * t
      const lower = lattice[i + columns]! + (lattice[i + columns + 1]! - lattice[i + columns]!) * t
      field[y * width + x] = upper + (lower - upper) * down
    }
  }
  return field
}

/** Three octaves of value noise, stretched so that most values fill [0, 1]. */
export function fractalNoise(random: Random, height: number, width: number, cell: number): Field {
  const coarse = valueNoise(random, height, width, cell)
  const middle = valueNoise(random, height, width, cell / 2)
  const fine = valueNoise(random, height, width, cell / 4)
  for (let i = 0; i < coarse.length; i++) {
    const value = (coarse[i]! * 4 + middle[i]! * 2 + fine[i]!) / 7
    coarse[i] = Math.min(1, Math.max(0, (value - 0.5) * 1.7 + 0.5))
  }
  return coarse
}

function smoothStep(t: number): number {
  return t * t * (3 - 2 * t)
}

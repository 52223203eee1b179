/** A Gaussian hill on a grid; places and lengths in cells, a place counted from the first cell's centre. */
export interface Blob {
  x: number
  y: number
  /** Standard deviations along its two axes. */
  along: number
  across: number
  /** Of the first axis, in radians. */
  angle: number
  /** Of its top. */
  weight: number
}

/** Where r² is larger the hill is below .0025 of its top, and left out. */
const reach = 12

/** Raises the map to the hill where the hill is higher. @param out [height, width] */
export function raise(out: Float32Array, height: number, width: number, { x, y, along, across, angle, weight }: Blob): void {
  const cos = Math.cos(angle)
  const sin = Math.sin(angle)
  // Half sides of the box around the ellipse r² = reach
  const right = Math.sqrt(reach) * Math.hypot(cos * along, sin * across)
  const down = Math.sqrt(reach) * Math.hypot(sin * along, cos * across)
  for (let i = Math.max(0, Math.ceil(y - down)); i <= Math.min(height - 1, y + down); i++) {
    for (let j = Math.max(0, Math.ceil(x - right)); j <= Math.min(width - 1, x + right); j++) {
      const u = (cos * (j - x) + sin * (i - y)) / along
      const v = (cos * (i - y) - sin * (j - x)) / across
      const distance = u * u + v * v
      if (distance > reach) continue
      const value = weight * Math.exp(-distance / 2)
      if (value > out[i * width + j]!) out[i * width + j] = value
    }
  }
}

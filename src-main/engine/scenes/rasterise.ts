/** Where a shape lies in the picture: the picture's pixel (x, y) covers [x, x + 1) × [y, y + 1). */
export interface Placement {
  /** Of the shape's origin, in pixels. */
  x: number
  y: number
  /** Radians. */
  angle: number
  mirrored: boolean
  /** Pixels per unit of the shape. */
  scale: number
  /** Of the circle about (x, y) that holds the shape, in pixels. */
  radius: number
}

/** Samples per pixel side on the outline; odd, so that no coverage is exactly ½. */
const samples = 5

/**
 * The share of each pixel that a shape covers: 0 or 1 where the distance leaves no doubt, else the share of 5×5 samples.
 * @param signedDistance changes at most as fast as the place does
 * @param visit called for every pixel with coverage above 0, with its row-major index
 */
export function rasterise(
  signedDistance: (x: number, y: number) => number,
  place: Placement,
  height: number,
  width: number,
  visit: (index: number, coverage: number) => void,
): void {
  const c = Math.cos(place.angle) / place.scale
  const s = Math.sin(place.angle) / place.scale
  const flip = place.mirrored ? -1 : 1
  const distanceAt = (px: number, py: number): number => {
    const dx = px - place.x
    const dy = py - place.y
    return signedDistance(flip * (c * dx + s * dy), c * dy - s * dx)
  }
  // Samples lie at most .4·√2 from the pixel's centre.
  const band = 0.566 / place.scale
  const top = Math.max(0, Math.floor(place.y - place.radius))
  const bottom = Math.min(height - 1, Math.floor(place.y + place.radius))
  const left = Math.max(0, Math.floor(place.x - place.radius))
  const right = Math.min(width - 1, Math.floor(place.x + place.radius))
  for (let y = top; y <= bottom; y++) {
    let x = left
    while (x <= right) {
      const distance = distanceAt(x + 0.5, y + 0.5)
      // As many pixels on the right share the verdict as the distance reaches.
      const sure = Math.floor((Math.abs(distance) - band) * place.scale)
      if (sure < 0) {
        const coverage = sampledCoverage(distanceAt, x, y, 0.4 / place.scale)
        if (coverage > 0) visit(y * width + x, coverage)
        x++
        continue
      }
      const next = Math.min(right, x + sure) + 1
      if (distance < 0) for (let i = y * width + x; i < y * width + next; i++) visit(i, 1)
      x = next
    }
  }
}

/** @param reach from a row's middle sample to its ends, in units of the shape */
function sampledCoverage(distanceAt: (x: number, y: number) => number, x: number, y: number, reach: number): number {
  let inside = 0
  for (let r = 0; r < samples; r++) {
    const py = y + (r + 0.5) / samples
    const middle = distanceAt(x + 0.5, py)
    if (middle < 0) inside += middle < -reach ? samples : 1
    if (middle > reach || middle < -reach) continue
    for (let c = 0; c < samples; c++) if (2 * c + 1 !== samples && distanceAt(x + (c + 0.5) / samples, py) < 0) inside++
  }
  return inside / (samples * samples)
}

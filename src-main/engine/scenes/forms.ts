/**
 * The ten object classes. They are told apart by form alone: no similarity (rotation, mirror, scale) maps one to another,
 * and each differs from every other in something that survives at 14 pixels: a round or square hole, the number of arms or
 * points, a round or square bite, one notch or two.
 *
 * `signedDistance` is negative inside and changes at most as fast as the place does (a bound of the distance to the
 * outline), so a pixel whose value exceeds half its diagonal lies wholly inside or outside. Own units, centroid at 0.
 */
export interface Form {
  name: string
  signedDistance(x: number, y: number): number
  /** Of the region, in own units squared. */
  area: number
  /** Of the smallest circle about the centroid that holds the region. */
  radius: number
}

/** A form before its centroid is moved to 0. */
interface Outline {
  name: string
  signedDistance(x: number, y: number): number
}

const outlines: readonly Outline[] = [
  { name: 'ring', signedDistance: (x, y) => Math.abs(length(x, y) - 0.75) - 0.25 },
  { name: 'frame', signedDistance: (x, y) => Math.max(box(x, y, 1, 1), -box(x, y, 0.56, 0.56)) },
  { name: 'cross', signedDistance: (x, y) => Math.min(box(x, y, 1, 0.3), box(x, y, 0.3, 1)) },
  { name: 'star', signedDistance: polygon(starPoints(5, 1, 0.46)) },
  { name: 'crescent', signedDistance: (x, y) => Math.max(length(x, y) - 1, 0.72 - length(x - 0.62, y)) },
  { name: 'triangle', signedDistance: polygon(starPoints(3, 1, 0.5)) },
  {
    name: 'heart',
    signedDistance: (x, y) => {
      const u = (x + y) * Math.SQRT1_2
      const v = (y - x) * Math.SQRT1_2
      return Math.min(box(u, v, 0.5, 0.5), length(u - 0.5, v) - 0.5, length(u, v - 0.5) - 0.5)
    },
  },
  {
    name: 'arrow',
    signedDistance: polygon([[0, 1.05], [0.9, 0.1], [0.32, 0.1], [0.32, -0.9], [-0.32, -0.9], [-0.32, 0.1], [-0.9, 0.1]]),
  },
  { name: 'hourglass', signedDistance: polygon([[0.9, 0.85], [0.16, 0], [0.9, -0.85], [-0.9, -0.85], [-0.16, 0], [-0.9, 0.85]]) },
  { name: 'elbow', signedDistance: polygon([[-1, -1], [1, -1], [1, -0.2], [-0.2, -0.2], [-0.2, 1], [-1, 1]]) },
]

export const forms: readonly Form[] = outlines.map(centred)

/** The largest radius of a form of unit area: room kept for an object does not depend on its class. */
export const unitRadius = Math.max(...forms.map((form) => form.radius / Math.sqrt(form.area)))

/** √(x² + y²); many times as fast as Math.hypot, which guards against overflow. */
export function length(x: number, y: number): number {
  return Math.sqrt(x * x + y * y)
}

/** Signed distance to a rectangle about 0 with the given half sides. */
export function box(x: number, y: number, halfWidth: number, halfHeight: number): number {
  const dx = Math.abs(x) - halfWidth
  const dy = Math.abs(y) - halfHeight
  if (dx > 0 && dy > 0) return Math.sqrt(dx * dx + dy * dy)
  return dx > dy ? dx : dy
}

/** Signed distance to a simple polygon. */
export function polygon(points: readonly (readonly [number, number])[]): (x: number, y: number) => number {
  const n = points.length
  const px = Float64Array.from(points, (p) => p[0])
  const py = Float64Array.from(points, (p) => p[1])
  return (x, y) => {
    let nearest = Infinity
    let inside = false
    for (let i = 0, j = n - 1; i < n; j = i++) {
      const ex = px[j]! - px[i]!
      const ey = py[j]! - py[i]!
      const wx = x - px[i]!
      const wy = y - py[i]!
      const along = (wx * ex + wy * ey) / (ex * ex + ey * ey)
      const t = along < 0 ? 0 : along > 1 ? 1 : along
      const dx = wx - ex * t
      const dy = wy - ey * t
      const square = dx * dx + dy * dy
      if (square < nearest) nearest = square
      if (py[i]! > y !== py[j]! > y && x < px[i]! + (ex * (y - py[i]!)) / ey) inside = !inside
    }
    return inside ? -Math.sqrt(nearest) : Math.sqrt(nearest)
  }
}

function starPoints(tips: number, outer: number, inner: number): [number, number][] {
  return Array.from({ length: 2 * tips }, (_, i) => {
    const angle = (Math.PI * i) / tips
    const r = i % 2 === 0 ? outer : inner
    return [r * Math.sin(angle), r * Math.cos(angle)]
  })
}

/** Area, centroid and radius by counting a fine lattice over [−1.5, 1.5]², which holds every outline. */
function centred(outline: Outline): Form {
  const cells = 240
  const cell = 3 / cells
  const inside: [number, number][] = []
  let sumX = 0
  let sumY = 0
  for (let r = 0; r < cells; r++) {
    for (let c = 0; c < cells; c++) {
      const x = (c + 0.5) * cell - 1.5
      const y = (r + 0.5) * cell - 1.5
      if (outline.signedDistance(x, y) >= 0) continue
      inside.push([x, y])
      sumX += x
      sumY += y
    }
  }
  const cx = sumX / inside.length
  const cy = sumY / inside.length
  const radius = inside.reduce((most, [x, y]) => Math.max(most, Math.hypot(x - cx, y - cy)), 0)
  return {
    name: outline.name,
    signedDistance: (x, y) => outline.signedDistance(x + cx, y + cy),
    area: inside.length * cell * cell,
    radius: radius + cell,
  }
}

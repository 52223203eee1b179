import type { Random } from '#shared/random/random.ts'
import { box, length, polygon } from './forms.ts'

/**
 * Distractors are objects that are no class. By construction none can be taken for one: every solid kind is convex or
 * nearly so, has no hole, and is never a triangle (polygons have four to seven corners, evenly spread); strokes are thin
 * open lines. Of the classes only the triangle is convex, and but for its notch the heart.
 */
export const distractorKinds = ['ellipse', 'polygon', 'bar', 'blob', 'stroke'] as const
export type DistractorKind = (typeof distractorKinds)[number]

export interface DistractorShape {
  kind: DistractorKind
  /** What `distractorDistance` needs, in units of the circle that holds the shape. */
  numbers: number[]
}

export function drawDistractorShape(random: Random): DistractorShape {
  const kind = distractorKinds[random.below(distractorKinds.length)]!
  switch (kind) {
    case 'ellipse':
      return { kind, numbers: [random.between(0.45, 1)] }
    case 'polygon': {
      const corners = 4 + random.below(4)
      const numbers: number[] = []
      for (let i = 0; i < corners; i++) {
        const angle = ((i + random.between(-0.15, 0.15)) * 2 * Math.PI) / corners
        numbers.push(Math.cos(angle), Math.sin(angle))
      }
      return { kind, numbers }
    }
    case 'bar':
      return { kind, numbers: [random.between(0.18, 0.6)] }
    case 'blob':
      return {
        kind,
        numbers: [random.between(0.04, 0.12), random.between(0, 2 * Math.PI), random.between(0.02, 0.07), random.between(0, 2 * Math.PI)],
      }
    case 'stroke': {
      // x runs from end to end, so the line never closes on itself.
      const numbers: number[] = [random.between(0.1, 0.16)]
      for (let i = 0; i < 5; i++) numbers.push((i / 4 - 0.5) * 1.6, random.between(-0.4, 0.4))
      return { kind, numbers }
    }
  }
}

/** Bounded signed distance (as of `Form`) of a shape inside the unit circle. */
export function distractorDistance(shape: DistractorShape): (x: number, y: number) => number {
  const n = shape.numbers
  switch (shape.kind) {
    case 'ellipse': {
      const minor = n[0]!
      return (x, y) => (length(x, y / minor) - 1) * minor
    }
    case 'polygon':
      return polygon(pairs(n))
    case 'bar': {
      const half = Math.sqrt(1 - n[0]! * n[0]!)
      return (x, y) => box(x, y, half, n[0]!)
    }
    case 'blob': {
      const rest = 1 - n[0]! - n[2]!
      const [c2, s2] = [n[0]! * Math.cos(n[1]!), n[0]! * Math.sin(n[1]!)]
      const [c3, s3] = [n[2]! * Math.cos(n[3]!), n[2]! * Math.sin(n[3]!)]
      return (x, y) => {
        // radius(θ) = rest + a·cos(2θ + φ) + b·cos(3θ + ψ), with cos 2θ and the like from x and y.
        const r = length(x, y) + 1e-12
        const u = x / r
        const v = y / r
        const double = c2 * (u * u - v * v) - s2 * 2 * u * v
        const triple = c3 * u * (u * u - 3 * v * v) - s3 * v * (3 * u * u - v * v)
        // The outline's slope is at most (2·.12 + 3·.07)/.62, hence the factor that keeps the bound.
        return (r - rest - double - triple) * 0.8
      }
    }
    case 'stroke': {
      const points = pairs(n.slice(1))
      return (x, y) => distanceToLine(points, x, y) - n[0]!
    }
  }
}

function pairs(numbers: readonly number[]): [number, number][] {
  return Array.from({ length: numbers.length / 2 }, (_, i) => [numbers[2 * i]!, numbers[2 * i + 1]!])
}

function distanceToLine(points: readonly (readonly [number, number])[], x: number, y: number): number {
  let nearest = Infinity
  for (let i = 1; i < points.length; i++) {
    const a = points[i - 1]!
    const b = points[i]!
    const ex = b[0] - a[0]
    const ey = b[1] - a[1]
    const t = Math.min(1, Math.max(0, ((x - a[0]) * ex + (y - a[1]) * ey) / (ex * ex + ey * ey)))
    nearest = Math.min(nearest, (x - a[0] - ex * t) ** 2 + (y - a[1] - ey * t) ** 2)
  }
  return Math.sqrt(nearest)
}

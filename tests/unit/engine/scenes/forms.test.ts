import { describe, expect, test } from 'vitest'
import { createRandom } from '#shared/random/random.ts'
import { distractorDistance, distractorKinds, drawDistractorShape } from '#engine/scenes/distractors.ts'
import { forms, unitRadius } from '#engine/scenes/forms.ts'

describe('forms', () => {
  test('areas agree with closed forms', () => {
    const area = Object.fromEntries(forms.map((form) => [form.name, form.area]))
    expect(area['ring']).toBeCloseTo(Math.PI * (1 - 0.25), 1)
    expect(area['frame']).toBeCloseTo(4 - 1.12 ** 2, 1)
    expect(area['cross']).toBeCloseTo(2 * 2 * 0.6 - 0.36, 1)
    expect(area['star']).toBeCloseTo(5 * 0.46 * Math.sin(Math.PI / 5), 1)
    expect(area['triangle']).toBeCloseTo((3 * Math.sqrt(3)) / 4, 1)
    expect(area['heart']).toBeCloseTo(1 + Math.PI / 4, 1)
    expect(area['hourglass']).toBeCloseTo(2 * 0.85 * (0.9 + 0.16), 1)
    expect(area['elbow']).toBeCloseTo(4 - 1.2 ** 2, 1)
  })

  test.each(forms.map((form) => [form.name, form] as const))('%s: the distance never changes faster than the place, the centroid is 0', (_name, form) => {
    const random = createRandom(7, form.name)
    let [x, y, inside, steepest, farthest] = [0, 0, 0, 0, 0]
    for (let n = 0; n < 10_000; n++) {
      const [ax, ay] = [random.between(-1.8, 1.8), random.between(-1.8, 1.8)]
      const [bx, by] = [ax + random.between(-0.2, 0.2), ay + random.between(-0.2, 0.2)]
      const change = Math.abs(form.signedDistance(ax, ay) - form.signedDistance(bx, by))
      steepest = Math.max(steepest, change / Math.hypot(ax - bx, ay - by))
      if (form.signedDistance(ax, ay) < 0) {
        farthest = Math.max(farthest, Math.hypot(ax, ay))
        x += ax
        y += ay
        inside++
      }
    }
    expect(steepest).toBeLessThanOrEqual(1 + 1e-6)
    expect(farthest).toBeLessThanOrEqual(form.radius)
    expect(Math.hypot(x, y) / inside).toBeLessThan(0.04)
    expect(form.radius / Math.sqrt(form.area)).toBeLessThanOrEqual(unitRadius)
  })

  test('at equal area no turn or mirroring lays one form over another', () => {
    const cells = 32
    const half = 1.1
    const raster = (n: number, angle: number, flip: number): Uint8Array => {
      const form = forms[n]!
      const scale = Math.sqrt(form.area)
      return Uint8Array.from({ length: cells * cells }, (_, i) => {
        const x = (((i % cells) + 0.5) / cells - 0.5) * 2 * half * scale
        const y = ((Math.floor(i / cells) + 0.5) / cells - 0.5) * 2 * half * scale
        const [c, s] = [Math.cos(angle), Math.sin(angle)]
        return form.signedDistance(flip * (c * x + s * y), c * y - s * x) < 0 ? 1 : 0
      })
    }
    const alike: string[] = []
    const upright = forms.map((_, n) => raster(n, 0, 1))
    for (let n = 0; n < forms.length; n++) {
      for (const flip of [1, -1]) {
        for (let turn = 0; turn < 48; turn++) {
          const turned = raster(n, (turn * Math.PI) / 24, flip)
          for (let m = 0; m < n; m++) {
            const both = turned.reduce((sum, v, i) => sum + (v & upright[m]![i]!), 0)
            const either = turned.reduce((sum, v, i) => sum + (v | upright[m]![i]!), 0)
            if (both / either > 0.85) alike.push(`${forms[n]!.name} over ${forms[m]!.name}`)
          }
        }
      }
    }
    expect(alike).toEqual([])
  })
})

describe('distractors', () => {
  test('lie in the unit circle and keep the bound of the distance', () => {
    const seen = new Set<string>()
    for (let seed = 0; seed < 60; seed++) {
      const random = createRandom(seed, 'shape')
      const shape = drawDistractorShape(random)
      seen.add(shape.kind)
      const distance = distractorDistance(shape)
      let [steepest, farthest] = [0, 0]
      for (let n = 0; n < 800; n++) {
        const [ax, ay] = [random.between(-1.5, 1.5), random.between(-1.5, 1.5)]
        const [bx, by] = [ax + random.between(-0.1, 0.1), ay + random.between(-0.1, 0.1)]
        const there = distance(ax, ay)
        if (there < 0) farthest = Math.max(farthest, Math.hypot(ax, ay))
        // A blob's bound holds about its outline, where it is used.
        if (shape.kind === 'blob' && (Math.abs(there) > 0.3 || Math.hypot(ax, ay) < 0.5)) continue
        steepest = Math.max(steepest, Math.abs(there - distance(bx, by)) / Math.hypot(ax - bx, ay - by))
      }
      expect(farthest).toBeLessThanOrEqual(1 + 1e-9)
      expect(steepest).toBeLessThanOrEqual(1.001)
    }
    expect(seen.size).toBe(distractorKinds.length)
  })

  test('solid ones nearly fill their convex hull and are no triangles', () => {
    const solidity = (distance: (x: number, y: number) => number): number => {
      const cell = 0.05
      const points: [number, number][] = []
      for (let x = -1.6; x <= 1.6; x += cell) for (let y = -1.6; y <= 1.6; y += cell) if (distance(x, y) < 0) points.push([x, y])
      // The hull of the cells, of which a hull of their centres lacks a half on every side.
      const corners = points.flatMap(([x, y]): [number, number][] => [-cell / 2, cell / 2].flatMap((d): [number, number][] => [[x + d, y - d], [x + d, y + d]]))
      return (points.length * cell * cell) / hullArea(corners)
    }
    const concave = forms.filter((form) => form.name !== 'triangle' && form.name !== 'heart')
    for (const form of concave) expect(solidity(form.signedDistance), form.name).toBeLessThan(0.86)
    for (let seed = 0; seed < 40; seed++) {
      const shape = drawDistractorShape(createRandom(seed, 'shape'))
      if (shape.kind === 'stroke') continue
      expect(solidity(distractorDistance(shape)), `${shape.kind} ${seed}`).toBeGreaterThan(0.9)
      if (shape.kind === 'polygon') expect(shape.numbers.length / 2).toBeGreaterThanOrEqual(4)
    }
  })
})

/** Andrew's monotone chain, then the shoelace formula. */
function hullArea(points: [number, number][]): number {
  const sorted = [...points].sort((a, b) => a[0] - b[0] || a[1] - b[1])
  const chain = (input: [number, number][]): [number, number][] => {
    const out: [number, number][] = []
    for (const p of input) {
      while (out.length >= 2) {
        const [a, b] = [out.at(-2)!, out.at(-1)!]
        if ((b[0] - a[0]) * (p[1] - a[1]) - (b[1] - a[1]) * (p[0] - a[0]) > 0) break
        out.pop()
      }
      out.push(p)
    }
    return out.slice(0, -1)
  }
  const hull = [...chain(sorted), ...chain([...sorted].reverse())]
  return Math.abs(hull.reduce((sum, p, i) => {
    const q = hull[(i + 1) % hull.length]!
    return sum + (p[0] * q[1] - q[0] * p[1]) / 2
  }, 0))
}

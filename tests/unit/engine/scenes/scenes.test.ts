import { describe, expect, test } from 'vitest'
import { forms, unitRadius } from '#engine/scenes/forms.ts'
import { rasterise } from '#engine/scenes/rasterise.ts'
import { drawRecipe, sceneKinds, sceneSize } from '#engine/scenes/recipe.ts'
import { composeScene, objectPlacement, renderScene, sceneClasses, type Scene } from '#engine/scenes/scenes.ts'

const size = sceneSize

function scenesFrom(first: number, count: number, kind: Scene['kind'] = 'scenes'): Scene[] {
  return Array.from({ length: count }, (_, i) => renderScene(first + i, kind))
}

function areaOf(mask: Uint8Array): number {
  return mask.reduce((sum, value) => sum + value, 0)
}

function boundsOf(mask: Uint8Array): { width: number; height: number; x: number; y: number } {
  const xs = [...mask.keys()].filter((i) => mask[i]).map((i) => i % size)
  const ys = [...mask.keys()].filter((i) => mask[i]).map((i) => Math.floor(i / size))
  const mean = (values: number[]): number => values.reduce((a, b) => a + b, 0) / values.length
  return { width: Math.max(...xs) - Math.min(...xs) + 1, height: Math.max(...ys) - Math.min(...ys) + 1, x: mean(xs), y: mean(ys) }
}

/** Pearson's chi-square of a table of counts against independence, with its degrees of freedom. */
function chiSquare(table: readonly (readonly number[])[]): { value: number; freedom: number } {
  const rows = table.map((row) => row.reduce((a, b) => a + b, 0))
  const columns = table[0]!.map((_, c) => table.reduce((sum, row) => sum + row[c]!, 0))
  const total = rows.reduce((a, b) => a + b, 0)
  let value = 0
  table.forEach((row, r) => row.forEach((count, c) => {
    const expected = (rows[r]! * columns[c]!) / total
    value += (count - expected) ** 2 / expected
  }))
  return { value, freedom: (table.length - 1) * (columns.length - 1) }
}

/** Beyond four standard deviations of the chi-square distribution (Wilson–Hilferty). */
function isExtreme({ value, freedom }: { value: number; freedom: number }): boolean {
  const v = 2 / (9 * freedom)
  return (Math.cbrt(value / freedom) - (1 - v)) / Math.sqrt(v) > 4
}

describe('scenes', () => {
  test.each(sceneKinds)('%s: values in [0, 1], areas from 4 to 15 percent, shorter side at least 12 px', (kind) => {
    for (const scene of scenesFrom(2_000_000, 150, kind)) {
      expect(scene.image).toMatchObject({ count: 1, height: 64, width: 64, channels: 3 })
      expect(scene.image.data.every((v) => v >= 0 && v <= 1)).toBe(true)
      expect(scene.objects).toHaveLength(kind === 'scenes-two' ? 2 : 1)
      expect(scene.recipe.distractors.length).toBeGreaterThanOrEqual(1)
      expect(scene.recipe.distractors.length).toBeLessThanOrEqual(3)
      for (const { mask } of scene.objects) {
        const share = areaOf(mask) / (size * size)
        expect(share).toBeGreaterThanOrEqual(0.04)
        expect(share).toBeLessThanOrEqual(0.15)
        const { width, height } = boundsOf(mask)
        expect(Math.min(width, height)).toBeGreaterThanOrEqual(12)
      }
    }
  })

  test('ten classes, each of which is drawn equally often', () => {
    expect(new Set(sceneClasses).size).toBe(10)
    const counts = sceneClasses.map(() => 0)
    for (let seed = 0; seed < 5000; seed++) counts[drawRecipe(seed).objects[0]!.class]!++
    // Standard deviation 21.
    for (const count of counts) expect(Math.abs(count - 500)).toBeLessThan(85)
  })

  test('the same seed gives the same bytes, another seed or kind other ones', () => {
    const bytes = (scene: Scene): string => Buffer.from(scene.image.data.buffer).toString('base64')
    for (const kind of sceneKinds) {
      const scene = renderScene(1234, kind)
      expect(bytes(renderScene(1234, kind))).toBe(bytes(scene))
      expect(bytes(renderScene(1235, kind))).not.toBe(bytes(scene))
    }
    expect(bytes(renderScene(1234, 'scenes-shifted'))).not.toBe(bytes(renderScene(1234)))
  })

  test('the mask is the coverage of at least a half, counted by 12×12 samples of every pixel', () => {
    for (const kind of sceneKinds) {
      for (const scene of scenesFrom(2_100_000, 6, kind)) {
        scene.objects.forEach(({ mask }, n) => {
          const object = scene.recipe.objects[n]!
          const form = forms[object.class]!
          const { scale } = objectPlacement(object)
          const [c, s] = [Math.cos(object.angle), Math.sin(object.angle)]
          let wrong = 0
          for (let i = 0; i < size * size; i++) {
            let inside = 0
            for (let k = 0; k < 144; k++) {
              const dx = (i % size) + ((k % 12) + 0.5) / 12 - object.x
              const dy = Math.floor(i / size) + (Math.floor(k / 12) + 0.5) / 12 - object.y
              // Turned back, mirrored back, scaled back.
              const u = ((object.mirrored ? -1 : 1) * (c * dx + s * dy)) / scale
              const v = (c * dy - s * dx) / scale
              if (form.signedDistance(u, v) < 0) inside++
            }
            // 25 samples of a straight edge are within a tenth of the share.
            if (Math.abs(inside / 144 - 0.5) > 0.1 && mask[i] !== (inside > 72 ? 1 : 0)) wrong++
          }
          expect(wrong).toBe(0)
        })
      }
    }
  })

  test('everything but the class is drawn without knowing it', () => {
    const rows = { centre: table(9), area: table(4), red: table(4), angle: table(4), distractors: table(3), ground: table(4) }
    for (let seed = 0; seed < 6000; seed++) {
      const { objects: [object], distractors, palette } = drawRecipe(seed)
      const { class: label, x, y, area, fill, angle } = object!
      const third = (v: number): number => (v < 26 ? 0 : v < 38 ? 1 : 2)
      rows.centre[label]![3 * third(y) + third(x)]!++
      rows.area[label]![Math.min(3, Math.floor((4 * Math.log(area / 204.8)) / Math.log(2.2)))]!++
      rows.red[label]![Math.min(3, Math.floor(4 * fill.colour[0]))]!++
      rows.angle[label]![Math.floor((4 * angle) / (2 * Math.PI))]!++
      rows.distractors[label]![distractors.length - 1]!++
      rows.ground[label]![Math.min(3, Math.floor(4 * palette[1]![2]))]!++
    }
    for (const counts of Object.values(rows)) expect(isExtreme(chiSquare(counts))).toBe(false)

    function table(columns: number): number[][] {
      return sceneClasses.map(() => new Array<number>(columns).fill(0))
    }
  })

  test('objects are often well off the centre, within the picture', () => {
    const distances: number[] = []
    for (let seed = 2_000_000; seed < 2_001_000; seed++) {
      const { x, y, area } = drawRecipe(seed).objects[0]!
      const room = unitRadius * Math.sqrt(area)
      expect(Math.min(x, y, size - x, size - y)).toBeGreaterThanOrEqual(room)
      distances.push(Math.hypot(x - size / 2, y - size / 2))
    }
    expect(distances.filter((d) => d > 8).length).toBeGreaterThan(600)
  })

  test('no distractor covers a pixel of an object, and no object another', () => {
    for (const kind of sceneKinds) {
      for (let seed = 2_000_000; seed < 2_000_040; seed++) {
        const whole = renderScene(seed, kind)
        const without = composeScene(whole.recipe, { withoutDistractors: true })
        let covered = 0
        for (const { mask } of whole.objects) {
          for (let i = 0; i < mask.length; i++) {
            if (mask[i] && [0, 1, 2].some((k) => whole.image.data[3 * i + k] !== without.image.data[3 * i + k])) covered++
          }
        }
        expect(covered).toBe(0)
        const [a, b] = whole.objects
        if (a && b) {
          expect(a.class).not.toBe(b.class)
          expect(a.mask.some((v, i) => v && b.mask[i])).toBe(false)
        }
      }
    }
  })
})

describe('paired renders', () => {
  test('without its objects a scene differs on them and nowhere else', () => {
    for (let seed = 2_000_000; seed < 2_000_040; seed++) {
      const whole = renderScene(seed)
      const without = renderScene(seed, 'scenes', { withoutObjects: true })
      expect(without.objects).toHaveLength(0)
      const { mask } = whole.objects[0]!
      const covered = new Set<number>()
      const object = whole.recipe.objects[0]!
      rasterise(forms[object.class]!.signedDistance, objectPlacement(object), size, size, (i) => covered.add(i))
      let changed = 0
      let elsewhere = 0
      for (let i = 0; i < mask.length; i++) {
        const differs = [0, 1, 2].some((k) => whole.image.data[3 * i + k] !== without.image.data[3 * i + k])
        if (differs && mask[i]) changed++
        if (differs && !covered.has(i)) elsewhere++
      }
      expect(elsewhere).toBe(0)
      expect(changed).toBeGreaterThan(0.95 * areaOf(mask))
    }
  })

  test('on another background the object stays and the rest changes', () => {
    for (let seed = 2_000_000; seed < 2_000_020; seed++) {
      const whole = renderScene(seed)
      const moved = renderScene(seed, 'scenes', { background: 1 })
      expect(moved.objects[0]!.mask).toEqual(whole.objects[0]!.mask)
      const { mask } = whole.objects[0]!
      let same = 0
      let kept = 0
      for (let i = 0; i < mask.length; i++) {
        const equal = [0, 1, 2].every((k) => whole.image.data[3 * i + k] === moved.image.data[3 * i + k])
        if (equal && mask[i]) kept++
        if (equal && !mask[i]) same++
      }
      expect(kept).toBeGreaterThan(0.6 * areaOf(mask))
      expect(same).toBeLessThan(0.45 * (mask.length - areaOf(mask)))
    }
  })
})

import { expect, test } from 'vitest'
import { contours } from '#shared/imaging/contours.ts'

const map = (height: number, width: number, values: number[]) => ({ height, width, data: Float32Array.from(values) })

test('a single high cell is ringed half way to its neighbours', () => {
  const found = contours(map(3, 3, [0, 0, 0, 0, 1, 0, 0, 0, 0]), 0.5)
  expect(found).toHaveLength(1)
  expect(found[0]!.closed).toBe(true)
  const points = new Set(Array.from({ length: 4 }, (_, i) => Array.from(found[0]!.points.slice(i * 2, i * 2 + 2)).join(' ')))
  expect(points).toEqual(new Set(['1.5 1', '2 1.5', '1.5 2', '1 1.5']))
})

test('a step runs from edge to edge of the map, where the values cross the level', () => {
  const found = contours(map(2, 2, [0, 1, 0, 1]), 0.25)
  expect(found).toHaveLength(1)
  expect(found[0]!.closed).toBe(false)
  const { points } = found[0]!
  expect(Array.from(points.filter((_, i) => i % 2 === 0))).toEqual(points.length === 8 ? [0.75, 0.75, 0.75, 0.75] : [])
  expect([points[1], points.at(-1)].sort()).toEqual([0, 2])
})

test('a constant map has no contour, at its own value either', () => {
  expect(contours(map(2, 3, [1, 1, 1, 1, 1, 1]), 0.5)).toEqual([])
  expect(contours(map(2, 3, [1, 1, 1, 1, 1, 1]), 1)).toEqual([])
})

test('high corners across from each other join only where the middle is high', () => {
  const apart = contours(map(2, 2, [1, 0, 0, 1]), 0.6)
  const joined = contours(map(2, 2, [1, 0, 0, 1]), 0.4)
  const cutsCorner = (point: { points: Float64Array }, x: number, y: number): boolean => {
    const middle = { x: (point.points[0]! + point.points.at(-2)!) / 2, y: (point.points[1]! + point.points.at(-1)!) / 2 }
    return Math.hypot(middle.x - x, middle.y - y) < 0.8
  }
  expect(apart.some((line) => cutsCorner(line, 0, 0)) && apart.some((line) => cutsCorner(line, 2, 2))).toBe(true)
  expect(joined.some((line) => cutsCorner(line, 2, 0)) && joined.some((line) => cutsCorner(line, 0, 2))).toBe(true)
})

test('a map of one cell', () => {
  expect(contours(map(1, 1, [1]), 0.5)).toEqual([])
})

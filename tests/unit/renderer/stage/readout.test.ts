import { expect, test } from 'vitest'
import { cellAt, pixelAt, rankAt, valueAt } from '#renderer/components/stage/readout.ts'

const view = { picture: { width: 100, height: 60 }, crop: { left: 20, top: 0, width: 60, height: 60 }, size: { width: 224, height: 224 } }
const map = { width: 2, height: 2, data: Float32Array.from([0.1, 0.9, 0.9, 0.4]) }

test('the cell below a point, within what the classifier saw', () => {
  expect(cellAt({ x: 20, y: 0 }, view, map)).toEqual({ column: 0, row: 0 })
  expect(cellAt({ x: 79.9, y: 30 }, view, map)).toEqual({ column: 1, row: 1 })
  expect(cellAt({ x: 19.9, y: 30 }, view, map)).toBeNull()
  expect(cellAt({ x: 80, y: 30 }, view, map)).toBeNull()
})

test('value and rank: the share of values that are higher', () => {
  expect(valueAt({ x: 70, y: 40 }, view, map)).toBeCloseTo(0.4)
  expect(rankAt({ x: 70, y: 40 }, view, map)).toBe(0.5)
  expect(rankAt({ x: 70, y: 10 }, view, map)).toBe(0)
  expect(rankAt({ x: 30, y: 10 }, view, map)).toBe(0.75)
  expect(rankAt({ x: 5, y: 10 }, view, map)).toBeNull()
})

test('the pixel below a point, or none beside the picture', () => {
  expect(pixelAt({ x: 99.9, y: 0.2 }, view.picture)).toEqual({ x: 99, y: 0 })
  expect(pixelAt({ x: 100, y: 0 }, view.picture)).toBeNull()
  expect(pixelAt({ x: -0.1, y: 0 }, view.picture)).toBeNull()
})

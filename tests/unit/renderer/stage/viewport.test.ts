import { expect, test } from 'vitest'
import { arrange, fitPart, fitScale, panBy, place, toCell, toPicture, zoomAt } from '#renderer/components/stage/viewport.ts'

const cell = { width: 300, height: 200 }
const picture = { width: 512, height: 430 }
const fitted = { zoom: 1, centre: { x: 0.5, y: 0.5 } }

test('fitted, the picture lies whole and centred in its cell', () => {
  const { scale, left, top } = place(cell, picture, fitted)
  expect(scale).toBeCloseTo(198 / 430)
  expect(top).toBeCloseTo(1)
  expect(left).toBeCloseTo((300 - 512 * scale) / 2)
})

test('the picture\'s point below the pointer stays there while zooming', () => {
  let look = fitted
  for (const [x, y, factor] of [[40, 150, 1.7], [290, 10, 2.3], [150, 100, 0.6], [0, 0, 1.1]] as const) {
    const before = toPicture({ x, y }, place(cell, picture, look))
    look = zoomAt({ x, y }, factor, cell, picture, look)
    const after = toCell(before, place(cell, picture, look))
    expect(after.x).toBeCloseTo(x, 8)
    expect(after.y).toBeCloseTo(y, 8)
  }
})

test('zoom ends at a quarter of fit and at 64 screen pixels per picture pixel', () => {
  const near = zoomAt({ x: 1, y: 1 }, 1e6, cell, picture, fitted)
  expect(fitScale(cell, picture) * near.zoom).toBeCloseTo(64)
  expect(zoomAt({ x: 1, y: 1 }, 1e-6, cell, picture, fitted).zoom).toBe(0.25)
})

test('a drag moves the picture by as many pixels, and never out of sight', () => {
  const look = { zoom: 3, centre: { x: 0.5, y: 0.5 } }
  const before = place(cell, picture, look)
  const after = place(cell, picture, panBy(12, -7, cell, picture, look))
  expect(after.left - before.left).toBeCloseTo(12)
  expect(after.top - before.top).toBeCloseTo(-7)
  expect(panBy(1e9, -1e9, cell, picture, look).centre).toEqual({ x: 0, y: 1 })
})

test('pictures are laid out where they become largest', () => {
  expect(arrange(4, { width: 636, height: 520 }, { width: 224, height: 224 })).toEqual({ columns: 2, rows: 2 })
  expect(arrange(2, { width: 636, height: 300 }, { width: 224, height: 224 })).toEqual({ columns: 2, rows: 1 })
  expect(arrange(2, { width: 300, height: 700 }, { width: 224, height: 224 })).toEqual({ columns: 1, rows: 2 })
  expect(arrange(4, { width: 2000, height: 300 }, { width: 224, height: 224 })).toEqual({ columns: 4, rows: 1 })
  expect(arrange(1, { width: 10, height: 10 }, picture)).toEqual({ columns: 1, rows: 1 })
})

test('the part that the classifier sees can fill the cell', () => {
  const part = { left: 68, top: 27, width: 376, height: 376 }
  const placed = place(cell, picture, fitPart(part, cell, picture))
  const corner = toCell({ x: part.left, y: part.top }, placed)
  const opposite = toCell({ x: part.left + part.width, y: part.top + part.height }, placed)
  expect([corner.y, opposite.y]).toEqual([expect.closeTo(1), expect.closeTo(199)])
  expect(corner.x + opposite.x).toBeCloseTo(300)
})

import { describe, expect, test } from 'vitest'
import type { MapData, View } from '#shared/domain/image.ts'
import { upsample } from '#shared/imaging/interpolation.ts'
import { placeMap } from '#shared/imaging/placement.ts'
import { createRandom } from '#shared/random/random.ts'

function randomMap(height: number, width: number): MapData {
  const random = createRandom(3, height, width)
  return { height, width, data: Float32Array.from({ length: height * width }, () => random.uniform()) }
}

function view(picture: [number, number], crop: [number, number, number, number], size: [number, number]): View {
  return {
    picture: { width: picture[0], height: picture[1] },
    crop: { left: crop[0], top: crop[1], width: crop[2], height: crop[3] },
    size: { width: size[0], height: size[1] },
  }
}

function window(map: MapData, left: number, top: number, width: number, height: number): number[] {
  return Array.from({ length: height }, (_, y) => [...map.data.subarray((top + y) * map.width + left, (top + y) * map.width + left + width)]).flat()
}

test('inside a crop larger than the map it is the half-pixel interpolation, outside it is 0', () => {
  const map = randomMap(7, 5)
  const { map: placed, scale } = placeMap(map, view([40, 30], [6, 4, 23, 19], [5, 7]))
  expect([placed.width, placed.height, scale]).toEqual([40, 30, 1])
  expect(window(placed, 6, 4, 23, 19)).toEqual([...upsample(map, 19, 23).data])
  expect(placed.data.filter((v) => v !== 0)).toHaveLength(23 * 19)
})

test('a crop of the map\'s own size takes its values as they are', () => {
  const map = randomMap(4, 4)
  const { map: placed } = placeMap(map, view([6, 6], [1, 2, 4, 4], [4, 4]))
  expect(window(placed, 1, 2, 4, 4)).toEqual([...map.data])
})

test('a crop smaller than the map takes means by area', () => {
  const map = randomMap(6, 9)
  const { map: placed } = placeMap(map, view([3, 2], [0, 0, 3, 2], [9, 6]))
  for (let y = 0; y < 2; y++) {
    for (let x = 0; x < 3; x++) {
      const block = window(map, 3 * x, 3 * y, 3, 3)
      expect(placed.data[y * 3 + x]).toBeCloseTo(block.reduce((a, b) => a + b) / 9, 6)
    }
  }
})

test('a size that is no whole part keeps the mean', () => {
  const map = randomMap(7, 7)
  const { map: placed } = placeMap(map, view([4, 4], [0, 0, 4, 4], [7, 7]))
  const mean = (data: Float32Array): number => data.reduce((a, b) => a + b, 0) / data.length
  expect(mean(placed.data)).toBeCloseTo(mean(map.data), 6)
})

describe('a picture longer than 2,048', () => {
  test('gets a map of 2,048, with the crop where it lies', () => {
    const map: MapData = { height: 8, width: 8, data: new Float32Array(64).fill(1) }
    const { map: placed, scale } = placeMap(map, view([12_000, 9_000], [1500, 0, 9000, 9000], [8, 8]))
    expect([placed.width, placed.height]).toEqual([2048, 1536])
    expect(scale).toBeCloseTo(2048 / 12_000, 12)
    // Columns whose centre, in the picture, is in [1500, 10500).
    const row = [...placed.data.subarray(0, 2048)]
    expect(row.indexOf(1)).toBe(Math.ceil(1500 * scale - 0.5))
    expect(row.lastIndexOf(1)).toBe(Math.ceil(10_500 * scale - 0.5) - 1)
    expect(placed.data.every((v) => v === 0 || v === 1)).toBe(true)
  })

  test('a linear map stays linear', () => {
    const map: MapData = { height: 1, width: 64, data: Float32Array.from({ length: 64 }, (_, i) => (i + 0.5) / 64) }
    const { map: placed } = placeMap(map, view([5000, 10], [0, 0, 5000, 10], [64, 1]))
    for (let x = 100; x < 1900; x += 37) expect(placed.data[x]).toBeCloseTo((x + 0.5) / 2048, 5)
  })
})

test('one pixel, and a picture so long that its shorter side would vanish', () => {
  const map: MapData = { height: 2, width: 2, data: Float32Array.of(1, 2, 3, 6) }
  expect([...placeMap(map, view([1, 1], [0, 0, 1, 1], [2, 2])).map.data]).toEqual([3])
  const thin = placeMap(map, view([9000, 1], [0, 0, 9000, 1], [2, 2])).map
  expect([thin.width, thin.height]).toEqual([2048, 1])
})

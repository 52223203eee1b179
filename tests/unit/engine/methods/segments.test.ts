import { describe, expect, test } from 'vitest'
import { toLab } from '#engine/methods/segments/lab.ts'
import { connectedParts, enforceConnected } from '#engine/methods/segments/labels.ts'
import { quickshift } from '#engine/methods/segments/quickshift.ts'
import { slic } from '#engine/methods/segments/slic.ts'
import { renderScene } from '#engine/scenes/scenes.ts'
import { createRandom } from '#shared/random/random.ts'

const { image: scene } = renderScene(1_000_003)
const sceneFrame = { height: 64, width: 64, channels: 3 }
const published = { kernel: 4, maxDistance: 200, ratio: 0.2 }

/** Left half one colour, right half another. */
function halves(height: number, width: number): Float32Array {
  const colours = [[0.9, 0.2, 0.1], [0.1, 0.3, 0.9]]
  return Float32Array.from({ length: height * width * 3 }, (_, i) => colours[Math.floor(i / 3) % width < width / 2 ? 0 : 1]![i % 3]!)
}

function expectComplete(labels: Int32Array, count: number): void {
  expect([...new Set(labels)].sort((a, b) => a - b)).toEqual(Array.from({ length: count }, (_, k) => k))
}

test('CIELAB of white, black, grey and the primaries', () => {
  const lab = (...rgb: number[]): number[] => [...toLab({ height: 1, width: 1, channels: rgb.length }, Float32Array.from(rgb))]
  const near = (given: number[], wanted: number[]): void => given.forEach((value, i) => expect(Math.abs(value - wanted[i]!)).toBeLessThan(0.02))
  near(lab(1, 1, 1), [100, 0, 0])
  near(lab(0, 0, 0), [0, 0, 0])
  near(lab(1, 0, 0), [53.24, 80.09, 67.2])
  near(lab(0, 1, 0), [87.73, -86.18, 83.18])
  near(lab(0, 0, 1), [32.3, 79.19, -107.86])
  near(lab(0.5), lab(0.5, 0.5, 0.5))
})

test('pieces become segments of their own, small ones join the neighbour with the longest border', () => {
  // One label in two pieces, and one pixel of another.
  const labels = Int32Array.of(0, 0, 1, 0, 0, 2, 1, 0, 0, 0, 1, 0)
  expect(connectedParts(labels, 3, 4)).toEqual({ labels: Int32Array.of(0, 0, 1, 2, 0, 3, 1, 2, 0, 0, 1, 2), count: 4 })
  expect(enforceConnected(labels, 3, 4, 2)).toEqual({ labels: Int32Array.of(0, 0, 1, 2, 0, 0, 1, 2, 0, 0, 1, 2), count: 3 })
  // Chains of small ones end in one.
  expect(enforceConnected(Int32Array.of(0, 1, 2, 3), 1, 4, 5).count).toBe(1)
})

describe('SLIC', () => {
  test('gives the grid on a flat image', () => {
    const { labels, count } = slic({ height: 32, width: 48, channels: 1 }, new Float32Array(32 * 48).fill(0.4), 24, 10)
    expect(count).toBe(24)
    labels.forEach((label, i) => expect(label).toBe(Math.floor(i / 48 / 8) * 6 + Math.floor((i % 48) / 8)))
  })

  test.each([10, 50, 120])('cuts a scene into about %i connected segments', (wanted) => {
    const { labels, count } = slic(sceneFrame, scene.data, wanted, 10)
    expectComplete(labels, count)
    expect(connectedParts(labels, 64, 64).count).toBe(count)
    expect(Math.abs(count / wanted - 1)).toBeLessThan(0.35)
    expect(slic(sceneFrame, scene.data, wanted, 10).labels).toEqual(labels)
  })

  test('keeps to edges of colour, and to squares where it is told to', () => {
    // 17 columns of cells: the grid does not know of the edge.
    const crossing = (compactness: number): number => {
      const { labels, count } = slic({ height: 34, width: 34, channels: 3 }, halves(34, 34), 9, compactness)
      const sides = Array.from({ length: count }, () => new Set<boolean>())
      labels.forEach((label, i) => sides[label]!.add(i % 34 < 17))
      return sides.filter((side) => side.size === 2).length
    }
    expect(crossing(10)).toBe(0)
    expect(crossing(1000)).toBe(3)
  })

  test('cannot have more segments than pixels', () => {
    expect(slic({ height: 2, width: 3, channels: 3 }, createPixels(18), 50, 10).count).toBe(6)
  })
})

describe('quickshift', () => {
  const cut = (seed: number): ReturnType<typeof quickshift> => quickshift(sceneFrame, scene.data, published, createRandom(seed, 'q'))

  test('labels every pixel, the same for the same seed', () => {
    const { labels, count } = cut(1)
    expectComplete(labels, count)
    expect(count).toBeGreaterThan(5)
    expect(count).toBeLessThan(400)
    expect(cut(1).labels).toEqual(labels)
  })

  test('keeps to edges of colour', () => {
    const { labels, count } = quickshift({ height: 16, width: 16, channels: 3 }, halves(16, 16), { ...published, maxDistance: 20 }, createRandom(2, 'q'))
    const left = new Set([...labels].filter((_, i) => i % 16 < 8))
    const right = new Set([...labels].filter((_, i) => i % 16 >= 8))
    expect([...left].filter((label) => right.has(label))).toEqual([])
    expect(left.size + right.size).toBe(count)
  })

  test('cuts an image and its enlargement into segments of about the same number', () => {
    const small = halves(16, 16)
    const large = halves(32, 32)
    const options = { ...published, maxDistance: 60, kernel: 12 }
    const counts = [
      quickshift({ height: 16, width: 16, channels: 3 }, small, options, createRandom(3, 'q')).count,
      quickshift({ height: 32, width: 32, channels: 3 }, large, options, createRandom(3, 'q')).count,
    ]
    expect(Math.abs(counts[0]! - counts[1]!)).toBeLessThanOrEqual(4)
  })
})

function createPixels(length: number): Float32Array {
  const random = createRandom(9, 'pixels')
  return Float32Array.from({ length }, () => random.uniform())
}

import { expect, test } from 'vitest'
import type { colormapIds} from '#shared/imaging/colormap.ts';
import { colormap, colourIndex, divergingColormaps, sequentialColormaps } from '#shared/imaging/colormap.ts'

function colourAt(id: (typeof colormapIds)[number], i: number): number[] {
  return [...colormap(id).table.subarray(i * 3, i * 3 + 3)]
}

/** CIE lightness L* of an sRGB colour. */
function lightness([r, g, b]: number[]): number {
  const linear = [r!, g!, b!].map((v) => (v / 255 <= 0.04045 ? v / 255 / 12.92 : ((v / 255 + 0.055) / 1.055) ** 2.4))
  const y = 0.2126 * linear[0]! + 0.7152 * linear[1]! + 0.0722 * linear[2]!
  return y > 0.008856 ? 116 * Math.cbrt(y) - 16 : 903.3 * y
}

test('viridis, magma and inferno have the published ends (matplotlib, _cm_listed.py)', () => {
  expect(colourAt('viridis', 0)).toEqual([68, 1, 84])
  expect(colourAt('viridis', 255)).toEqual([253, 231, 37])
  expect(colourAt('magma', 0)).toEqual([0, 0, 4])
  expect(colourAt('magma', 255)).toEqual([252, 253, 191])
  expect(colourAt('inferno', 255)).toEqual([252, 255, 164])
})

test('sequential scales but turbo get steadily lighter, so that greyscale print keeps their order', () => {
  for (const id of sequentialColormaps.filter((s) => s !== 'turbo')) {
    const steps = Array.from({ length: 256 }, (_, i) => lightness(colourAt(id, i)))
    const falls = steps.slice(1).map((l, i) => l - steps[i]!).filter((step) => step < -0.5)
    expect(falls, id).toEqual([])
    expect(steps[255]! - steps[0]!, id).toBeGreaterThan(60)
  }
})

test('diverging scales are lightest in the middle; the high end is warm', () => {
  for (const id of divergingColormaps) {
    const steps = Array.from({ length: 256 }, (_, i) => lightness(colourAt(id, i)))
    expect(Math.abs(steps.indexOf(Math.max(...steps)) - 127.5), id).toBeLessThan(8)
    const [red, , blue] = colourAt(id, 230)
    expect(red!, id).toBeGreaterThan(blue!)
  }
})

test('colourIndex clips', () => {
  expect([-1, 0, 0.5, 1, 2].map(colourIndex)).toEqual([0, 0, 128, 255, 255])
})

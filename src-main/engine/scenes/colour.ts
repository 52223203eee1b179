import type { Random } from '#shared/random/random.ts'

/** Red, green, blue in [0, 1]. */
export type Rgb = readonly [number, number, number]

/** Euclidean distance in RGB, in [0, √3]. */
export function colourDistance(a: Rgb, b: Rgb): number {
  return Math.hypot(a[0] - b[0], a[1] - b[1], a[2] - b[2])
}

export function drawColour(random: Random): Rgb {
  return [random.between(0.04, 0.96), random.between(0.04, 0.96), random.between(0.04, 0.96)]
}

/** Three colours about a common one: what a texture is made of. Their contrast is drawn too. */
export function drawPalette(random: Random): Rgb[] {
  const base = drawColour(random)
  const contrast = random.between(0.12, 0.3)
  return [0, 1, 2].map((): Rgb => [
    clampUnit(base[0] + random.between(-contrast, contrast)),
    clampUnit(base[1] + random.between(-contrast, contrast)),
    clampUnit(base[2] + random.between(-contrast, contrast)),
  ])
}

/** Distance from the nearest colour of the palette: a small one blends in. */
export function distanceFromPalette(colour: Rgb, palette: readonly Rgb[]): number {
  return Math.min(...palette.map((entry) => colourDistance(colour, entry)))
}

export function clampUnit(value: number): number {
  return value < 0 ? 0 : value > 1 ? 1 : value
}

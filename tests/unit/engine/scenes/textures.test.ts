import { expect, test } from 'vitest'
import { createRandom } from '#shared/random/random.ts'
import { commonFamilies, renderTexture, shiftedFamilies } from '#engine/scenes/textures.ts'

test.each([...commonFamilies, ...shiftedFamilies])('%s fills any size with varied values in [0, 1]', (family) => {
  for (const [height, width] of [[64, 64], [37, 90], [224, 224]] as const) {
    const texture = renderTexture(createRandom(3, family), height, width, { families: [family] })
    expect(texture).toHaveLength(height * width * 3)
    expect(texture.every((v) => v >= 0 && v <= 1)).toBe(true)
    const mean = texture.reduce((a, b) => a + b, 0) / texture.length
    const variance = texture.reduce((a, b) => a + (b - mean) ** 2, 0) / texture.length
    expect(variance).toBeGreaterThan(1e-4)
  }
})

test('no family of training scenes is one of scenes-shifted', () => {
  expect(commonFamilies.filter((family) => shiftedFamilies.includes(family))).toEqual([])
})

test('the same stream gives the same texture', () => {
  const draw = (seed: number): Float32Array => renderTexture(createRandom(seed, 'fill'), 40, 40)
  expect(draw(5)).toEqual(draw(5))
  expect(draw(5)).not.toEqual(draw(6))
})

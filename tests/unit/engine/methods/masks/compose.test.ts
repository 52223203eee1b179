import { describe, expect, test } from 'vitest'
import { compose, inPlace, pullBack, type Frame, type Side } from '#engine/methods/masks/compose.ts'
import { createRandom } from '#shared/random/random.ts'

const frame: Frame = { height: 4, width: 5, channels: 3 }
const random = createRandom(7, 'test')
const picture = (): Float32Array => Float32Array.from({ length: 60 }, () => random.uniform())
const image = picture()
const fill = picture()
const mask = Float32Array.from({ length: 20 }, () => random.uniform())

const places = [inPlace, { down: 1, right: -2, flip: false }, { down: -3, right: 1, flip: true }, { down: 0, right: 0, flip: true }]

describe.each(['preserve', 'delete'] as Side[])('%s', (side) => {
  test.each(places)('shows the moved image under its moved mask, the fill elsewhere: %o', (place) => {
    const out = new Float32Array(60)
    compose(frame, image, mask, fill, side, place, out)
    for (let y = 0; y < 4; y++) {
      for (let x = 0; x < 5; x++) {
        const fromY = y - place.down
        const moved = x - place.right
        const inside = fromY >= 0 && fromY < 4 && moved >= 0 && moved < 5
        const fromX = place.flip ? 4 - moved : moved
        for (let c = 0; c < 3; c++) {
          const b = fill[(y * 5 + x) * 3 + c]!
          const m = inside ? mask[fromY * 5 + fromX]! : 0
          const kept = !inside ? 0 : side === 'preserve' ? m : 1 - m
          const v = inside ? image[(fromY * 5 + fromX) * 3 + c]! : 0
          expect(out[(y * 5 + x) * 3 + c]!).toBeCloseTo(v * kept + b * (1 - kept), 6)
        }
      }
    }
  })

  test.each(places)('pulls a gradient back: ⟨g, ∂x̃/∂m·δ⟩ = ⟨pullBack g, δ⟩ (composition is affine in m) %o', (place) => {
    const gradient = picture()
    const delta = Float32Array.from({ length: 20 }, () => random.between(-1, 1))
    const at = (m: Float32Array): Float32Array => {
      const out = new Float32Array(60)
      compose(frame, image, m, fill, side, place, out)
      return out
    }
    const base = at(mask)
    const moved = at(mask.map((m, i) => m + delta[i]!))
    const forward = gradient.reduce((sum, g, i) => sum + g * (moved[i]! - base[i]!), 0)
    const back = new Float32Array(20).fill(1)
    pullBack(frame, image, fill, side, place, gradient, 2, back)
    const backward = back.reduce((sum, g, i) => sum + ((g - 1) / 2) * delta[i]!, 0)
    expect(backward).toBeCloseTo(forward, 4)
  })
})

test('with nothing hidden the image comes back, with everything hidden the fill', () => {
  const out = new Float32Array(60)
  compose(frame, image, new Float32Array(20).fill(1), fill, 'preserve', inPlace, out)
  out.forEach((value, i) => expect(value).toBeCloseTo(image[i]!, 6))
  compose(frame, image, new Float32Array(20), fill, 'preserve', inPlace, out)
  expect(out).toEqual(fill)
})

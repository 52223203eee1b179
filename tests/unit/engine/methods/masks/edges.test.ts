import { expect, test } from 'vitest'
import { createEdgeFollowing } from '#engine/methods/masks/edges.ts'
import { averagePrecision } from '#engine/metrics/average-precision.ts'
import { renderScene } from '#engine/scenes/scenes.ts'
import { upsample } from '#shared/imaging/interpolation.ts'
import { createRandom } from '#shared/random/random.ts'
import { analyticClassifier } from '../../../../fixtures/analytic-classifier.ts'
import { run } from '../method-runs.ts'
import { randomImages, single } from '../neuromask-runs.ts'

/** Dark left of a column, bright right of it. */
function halves(height: number, width: number, border: number): Float32Array {
  return Float32Array.from({ length: height * width * 3 }, (_, i) => (Math.floor(i / 3) % width < border ? 0.1 : 0.9))
}

const sum = (values: ArrayLike<number>): number => Array.from(values).reduce((a, b) => a + b, 0)

test('a coarse map that lies across an edge ends there; its mean and its range stay', () => {
  const frame = { height: 32, width: 32, channels: 3 }
  // Cells of 8 pixels: the border lies within the second of them.
  const map = { height: 4, width: 4, data: Float32Array.from({ length: 16 }, (_, i) => (i % 4 < 2 ? 1 : 0)) }
  const large = upsample(map, 32, 32).data
  const edges = createEdgeFollowing(frame, halves(32, 32, 13), { share: 1, segments: 8 })!
  const { data, height, width } = edges.apply(map)
  expect([height, width]).toEqual([32, 32])
  expect(sum(data)).toBeCloseTo(sum(large), 2)
  for (let y = 0; y < 32; y++) {
    const step = (map: Float32Array): number => map[32 * y + 12]! - map[32 * y + 13]!
    expect(step(data)).toBeGreaterThan(2 * step(large))
  }
  const object = Uint8Array.from({ length: 1024 }, (_, i) => (i % 32 < 13 ? 1 : 0))
  expect(averagePrecision(data, object)).toBeGreaterThan(0.999)
  expect(Math.min(...data)).toBeGreaterThanOrEqual(0)
  expect(Math.max(...data)).toBeLessThanOrEqual(1 + 1e-6)

  // Half of it is half of it, and none is nothing at all.
  const half = createEdgeFollowing(frame, halves(32, 32, 13), { share: 0.5, segments: 8 })!.apply(map).data
  half.forEach((value, i) => expect(value).toBeCloseTo((data[i]! + large[i]!) / 2, 6))
  expect(createEdgeFollowing(frame, halves(32, 32, 13), { share: 0, segments: 8 })).toBeNull()
})

test('blurred objects of scenes come nearer to themselves, and no object leaves a flat map flat', () => {
  let [before, after] = [0, 0]
  for (let seed = 1_000_000; seed < 1_000_010; seed++) {
    const { image, objects } = renderScene(seed)
    const object = objects[0]!.mask
    // What cells of 8 pixels know of it.
    const map = { height: 8, width: 8, data: new Float32Array(64) }
    object.forEach((value, i) => (map.data[(i >> 9) * 8 + ((i & 63) >> 3)]! += value / 64))
    const edges = createEdgeFollowing({ height: 64, width: 64, channels: 3 }, image.data, { share: 0.5, segments: 20 })!
    before += averagePrecision(upsample(map, 64, 64).data, object) / 10
    after += averagePrecision(edges.apply(map).data, object) / 10
    const flat = edges.apply({ height: 2, width: 2, data: new Float32Array(4).fill(0.25) }).data
    flat.forEach((value) => expect(value).toBeCloseTo(0.25, 6))
  }
  expect(after).toBeGreaterThan(before + 0.02)
})

test('of a large image the map is kept at no more than 128 pixels along the shorter side', () => {
  const random = createRandom(1, 'large')
  const edges = createEdgeFollowing({ height: 224, width: 300, channels: 3 }, Float32Array.from({ length: 224 * 300 * 3 }, () => random.uniform()), { share: 0.5, segments: 20 })!
  const { height, width, data } = edges.apply({ height: 7, width: 9, data: new Float32Array(63).fill(1) })
  expect([height, width, data.length]).toEqual([112, 150, 112 * 150])
})

test.each([
  ['neuromask', { iterations: 12, resolution: 5 }, 1],
  ['sensitivity-mask', { queries: 160, pairs: 4, resolution: 5 }, 0],
])('%s along edges: one size from first to last, no values before a sigmoid, the same in a batch and alone', async (id, set, judged) => {
  const classifier = analyticClassifier({ height: 12, width: 12, seed: 5 })
  const images = randomImages(2, 12, 12, 3)
  const given = { ...set, 'edges': 0.5, 'edge-segments': 6 }
  const { steps, explanations } = await run(id, classifier, images, given)
  for (const { frame } of steps) if (frame) expect([frame.height, frame.width]).toEqual([12, 12])
  const [one] = explanations
  expect(one!.own.data).toEqual(one!.saliency.data)
  expect(steps.findLast(({ image }) => image === 0)!.frame!.data).toEqual(one!.own.data)
  expect(one!.ranking).toBeUndefined()
  const alone = await run(id, classifier, single(images, 1), given, { seeds: [1] })
  expect(alone.explanations[0]!.saliency.data).toEqual(explanations[1]!.saliency.data)
  // Without it the map is the coarse one, of which this is half.
  const plain = (await run(id, classifier, images, { ...set, edges: 0 })).explanations[0]!
  expect(plain.ranking).toBeDefined()
  expect(plain.own.height).toBe(5)
  const edges = createEdgeFollowing({ height: 12, width: 12, channels: 3 }, single(images, 0).data, { share: 0.5, segments: 6 })!
  expect(edges.apply(plain.own).data).toEqual(one!.own.data)
  // NeuroMask's probability is that of what is shown; the other's that of the mask alone, and it says so.
  expect(one!.probability.masked === plain.probability.masked).toBe(judged === 0)
  expect(one!.notes.some((note) => note.startsWith('The masked probability is that of the mask alone'))).toBe(judged === 0)
})

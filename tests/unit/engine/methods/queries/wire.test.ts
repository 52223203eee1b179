import { expect, test } from 'vitest'
import { Album, createPacker, unpack } from '#engine/methods/queries/wire.ts'
import { createRandom } from '#shared/random/random.ts'

const frame = { height: 6, width: 5, channels: 3 }
const random = createRandom(4, 'wire')
const picture = (): Float32Array => Float32Array.from({ length: 90 }, () => random.uniform())
const labels = (): Int32Array => Int32Array.from({ length: 30 }, () => random.below(4))

/** Sends shares in any order of their fills and labels. @returns pictures that were sent */
function send(fills: readonly Float32Array[], segmentations: readonly Int32Array[], shares: number): number {
  const image = picture()
  const pack = createPacker()
  const [middle, helper] = [new Album(), new Album()]
  let sent = 0
  let latest = 0
  for (let i = 0; i < shares; i++) {
    const fill = fills[random.below(fills.length)]!
    const segments = segmentations[random.below(segmentations.length)]!
    const work = pack({ scene: { frame, image, fill, side: 'delete' }, masks: { form: 'segments', count: 1, segments: 4, labels: segments, values: Float32Array.of(0, 1, 0.5, i) } })
    sent += work.pictures.length
    middle.add(work.pictures)
    // A helper hears of every other share only.
    if (i % 2 === 1) continue
    const news = middle.after(latest)
    latest = news.at(-1)?.number ?? latest
    helper.add(news)
    const { scene, masks } = unpack(work, helper)
    expect(scene).toEqual({ frame, image, fill, side: 'delete' })
    expect(masks).toMatchObject({ form: 'segments', labels: segments, values: Float32Array.of(0, 1, 0.5, i) })
  }
  return sent
}

test('the pictures of DE-CAM, of four islands with their own fills and segments, are sent once each', () => {
  expect(send(Array.from({ length: 4 }, picture), Array.from({ length: 4 }, labels), 300)).toBe(9)
})

test('of more pictures than are kept every share still has its own', () => {
  expect(send(Array.from({ length: 40 }, picture), Array.from({ length: 20 }, labels), 600)).toBeGreaterThan(100)
})

test('a fill that is written over is another picture', () => {
  const pack = createPacker()
  const [image, fill] = [picture(), picture()]
  const masks = { form: 'boxes' as const, count: 1, boxes: Int32Array.of(0, 2, 0, 2) }
  const first = pack({ scene: { frame, image, fill, side: 'preserve' }, masks })
  fill[0] = 2
  const second = pack({ scene: { frame, image, fill, side: 'preserve' }, masks })
  expect([first.pictures.length, second.pictures.length]).toEqual([2, 1])
  expect(second.image).toBe(first.image)
})

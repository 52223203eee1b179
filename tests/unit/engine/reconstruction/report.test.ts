import { expect, test } from 'vitest'
import { randomMask, salientColour } from '#engine/reconstruction/report-controls.ts'
import { realSpread, sampleSpread } from '#engine/reconstruction/report-diversity.ts'
import { nearestDistance } from '#engine/reconstruction/report-memorising.ts'
import type { ReportData, ReportSubjects } from '#engine/reconstruction/report-subjects.ts'
import { makeReport } from '#engine/reconstruction/report.ts'
import type { BareReport } from '#engine/reconstruction/report-tables.ts'
import { createRandom } from '#shared/random/random.ts'

/** Pictures of 8×8: the class is the brightest quadrant. Both classifiers know that exactly. */
const side = 8
const pixels = side * side
const classes = 4
const settings = { seed: 3, samples: 16, temperatures: [0, 0.5, 1, 2], curveImages: 1000 }

function quadrant(pixel: number): number {
  return 2 * Number(Math.floor(pixel / side) >= side / 2) + Number(pixel % side >= side / 2)
}

function seenClasses(images: Float32Array): Int32Array {
  return Int32Array.from({ length: images.length / pixels }, (_, i) => {
    const sums = [0, 0, 0, 0]
    for (let p = 0; p < pixels; p++) sums[quadrant(p)]! += images[i * pixels + p]!
    return sums.indexOf(Math.max(...sums))
  })
}

function drawImages(seed: number, own: Int32Array): Uint8Array {
  const random = createRandom(seed, 'pictures')
  return Uint8Array.from({ length: own.length * pixels }, (_, at) => {
    const p = at % pixels
    // The first pixel is the same everywhere.
    return p === 0 ? 7 : quadrant(p) === own[Math.floor(at / pixels)] ? 180 + random.below(60) : random.below(100)
  })
}

const cycle = (count: number): Int32Array => Int32Array.from({ length: count }, (_, i) => i % classes)

/** The mask is the class's own quadrant. */
function planted(count: number): ReportData {
  const outcomes = cycle(count)
  const images = Float32Array.from(drawImages(1, outcomes), (byte) => byte / 255)
  const masks = Float32Array.from({ length: count * pixels }, (_, at) => (quadrant(at % pixels) === outcomes[Math.floor(at / pixels)] ? 1 : 0))
  return {
    height: side, width: side, channels: 1, classes,
    test: { images, masks, outcomes, judged: outcomes, labels: outcomes.map((own, i) => (i % 10 === 9 ? (own + 1) % classes : own)) },
    seen: { images: drawImages(2, cycle(40)), classes: cycle(40) }, unseen: { images: drawImages(3, cycle(40)), classes: cycle(40) },
  }
}

/** Encodes to the salient input itself, without noise; what it decodes is up to the test. */
function subjects(decode: ReportSubjects['decode'], changes: Partial<ReportSubjects> = {}): ReportSubjects {
  const classify = (images: Float32Array): Promise<Int32Array> => Promise.resolve(seenClasses(images))
  return {
    latent: pixels, conditional: false, decode, classify, judge: classify,
    encode: (salient) => Promise.resolve({ mean: salient, logVariance: new Float32Array(salient.length).fill(-2000) }), ...changes,
  }
}

const identity = (latents: Float32Array): Promise<Float32Array> => Promise.resolve(latents.slice())

async function report(of: ReportSubjects, data: ReportData, changes: Partial<typeof settings> = {}, signal = new AbortController().signal): Promise<BareReport> {
  const steps = makeReport(of, data, { ...settings, ...changes }, signal)
  for (;;) {
    const step = await steps.next()
    if (step.done) return step.value
    expect(step.value.all).toBe(data.test.outcomes.length)
  }
}

test('a generator that gives its input back: everything kept, nothing varied', async () => {
  const found = await report(subjects(identity), planted(60))
  expect(found).toMatchObject({
    images: 60, inLoop: 1, rawAgreement: { mean: 1, low: 1, high: 1 }, judgeOnClean: 1, classifierAccuracy: 0.9, judgeAccuracy: 0.9,
    // Black is class 0 to the classifiers, and so are a quarter of the images.
    controls: { empty: 0.25, swapped: 1, maskAlone: 1, salientUndecoded: 1, randomOfClass: 1 },
    judgeControls: { empty: 0.25, swapped: 1 },
    diversity: { outside: 0, inside: 0 },
    confusion: [[15, 0, 0, 0], [0, 15, 0, 0], [0, 0, 15, 0], [0, 0, 0, 15]],
  })
  expect(found.acceptance.map(({ temperature, rate }) => [temperature, rate])).toEqual([[0, 1], [0.5, 1], [1, 1], [2, 1]])
  expect(found.perClass.map((own) => [own.class, own.images, own.inLoop, own.empty])).toEqual([[0, 15, 1, 1], [1, 15, 1, 0], [2, 15, 1, 0], [3, 15, 1, 0]])
  expect(found.diversity.outsideReal).toBeGreaterThan(0)
  // Some blobs hit the object.
  expect(found.controls.randomMask).toBeLessThan(1)
})

test('a constant generator keeps its own class alone, whatever it is given', async () => {
  const constant = Float32Array.from({ length: pixels }, (_, p) => (quadrant(p) === 2 ? 0.9 : 0.1))
  const decode = (latents: Float32Array): Promise<Float32Array> => Promise.resolve(Float32Array.from({ length: latents.length }, (_, at) => constant[at % pixels]!))
  const found = await report(subjects(decode), planted(80))
  expect(found).toMatchObject({ inLoop: 0.25, rawAgreement: { mean: 0.25 }, controls: { empty: 0.25, randomMask: 0.25, maskAlone: 0.25 } })
  expect(found.confusion.map((row) => row[2])).toEqual([20, 20, 20, 20])
  expect(found.intervals.inLoop.low).toBeLessThan(0.25)
  expect(found.intervals.inLoop.high).toBeGreaterThan(0.25)
})

test('a generator that copies training images is found out; one as near to unseen ones is not', async () => {
  const data = planted(40)
  const copying = (images: Uint8Array) => (latents: Float32Array): Promise<Float32Array> => Promise.resolve(Float32Array.from({ length: latents.length }, (_, at) => images[at % images.length]! / 255))
  expect((await report(subjects(copying(data.seen.images)), data)).memorising).toEqual({ p: 1, high: 1 })
  expect((await report(subjects(copying(data.unseen.images)), data)).memorising).toEqual({ p: 0, high: 0 })
  const { p, high } = (await report(subjects(identity), { ...data, unseen: data.seen })).memorising
  expect([p, high]).toEqual([0.5, 0.5])
})

test('a generator that ignores its input keeps as much with it as without; one that is told the class follows that', async () => {
  // Which quadrant is bright follows from the noise alone.
  const drawClass = (latents: Float32Array): Promise<Float32Array> => Promise.resolve(Float32Array.from({ length: latents.length }, (_, at) => {
    const own = 2 * Number(latents[at - (at % pixels)]! > 0) + Number(latents[at - (at % pixels) + 1]! > 0)
    return quadrant(at % pixels) === own ? 0.9 : 0.1
  }))
  const encode: ReportSubjects['encode'] = (salient) => Promise.resolve({ mean: new Float32Array(salient.length), logVariance: new Float32Array(salient.length) })
  const ignoring = await report(subjects(drawClass, { encode }), planted(200))
  expect(Math.abs(ignoring.inLoop - 0.25)).toBeLessThan(0.1)
  expect(ignoring.controls.empty).toBe(ignoring.inLoop)
  expect(Math.abs(ignoring.acceptance.find(({ temperature }) => temperature === 1)!.rate - 0.25)).toBeLessThan(0.03)
  const told: ReportSubjects['decode'] = (latents, given) => Promise.resolve(Float32Array.from({ length: latents.length }, (_, at) => (quadrant(at % pixels) === given![Math.floor(at / pixels)] ? 0.9 : 0.1)))
  expect(await report(subjects(told, { encode, conditional: true }), planted(40))).toMatchObject({ inLoop: 1, controls: { empty: 1, randomMask: 1, maskAlone: 1, swapped: 0 } })
})

test('diversity of one input, against its closed form', async () => {
  // The standard deviation of 16 normal draws is 1.6% too small on average.
  const unbiased = 0.98348
  const decode = (latents: Float32Array): Promise<Float32Array> => Promise.resolve(latents.map((z) => 0.5 + 0.1 * z))
  const data = planted(60)
  const encode: ReportSubjects['encode'] = (salient) => Promise.resolve({
    mean: new Float32Array(salient.length),
    logVariance: Float32Array.from(salient, (value) => (value > 0 ? 2 * Math.log(0.25) : 0)),
  })
  const { acceptance, diversity } = await report(subjects(decode, { encode }), data, { curveImages: 30 })
  expect(diversity.outside! / (0.1 * unbiased)).toBeCloseTo(1, 1)
  expect(diversity.inside! / (0.025 * unbiased)).toBeCloseTo(1, 1)
  for (const { temperature, outside, images } of acceptance) {
    expect(images).toBe(temperature === 1 ? 60 : 30)
    expect(outside! - 0.1 * unbiased * temperature).toBeCloseTo(0, 2)
  }
  // Two real images a class, 51 apart in all pixels but one that is constant.
  const real = { images: Uint8Array.from([9, 0, 0, 9, 51, 51]), classes: Int32Array.from([0, 0]) }
  const { varying, ofClass } = realSpread(real, 3, 2)
  expect([...varying]).toEqual([0, 1, 1])
  expect(ofClass[1]).toBeNull()
  expect(ofClass[0]![1]).toBeCloseTo(0.2 / Math.SQRT2, 6)
  const spread = sampleSpread(Float32Array.from([0, 0, 0, 9, 1, 3]), 2, Float32Array.from([0, 0.4, 0.5]), varying, ofClass[0]!)
  expect(spread.outside).toBeCloseTo(Math.SQRT1_2, 6)
  expect(spread.inside).toBeCloseTo(3 * Math.SQRT1_2, 6)
  expect(spread.outsideReal).toBeCloseTo(0.2 / Math.SQRT2, 6)
})

test('random masks have the same values in other places; the colour of masks alone; distances', () => {
  const mask = Float32Array.from({ length: 12 * 20 }, (_, p) => (p % 20 < 6 ? 0.9 : (p % 7) / 100))
  const drawn = randomMask(mask, 12, 20, createRandom(1, 'mask'))
  expect([...drawn].sort()).toEqual([...mask].sort())
  expect([...drawn]).not.toEqual([...mask])
  expect(randomMask(mask, 12, 20, createRandom(1, 'mask'))).toEqual(drawn)
  expect(salientColour(Float32Array.from([1, 0, 0.5, 0.2]), Float32Array.from([1, 3]), 2)).toEqual([expect.closeTo(0.625, 6), expect.closeTo(0.15, 6)])
  const random = createRandom(4, 'far')
  const many = Uint8Array.from({ length: 50 * 200 }, () => random.below(256))
  const image = Float32Array.from({ length: 200 }, () => random.uniform())
  const distances = Array.from({ length: 50 }, (_, i) => image.reduce((sum, value, v) => sum + (255 * value - many[i * 200 + v]!) ** 2, 0))
  expect(nearestDistance(image, many) / Math.min(...distances)).toBeCloseTo(1, 5)
})

test('the same seed, the same report; without a judge; one outcome; cancelled; nothing to report on', async () => {
  const data = planted(20)
  const noisy: ReportSubjects['encode'] = (salient) => Promise.resolve({ mean: salient, logVariance: new Float32Array(salient.length) })
  const of = subjects(identity, { encode: noisy })
  expect(await report(of, data)).toEqual(await report(of, data))
  const { judged: _judged, ...rest } = data.test
  expect(await report({ ...of, judge: null }, { ...data, test: { ...rest, judged: null } })).toMatchObject({ rawAgreement: null, judgeOnClean: null, judgeAccuracy: null, judgeControls: null })
  const one = { ...data, test: { ...data.test, outcomes: new Int32Array(20), labels: new Int32Array(20).fill(-1) } }
  expect(await report(of, one)).toMatchObject({ classifierAccuracy: null, controls: { swapped: null } })
  await expect(report(of, data, {}, AbortSignal.abort())).rejects.toMatchObject({ code: 'cancelled' })
  await expect(report(of, { ...data, unseen: { images: new Uint8Array(), classes: new Int32Array() } })).rejects.toThrow(/never saw/)
})

import { describe, expect, test } from 'vitest'
import { compose as composePlainly, inPlace, type Side } from '#engine/methods/masks/compose.ts'
import { compose, masksPerCall } from '#engine/methods/queries/laying.ts'
import { createMaskQueries, enlarge, type Masks, type Spread } from '#engine/methods/queries/mask-queries.ts'
import { createMaskSums } from '#engine/methods/queries/mask-sums.ts'
import { masksFrom, type GridMasks } from '#engine/methods/queries/masks.ts'
import type { ImageBatch } from '#shared/domain/image.ts'
import { createRandom } from '#shared/random/random.ts'
import { analyticClassifier } from '../../../../fixtures/analytic-classifier.ts'

/** Nobody stops it. */
const still = { signal: new AbortController().signal }

const random = createRandom(3, 'mask-queries')
const uniform = (n: number): Float32Array => Float32Array.from({ length: n }, () => random.uniform())
const count = 37
const worst = (a: ArrayLike<number>, b: ArrayLike<number>): number => Math.max(...Array.from(a, (value, k) => Math.abs(value - b[k]!)))

function someMasks(form: Masks['form'] | 'window', height: number, width: number): Masks {
  const cells = { form: 'grid' as const, count, height: 3, width: 4, cells: uniform(count * 12) }
  switch (form) {
    case 'grid':
      return cells
    case 'window':
      return { ...cells, window: { height: height + 3, width: width + 2, offsets: Int32Array.from({ length: 2 * count }, (_, i) => random.below(i % 2 === 0 ? 4 : 3)) } }
    case 'segments':
      return { form, count, segments: 5, labels: Int32Array.from({ length: height * width }, () => random.below(5)), values: uniform(count * 5) }
    case 'boxes':
      return { form, count, boxes: Int32Array.from({ length: 4 * count }, (_, i) => (i % 4 < 2 ? random.below(12) - 4 : random.below(7))) }
  }
}
const forms = ['grid', 'window', 'segments', 'boxes'] as const

describe('masks laid over an image by kernels', () => {
  test.each(forms.flatMap((form) => [[form, 9, 11, 3], [form, 8, 8, 1], [form, 5, 6, 4]] as const))('%s, %i×%i×%i: as plain loops', (form, height, width, channels) => {
    const frame = { height, width, channels }
    const masks = someMasks(form, height, width)
    const [image, fill] = [uniform(height * width * channels), uniform(height * width * channels)]
    for (const side of ['preserve', 'delete'] as Side[]) {
      const found = compose({ frame, image, fill, side }, masks, 5, 20)
      const expected = new Float32Array(image.length)
      for (let i = 0; i < 20; i++) {
        composePlainly(frame, image, enlarge(masks, 5 + i, frame), fill, side, inPlace, expected)
        expect(worst(expected, found.subarray(i * image.length, (i + 1) * image.length))).toBeLessThan(3e-7)
      }
    }
  })

  test('a single cell, and cells as many as pixels', () => {
    const frame = { height: 4, width: 6, channels: 1 }
    const black = new Float32Array(24)
    for (const [height, width] of [[1, 1], [4, 6], [1, 6]] as const) {
      const masks: Masks = { form: 'grid', count: 2, height, width, cells: uniform(2 * height * width) }
      const shown = compose({ frame, image: black.map(() => 1), fill: black, side: 'preserve' }, masks, 1, 1)
      enlarge(masks, 1, frame).forEach((value, k) => expect(shown[k]).toBeCloseTo(value, 6))
    }
  })

  test('sums over enlarged masks are those of plain loops', () => {
    const frame = { height: 7, width: 5, channels: 3 }
    const masks = someMasks('window', 7, 5) as GridMasks
    const weights = uniform(count)
    const sums = createMaskSums(frame)
    sums.add(masksFrom(masks, 0, 10) as GridMasks, weights.subarray(0, 10))
    sums.add(masksFrom(masks, 10, count - 10) as GridMasks, weights.subarray(10))
    const large = Array.from({ length: count }, (_, i) => enlarge(masks, i, frame))
    const expected = (term: (m: number, w: number) => number): number[] =>
      Array.from({ length: 35 }, (_, k) => large.reduce((sum, mask, i) => sum + term(mask[k]!, weights[i]!), 0))
    expect(worst(sums.coverage, expected((m) => m))).toBeLessThan(1e-5)
    expect(worst(sums.weighted, expected((m, w) => m * w))).toBeLessThan(1e-5)
    expect(worst(sums.squares, expected((m) => m * m))).toBeLessThan(1e-5)
    expect(worst(sums.weightedSquares, expected((m, w) => m * m * w))).toBeLessThan(1e-5)
    expect(worst(sums.squaredWeights, expected((m, w) => m * m * w * w))).toBeLessThan(1e-5)
  })
})

describe('questions', () => {
  const frame = { height: 16, width: 16, channels: 3 }
  const image = uniform(768)
  const fill = new Float32Array(768)
  const masks = someMasks('grid', 16, 16)
  const bytes = (rows: readonly Float32Array[]): number[] => rows.flatMap((row) => [...row])

  function asked(options: { spread?: Spread; limit?: number } = {}): Promise<Float32Array[]> {
    const classifier = { ...analyticClassifier({ ...frame }), limits: { forward: options.limit ?? 256, gradient: 1 } }
    return createMaskQueries(classifier, frame, image, { ...still, ...(options.spread ? { spread: options.spread } : {}) }).ask({ masks, fill })
  }

  test('answers do not depend on the memory, and come in the order of the masks', async () => {
    const rows = bytes(await asked())
    expect(bytes(await asked({ limit: 3 }))).toEqual(rows)
    const queries = createMaskQueries(analyticClassifier(frame), frame, image, still)
    const found: number[][] = []
    for await (const { question, rows } of queries.stream([0, 10, 20].map((from) => ({ masks: masksFrom(masks, from, 10), fill, from })))) {
      found[question.from] = bytes(rows)
    }
    expect([0, 10, 20].flatMap((from) => found[from]!)).toEqual(rows.slice(0, 30 * 4))
    expect(queries.forward).toBe(30)
  })

  test('shares start at fixed borders, whoever computes them; a refused one is computed here', async () => {
    const shares: number[] = []
    let given = 0
    const spread: Spread = {
      helpers: 3,
      seek: () => undefined,
      async give({ scene, masks }) {
        shares.push(masks.count)
        if (given++ % 2 === 1) return null
        return createMaskQueries(analyticClassifier(frame), frame, scene.image, still).ask({ masks, fill: scene.fill, side: scene.side })
      },
    }
    expect(bytes(await asked({ spread }))).toEqual(bytes(await asked()))
    expect(shares.length).toBeGreaterThan(0)
    // All but the last of the question are whole calls.
    for (const size of shares) expect([0, count % masksPerCall(frame)]).toContain(size % masksPerCall(frame))
  })

  test('of many small questions a helper has its half at once', async () => {
    let open = 0
    let most = 0
    const spread: Spread = {
      helpers: 1,
      seek: () => undefined,
      async give({ scene, masks }) {
        most = Math.max(most, ++open)
        const rows = await createMaskQueries(analyticClassifier(frame), frame, scene.image, still).ask({ masks, fill: scene.fill, side: scene.side })
        open--
        return rows
      },
    }
    const queries = createMaskQueries(analyticClassifier(frame), frame, image, { ...still, spread })
    // How much a helper gets follows from how long a call takes, and the first ones are slow.
    for (let i = 0; i < 5; i++) await queries.ask({ masks: masksFrom(masks, 0, 4), fill })
    const rows = await Promise.all(Array.from({ length: 8 }, (_, i) => queries.ask({ masks: masksFrom(masks, 4 * i, 4), fill })))
    expect(bytes(rows.flat())).toEqual(bytes((await asked()).slice(0, 32)))
    expect(most).toBe(4)
  })

  test('closed: nothing more is computed', async () => {
    const classifier = analyticClassifier(frame)
    const queries = createMaskQueries(classifier, frame, image, still)
    void queries.ask({ masks, fill })
    queries.close()
    void queries.ask({ masks, fill })
    await new Promise((resolve) => setTimeout(resolve, 20))
    // What had begun.
    expect(classifier.calls.forward).toBeLessThanOrEqual(masksPerCall(frame))
  })

  test('a cancellation ends a question between two calls', async () => {
    const hand = new AbortController()
    let calls = 0
    const whole = analyticClassifier(frame)
    const classifier = { ...whole, logits: (images: ImageBatch) => {
      if (++calls === 2) hand.abort()
      return whole.logits(images)
    } }
    const many: Masks = { form: 'grid', count: 10 * masksPerCall(frame), height: 1, width: 1, cells: new Float32Array(10 * masksPerCall(frame)) }
    await expect(createMaskQueries(classifier, frame, image, hand).ask({ masks: many, fill })).rejects.toMatchObject({ code: 'cancelled' })
    expect(calls).toBe(2)
  })

  test('a helper that never answers does not keep the question', async () => {
    const spread: Spread = { helpers: 1, seek: () => undefined, give: () => new Promise(() => undefined) }
    expect(bytes(await asked({ spread }))).toEqual(bytes(await asked()))
  })

  test('what the classifier throws reaches who asked, and what was asked ahead is given up', async () => {
    const classifier = { ...analyticClassifier(frame), logits: () => Promise.reject(new Error('no')) }
    const queries = createMaskQueries(classifier, frame, image, still)
    await expect(queries.ask({ masks, fill })).rejects.toThrow('no')
    let drawn = 0
    function* endless(): Generator<{ masks: Masks; fill: Float32Array }> {
      while (true) {
        drawn++
        yield { masks, fill }
      }
    }
    const steps = createMaskQueries(analyticClassifier(frame), frame, image, still).stream(endless())
    await steps.next()
    await steps.return()
    expect(drawn).toBeLessThan(5)
  })
})

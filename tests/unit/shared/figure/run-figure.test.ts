import { describe, expect, test } from 'vitest'
import type { ImageItem, Item, TextItem } from '#shared/figure/display-list.ts'
import { fontFamilies } from '#shared/figure/faces.ts'
import { capHeight } from '#shared/figure/set.ts'
import { layOutRunFigure } from '#shared/figure/run-figure.ts'
import type { RunFigureData } from '#shared/figure/run-figure-data.ts'
import { exampleMap, examplePicture, exampleRun } from './example-run.ts'

function sized(width: number, height: number, crop?: RunFigureData['view']['crop']): Partial<RunFigureData> {
  return {
    picture: examplePicture(width, height),
    view: { picture: { width, height }, crop: crop ?? { left: 0, top: 0, width, height }, size: { width: 64, height: 64 } },
  }
}

const long = 'Ein sehr langer Name <script>alert("x")</script> & 日本語 😀 zzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzz.jpeg'
const cases: Record<string, RunFigureData> = {
  usual: exampleRun(),
  cropped: exampleRun(sized(160, 90, { left: 41, top: 6, width: 78, height: 78 })),
  'very wide': exampleRun(sized(400, 10)),
  wide: exampleRun(sized(240, 100)),
  'very tall': exampleRun(sized(6, 400)),
  'one pixel': exampleRun(sized(1, 1)),
  'long texts': exampleRun({ image: long, model: long, method: long, target: { index: 999, label: long }, settings: [long, long] }),
  'no label, no probabilities': exampleRun({ target: { index: 0, label: null }, probability: { original: null, masked: null }, losses: { ...exampleRun().losses, probability: null } }),
  'no course': exampleRun({ losses: { iterations: [], terms: [], probability: null } }),
  'many terms that end together': exampleRun({
    losses: {
      iterations: [0, 1, 2], probability: [0.5, 0.5, 0.5],
      terms: ['total', 'b', 'c', 'd', 'e', 'f', 'g', 'a term with a very long name'].map((name) => ({ name, values: [1, 0.5, 0.25] })),
    },
  }),
  signed: exampleRun({ signed: true, range: [-Infinity, Infinity], map: { ...exampleMap(7, 7), data: exampleMap(7, 7).data.map((v, i) => (i % 2 ? -v : v) * 1234) } }),
  'all zero': exampleRun({ map: { width: 3, height: 3, data: new Float32Array(9) }, losses: { iterations: [0, 1], terms: [{ name: 'total', values: [0, 0] }], probability: [0, 0] } }),
}

/** The narrowest, one column, LNCS, just one arrangement and the other, two columns, a slide. */
const widths = [60, 82.5, 88.9, 122, 149, 150, 190, 254]

interface Box {
  left: number
  top: number
  right: number
  bottom: number
  what: string
}

/** Ink of a line of text: from its capitals to a fifth of its size below the base line. */
function textBox(item: TextItem, family: (typeof fontFamilies)[number]): Box {
  const capitals = capHeight({ family, size: item.size })
  const what = item.line.runs.map((run) => run.text).join('')
  return { left: item.x, right: item.x + item.line.width, top: item.y - capitals, bottom: item.y + capitals * 0.25, what }
}

function imageBox({ id, x, y, width, height }: ImageItem): Box {
  return { left: x, top: y, right: x + width, bottom: y + height, what: id }
}

function overlap(a: Box, b: Box): boolean {
  const least = 0.02
  return a.left < b.right - least && b.left < a.right - least && a.top < b.bottom - least && b.top < a.bottom - least
}

describe.each(Object.entries(cases))('%s', (_, data) => {
  test.each(fontFamilies)('in %s: nothing lies outside, no text on text or pictures, nothing under 6 pt', (family) => {
    for (const width of widths) {
      const list = layOutRunFigure(data, { width, family })
      expect(list.width).toBeCloseTo(width, 6)
      const texts = list.items.filter((item) => item.type === 'text')
      const boxes = [...texts.map((item) => textBox(item, family)), ...list.items.filter((item) => item.type === 'image').map(imageBox)]
      const at = `at ${width} mm`
      const outside = boxes.filter((box) => box.left < -1e-6 || box.right > width + 1e-6 || box.top < 0 || box.bottom > list.height)
      expect(outside, at).toEqual([])
      const clashes = boxes.flatMap((a, i) => boxes.slice(i + 1).filter((b) => overlap(a, b)).map((b) => `${a.what} | ${b.what}`))
      expect(clashes, at).toEqual([])
      expect(Math.min(...texts.map((item) => item.size))).toBeGreaterThanOrEqual(6)
      expect(list.items.flatMap(numbersOf).every(Number.isFinite)).toBe(true)
    }
  })
})

function numbersOf(item: Item): number[] {
  if (item.type === 'path') return item.commands.flatMap((c) => (c[0] === 'Z' ? [] : [c[1], c[2]]))
  return item.type === 'text' ? [item.x, item.y, item.line.width] : [item.x, item.y, item.width, item.height]
}

test('pictures keep their aspect ratio, and the map lies on its crop', () => {
  const list = layOutRunFigure(cases['cropped']!, { width: 88.9 })
  const image = (id: string) => list.items.find((item): item is ImageItem => item.type === 'image' && item.id === id)!
  expect(image('input').width / image('input').height).toBeCloseTo(160 / 90, 6)
  expect(image('overlay').width).toBe(image('input').width)
  const mm = image('input').width / 160
  expect(image('map').width).toBeCloseTo(78 * mm, 6)
  expect(image('map').height).toBeCloseTo(78 * mm, 6)
  expect(image('map').y - image('input').y).toBeCloseTo(6 * mm, 6)
  expect(image('map').picture.width).toBe(28)
  expect(image('map').pixelated).toBe(true)
})

test('the same data give the same list', () => {
  expect(layOutRunFigure(exampleRun(), { width: 122 })).toEqual(layOutRunFigure(exampleRun(), { width: 122 }))
})

test('the caption names what changes the picture, and can be left out', () => {
  const list = layOutRunFigure(exampleRun(), { width: 88.9, normalisation: 'map' })
  for (const part of ['orange.png', 'demo', 'NeuroMask', 'preset Maskscope', 'fill mean colour', 'log-probability', '200 iterations', 'seed 7', 'wasm', 'tfjs', 'viridis', 'per map']) {
    expect(list.description).toContain(part)
  }
  const bare = layOutRunFigure(exampleRun(), { width: 88.9, caption: false })
  expect(bare.height).toBeLessThan(list.height - 10)
  expect(list.description).toContain('Under the mask p = .97')
  const deleting = layOutRunFigure(exampleRun({ deletes: true }), { width: 88.9 }).description
  for (const part of ['Without what the mask marks p = .97', 'Probability of the target without what the mask marks']) expect(deleting).toContain(part)
})

test('a map that hid nothing is no mask, and numbers that are only told are no loss', () => {
  const { losses, probability } = exampleRun()
  const told = { ...losses, probability: null, terms: [{ name: 'score', values: losses.iterations.map((i) => 1 + i / 100) }] }
  const rise = layOutRunFigure(exampleRun({ losses: told, probability: { ...probability, masked: null } }), { width: 88.9 })
  expect(rise.description).toContain('Map at its own resolution')
  expect(rise.description).toContain('normalised to its 99th percentile')
  expect(rise.description).toContain('Course by iteration')
  for (const part of ['Mask at', 'Mask over', 'Loss', 'lower is better', 'Under the mask']) expect(rise.description).not.toContain(part)
  const once = layOutRunFigure(exampleRun({ losses: { iterations: [1], terms: [{ name: 'score', values: [1] }], probability: null }, iterations: 1 }), { width: 88.9 })
  expect(once.description).toContain('1 iteration,')
  expect(once.description).not.toContain('by iteration')
  expect(once.height).toBeLessThan(rise.height - 20)
})

test('lines differ without colour: every dash pattern occurs once', () => {
  const strokes = layOutRunFigure(exampleRun(), { width: 88.9 }).items
    .flatMap((item) => (item.type === 'path' && item.commands.length > 20 && item.stroke && item.stroke.width >= 0.75 ? [item.stroke] : []))
  // four lines of losses and the probability
  expect(strokes).toHaveLength(5)
  const losses = strokes.slice(0, 4).map((s) => `${s.width} ${s.dash?.join(' ')}`)
  expect(new Set(losses).size).toBe(4)
})

test('a curve that jumps at every step is drawn pale, with its running median on top', () => {
  const { losses } = exampleRun()
  const jumping = losses.iterations.map((i) => (i % 2 ? 1 : 0.01))
  const data = exampleRun({ losses: { ...losses, terms: [{ name: 'total', values: jumping }, { name: 'sparsity', values: losses.iterations.map(() => 1) }] } })
  const list = layOutRunFigure(data, { width: 88.9 })
  expect(list.description).toContain('Pale: every iteration; full: running median of 21 iterations.')
  const totals = list.items.filter((item) => item.type === 'path' && item.commands.length > 20 && item.stroke?.width === 1.25)
  const pale = list.items.filter((item) => item.type === 'path' && item.stroke?.colour === '#a8a8a8')
  expect([totals.length, pale.length]).toEqual([1, 1])
  expect(list.items.indexOf(pale[0]!)).toBeLessThan(list.items.indexOf(totals[0]!))
  expect(layOutRunFigure(exampleRun(), { width: 88.9 }).description).not.toContain('Pale')
})

describe('refused', () => {
  const refuse = (changes: Partial<RunFigureData>) => () => layOutRunFigure(exampleRun(changes), { width: 88.9 })
  const { losses } = exampleRun()
  test('NaN in a loss, a probability or the map', () => {
    const values = losses.iterations.map((i) => (i === 3 ? Number.NaN : i))
    expect(refuse({ losses: { ...losses, terms: [{ name: 'total', values }] } })).toThrow(/loss "total" is NaN in row 3/)
    expect(refuse({ losses: { ...losses, probability: values } })).toThrow(/probability is NaN/)
    expect(refuse({ map: { width: 1, height: 1, data: Float32Array.from([Number.NaN]) } })).toThrow(/NaN at row 0/)
  })
  test('iterations that do not rise', () => {
    expect(refuse({ losses: { iterations: [0, 1, 1], terms: [{ name: 'total', values: [1, 2, 3] }], probability: null } })).toThrow(/do not rise in row 2/)
  })
  test('columns of unequal length, a map or a picture of the wrong size', () => {
    expect(refuse({ losses: { ...losses, probability: [1] } })).toThrow(/1 values where there are 201/)
    expect(refuse({ map: { width: 2, height: 2, data: new Float32Array(3) } })).toThrow(/map is not/)
    expect(refuse({ picture: { width: 2, height: 2, data: new Uint8Array(3) } })).toThrow(/picture is not/)
  })
  test('a width on which nothing can be read', () => {
    for (const width of [0, 20, Number.NaN, 5000]) expect(() => layOutRunFigure(exampleRun(), { width })).toThrow(/width is/)
  })
})

import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { comparisonSpec } from '#shared/figure/comparison-spec.ts'
import { masksBy } from '#shared/domain/mask-steps.ts'
import type { DisplayList, Item, TextItem } from '#shared/figure/display-list.ts'
import { fontFamilies } from '#shared/figure/faces.ts'
import { layOutFigure } from '#shared/figure/figure.ts'
import type { FigureFacts } from '#shared/figure/figure-data.ts'
import { maskedPicture } from '#shared/figure/panels/map-cells.ts'
import { tableModel } from '#shared/figure/panels/table.ts'
import { capHeight } from '#shared/figure/set.ts'
import { parseFigureSpec, runsOfSpec, type FigureSpecInput, type PanelOf } from '#shared/figure/spec.ts'
import { writeSvg } from '#shared/figure/svg.ts'
import { expectGolden } from '../../../golden.ts'
import { examplePicture } from './example-run.ts'
import { exampleFacts, figureRun, runIds } from './example-figure.ts'

type PanelInput = FigureSpecInput['panels'][number]
const facts = exampleFacts()
const grid: PanelInput = { kind: 'grid', columns: [{}, {}, {}], rows: [0, 1, 2].map((row) => ({ cells: runIds.slice(row * 3, row * 3 + 3) })) }
const panels: Record<string, PanelInput> = {
  methods: { kind: 'methods', runs: runIds.slice(0, 3) },
  grid,
  'grid with an empty place': { ...grid, rows: [{ cells: [null, runIds[1]!, runIds[2]!] }, { label: 'an own label that is far too long for its row, so that it must be broken', cells: runIds.slice(3, 6) }] } as PanelInput,
  'scale per row': { ...grid, scale: 'row', show: 'map' } as PanelInput,
  'scale per column': { ...grid, scale: 'column', show: 'contour', input: false } as PanelInput,
  masks: { kind: 'grid', columns: [{}], rows: [0, 3, 6].map((i) => ({ cells: [runIds[i]!] })), show: 'masked' },
  evolution: { kind: 'evolution', run: runIds[0]!, iterations: [0, 49, 199] },
  terms: { kind: 'losses', runs: [runIds[0]!] },
  probability: { kind: 'losses', runs: [runIds[0]!, runIds[1]!], quantity: 'probability' },
  fitness: { kind: 'losses', runs: [runIds[3]!, runIds[6]!], quantity: 'fitness' },
  convergence: { kind: 'losses', runs: [runIds[4]!] },
  curves: { kind: 'curves', runs: runIds },
  table: { kind: 'table', runs: runIds },
  scatter: { kind: 'scatter', runs: runIds, metric: 'insertion' },
  reconstruction: { kind: 'reconstruction', reconstruction: '0001-digits', image: '0001-image-3', variations: 10 },
}
const spec = (own: readonly PanelInput[], rest: Partial<FigureSpecInput> = {}) => parseFigureSpec({ format: 'maskscope-figure', version: 1, panels: own, ...rest })

interface Box { left: number; top: number; right: number; bottom: number }

function boxOf(item: Item): Box {
  if (item.type === 'image') return { left: item.x, top: item.y, right: item.x + item.width, bottom: item.y + item.height }
  if (item.type === 'text') {
    const height = capHeight({ family: 'arimo', size: item.size })
    return item.turned
      ? { left: item.x - height, top: item.y - item.line.width, right: item.x, bottom: item.y }
      : { left: item.x, top: item.y - height, right: item.x + item.line.width, bottom: item.y }
  }
  const xs = item.commands.flatMap((c) => (c[0] === 'Z' ? [] : [c[1]]))
  const ys = item.commands.flatMap((c) => (c[0] === 'Z' ? [] : [c[2]]))
  return { left: Math.min(...xs), top: Math.min(...ys), right: Math.max(...xs), bottom: Math.max(...ys) }
}

const textOf = (item: TextItem): string => item.line.runs.map((run) => run.text).join('')

/** Nothing outside the page, no text on text or pictures, none under 6 pt, nothing that is no number. */
function expectTidy(list: DisplayList, about: string): void {
  const slack = 0.12
  for (const item of list.items) {
    const box = boxOf(item)
    for (const edge of Object.values(box)) expect(Number.isFinite(edge), `${about}: a ${item.type} without a place`).toBe(true)
    const inside = box.left > -slack && box.top > -slack && box.right < list.width + slack && box.bottom < list.height + slack
    if (!inside) throw new Error(`${about}: ${item.type === 'text' ? `"${textOf(item)}"` : item.type} lies outside: ${JSON.stringify(box)} of ${list.width} × ${list.height}`)
    if (item.type === 'text' && item.size < 6 - 1e-9) throw new Error(`${about}: "${textOf(item)}" is ${item.size} pt`)
  }
  const solid = list.items.filter((item) => item.type !== 'path' && !(item.type === 'text' && item.line.runs.length === 0))
  solid.forEach((a, i) => solid.slice(i + 1).forEach((b) => {
    if (a.type === 'image' && b.type === 'image' ? false : a.type !== 'text' && b.type !== 'text') return
    const [p, q] = [boxOf(a), boxOf(b)]
    const overlap = Math.min(p.right, q.right) - Math.max(p.left, q.left) > slack && Math.min(p.bottom, q.bottom) - Math.max(p.top, q.top) > slack
    if (overlap) throw new Error(`${about}: ${[a, b].map((item) => (item.type === 'text' ? `"${textOf(item)}"` : item.type)).join(' lies on ')}`)
  }))
}

describe('layout', () => {
  test.each(Object.entries(panels))('%s: tidy in every font and width', (name, panel) => {
    for (const font of fontFamilies) {
      for (const width of [82.5, 122, 181, 254]) expectTidy(layOutFigure(spec([panel], { font, width, letters: width === 122 ? 'on' : 'auto' }), facts).list, `${name} ${font} ${width}`)
    }
  })

  test('any panels in any grid, sizes of type and gutters: tidy, and of the width asked for', () => {
    const kinds = fc.subarray(Object.values(panels), { minLength: 1, maxLength: 4 })
    fc.assert(fc.property(kinds, fc.integer({ min: 150, max: 300 }), fc.constantFrom(null, 6, 7, 9), fc.integer({ min: 0, max: 4 }), fc.boolean(), fc.constantFrom(...fontFamilies), (own, width, size, gutter, beside, font) => {
      const places = own.map((_, i) => (beside && own.length > 1 ? { row: Math.floor(i / 2), column: i % 2 } : { row: i, column: 0, columns: 2 }))
      const { list } = layOutFigure(spec(own, { width, size, gutter, font, caption: true, grid: { columns: [1.2, 1], places } }), facts)
      expect(list.width).toBeCloseTo(width, 9)
      expectTidy(list, `${own.map(({ kind }) => kind).join(' ')} ${width} ${size} ${gutter} ${font}`)
    }), { numRuns: 40 })
  })

  test('a table wider than its place goes on below, with the names again', () => {
    const ids = ['deletion', 'insertion', ...Array.from({ length: 8 }, (_, i) => `m${i}`)]
    const runs = runIds.map((id) => ({ ...facts.runs.get(id)!, metrics: ids.map((metric, i) => ({ metric, value: i / 10, curves: [] })) }))
    const many: FigureFacts = { ...facts, runs: new Map(runs.map((run) => [run.id, run])), metrics: new Map(ids.map((id) => [id, { title: `Metric ${id}`, better: 'higher' as const }])) }
    for (const width of [82.5, 122, 181]) {
      const { list } = layOutFigure(spec([{ kind: 'table', runs: runIds }], { width }), many)
      expectTidy(list, `ten metrics, ${width}`)
      const texts = list.items.flatMap((item) => (item.type === 'text' ? [textOf(item)] : []))
      expect(texts.filter((text) => text.startsWith('RISE')).length).toBeGreaterThan(1)
      expect(texts.filter((text) => /^0\.\d{3} \[/.test(text))).toHaveLength(30)
    }
  })

  test('lines keep their widths whatever the size of type', () => {
    const widths = (size: number | null) => new Set(layOutFigure(spec([panels['curves']!], { size }), facts).list.items.flatMap((item) => (item.type === 'path' && item.stroke ? [item.stroke.width] : [])))
    expect(widths(12)).toEqual(widths(null))
    const text = layOutFigure(spec([panels['curves']!], { size: 12 }), facts).list.items.filter((item) => item.type === 'text')
    expect(Math.max(...text.map(({ size }) => size))).toBeGreaterThanOrEqual(12)
  })

  test('a panel over two rows is as high as both, and charts grow to it', () => {
    const { list } = layOutFigure(spec([grid, panels['curves']!, panels['scatter']!], { grid: { columns: [2, 1], places: [{ row: 0, column: 0, rows: 2 }, { row: 0, column: 1 }, { row: 1, column: 1 }] } }), facts)
    const alone = layOutFigure(spec([grid], { width: (181 - 6) * 2 / 3, letters: 'on' }), facts).list.height
    expect(list.height).toBeCloseTo(alone, 1)
    const axes = list.items.filter((item) => item.type === 'path' && item.stroke?.cap === 'round').map(boxOf).map(({ top, bottom }) => bottom - top)
    expect(Math.max(...axes)).toBeGreaterThan(30)
  })
})

describe('numbers', () => {
  test('every drawn curve and scale stands in them', () => {
    const { numbers } = layOutFigure(spec([panels['methods']!, panels['terms']!, panels['curves']!]), facts)
    expect(numbers.filter(({ panel }) => panel === 'a').map(({ run }) => run)).toEqual(expect.arrayContaining(runIds.slice(0, 3)))
    const total = facts.runs.get(runIds[0]!)!.losses.terms.find(({ name }) => name === 'total')!.values
    expect(numbers.filter(({ panel, series }) => panel === 'b' && series === 'total').map(({ value }) => value)).toEqual(total)
    const curve = numbers.filter(({ panel, series, x }) => panel === 'c' && series === 'NeuroMask' && x !== null)
    // Runs 1, 4 and 7: the mean of the fill that counts, not of the one that methods are optimised against.
    const expected = [1, 4, 7].reduce((sum, n) => sum + (1 - 0.3) ** (2 + n / 10), 0) / 3
    expect(curve.find(({ x }) => x === 0.3)!.value).toBeCloseTo(expected, 9)
    expect(curve.every(({ low, value, high }) => low! <= value! + 1e-12 && high! >= value! - 1e-12)).toBe(true)
  })

  test('a population between its best and its worst, and an estimate that settles over the masks it has asked', () => {
    const fitness = layOutFigure(spec([{ kind: 'losses', runs: [runIds[3]!] }]), facts).numbers
    const at = (series: string) => fitness.filter((one) => one.series === series).map(({ value }) => value!)
    expect(fitness.every(({ quantity }) => quantity === 'fitness')).toBe(true)
    expect(at('median').every((value, i) => at('least')[i]! <= value && value <= at('greatest')[i]!)).toBe(true)
    const settled = layOutFigure(spec([{ kind: 'losses', runs: [runIds[4]!] }]), facts)
    expect(settled.numbers.map(({ x }) => x)).toEqual(Array.from({ length: 20 }, (_, i) => (i + 1) * 64))
    expect(settled.list.items.some((item) => item.type === 'text' && textOf(item) === 'masks')).toBe(true)
    // The last of RISE's steps has what is left of the masks.
    expect(masksBy([1, 62, 63], 4000, { height: 64, width: 64 })).toEqual([64, 3968, 4000])
  })

  test('nobody wins without intervals that stand apart', () => {
    const context = { facts, family: 'arimo' as const, letter: null, name: 'a', gutter: 1 }
    const table = (values: readonly (readonly number[])[]) => {
      const runs = values.flatMap((own, m) => own.map((value, i) => figureRun(m * 10 + i + 1, { method: { id: `m${m}`, title: `M${m}` }, metrics: [{ metric: 'insertion', value, curves: [] }] })))
      const own: FigureFacts = { ...facts, runs: new Map(runs.map((run) => [run.id, run])) }
      return tableModel(spec([{ kind: 'table', runs: runs.map(({ id }) => id) }]).panels[0] as PanelOf<'table'>, { ...context, facts: own }).rows.map(({ cells }) => cells[0]!.best)
    }
    expect(table([[0.9, 0.91, 0.92], [0.5, 0.51, 0.52]])).toEqual([true, false])
    expect(table([[0.9, 0.5, 0.92], [0.6, 0.91, 0.52]])).toEqual([false, false])
    expect(table([[0.9], [0.5]])).toEqual([false, false])
    expect(table([[0.9, 0.9, 0.9], [0.9, 0.9, 0.9]])).toEqual([false, false])
  })

  test('a masked picture is itself where the mask is one and what was chosen where it is zero', () => {
    const picture = { width: 2, height: 1, data: Uint8Array.of(10, 20, 30, 200, 210, 220) }
    const mask = { width: 2, height: 1, data: Float32Array.of(1, 0) }
    const fill = { ...picture, data: Uint8Array.of(1, 2, 3, 4, 5, 6) }
    expect([...maskedPicture(picture, mask, { low: 0, high: 1 }, 128).data]).toEqual([10, 20, 30, 128, 128, 128])
    expect([...maskedPicture(picture, mask, { low: 0, high: 1 }, fill).data]).toEqual([10, 20, 30, 4, 5, 6])
    const panel = panels['masks'] as Extract<PanelInput, { kind: 'grid' }>
    const run = { ...facts.runs.get(runIds[0]!)!, fill: { picture: examplePicture(96, 72), name: 'Blurred input' } }
    const told = (removed: 'fill' | 'white') => layOutFigure(spec([{ ...panel, removed, rows: panel.rows.slice(0, 1) }]), { ...facts, runs: new Map([[run.id, run]]) }).caption
    expect([told('fill'), told('white')]).toEqual([expect.stringContaining('filled as in the run (blurred input)'), expect.stringContaining('what they remove is white')])
  })
})

describe('refusals name the run or the field', () => {
  test.each<[string, readonly PanelInput[], Partial<FigureSpecInput>, string, RegExp]>([
    ['a run that is not there', [{ kind: 'losses', runs: ['0099-gone'] }], {}, '0099-gone', /no run "0099-gone"/],
    ['runs of several images in one', [{ kind: 'methods', runs: [runIds[0]!, runIds[3]!] }], {}, runIds[3]!, /60 × 90.*96 × 72/],
    ['a row with two inputs', [{ kind: 'grid', columns: [{}, {}], rows: [{ cells: [runIds[0]!, runIds[3]!] }] }], {}, runIds[3]!, /Put one image in a row/],
    ['a run without a course', [{ kind: 'evolution', run: runIds[2]! }], {}, runIds[2]!, /no course/],
    ['a run without a population', [{ kind: 'losses', runs: [runIds[0]!], quantity: 'fitness' }], {}, runIds[0]!, /no population/],
    ['a signed map as a mask', [{ kind: 'methods', runs: [runIds[2]!], show: 'masked' }], {}, 'show', /signed/],
    ['a metric that was not measured', [{ kind: 'curves', runs: [runIds[0]!], metric: 'road' }], {}, runIds[0]!, /not measured/],
    ['pictures too small to see', [{ ...grid, columns: Array.from({ length: 30 }, () => ({})), rows: [{ cells: Array.from({ length: 30 }, () => runIds[0]!) }] } as PanelInput], { width: 82.5 }, 'width', /mm wide/],
    ['variations that are not there', [{ kind: 'reconstruction', reconstruction: '0002-x', image: '0001-image-0' }], {}, '0002-x', /Reconstruct view/],
  ])('%s', (_name, own, rest, subject, message) => {
    expect(() => layOutFigure(spec(own, rest), facts)).toThrow(expect.objectContaining({ code: 'usage', subject, message: expect.stringMatching(message) as string }) as Error)
  })

  test.each<[string, object, string]>([
    ['no panels', { panels: [] }, 'panels'],
    ['an unknown field', { panels: [{ kind: 'table', runs: ['a'], rwos: 1 }] }, 'panels.0'],
    ['a row too short', { panels: [{ kind: 'grid', columns: [{}, {}], rows: [{ cells: ['a'] }] }] }, 'panels.0.rows.0.cells'],
    ['panels on each other', { panels: [grid, grid], grid: { columns: [1], places: [{ row: 0, column: 0 }, { row: 0, column: 0 }] } }, 'grid.places.1'],
    ['too narrow', { width: 20, panels: [grid] }, 'width'],
    ['a newer version', { version: 2, panels: [grid] }, 'version'],
  ])('a spec with %s', (_name, value, field) => {
    expect(() => parseFigureSpec({ format: 'maskscope-figure', version: 1, ...value })).toThrow(expect.objectContaining({ code: 'usage', subject: field }) as Error)
  })
})

test('a comparison of many methods has panels of a few each, and all runs once', () => {
  const runs = Array.from({ length: 40 }, (_, i) => ({ id: `r${i}`, row: Math.floor(i / 20), column: i % 20, metrics: ['deletion'] }))
  const made = comparisonSpec(runs, { rows: 2, columns: 20, title: null })
  expect(made.panels.map(({ kind }) => kind)).toEqual(['grid', 'grid', 'grid', 'curves', 'table'])
  expect(runsOfSpec(made)).toHaveLength(40)
})

test.each([['figure-grid', [grid], 181], ['figure-curves', [panels['curves']!, panels['table']!], 88.9]] as const)('golden %s', (name, own, width) => {
  const { list } = layOutFigure(spec(own, { width }), facts)
  const images = new Map(list.items.flatMap((item) => (item.type === 'image' ? [[item.id, Uint8Array.of(item.picture.width % 256, item.picture.height % 256)] as const] : [])))
  expectGolden(`${name}.svg`, writeSvg(list, { images, fonts: new Map() }))
})

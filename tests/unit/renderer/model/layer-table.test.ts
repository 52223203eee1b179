import { describe, expect, test } from 'vitest'
import { lanePath, laneStep, layLanes } from '#renderer/components/model/lanes.ts'
import {
  amountText, fieldSentence, fieldText, filterLayers, graphOrder, layerSortingAfter, shapeText, sortLayers, whyNoCam,
} from '#renderer/components/model/layer-table.ts'
import { timeText } from '#renderer/components/model/model-facts.ts'
import { layer, report } from './layers.ts'

const names = (layers: readonly { name: string }[]): string[] => layers.map(({ name }) => name)

describe('the graph in lanes', () => {
  test('a branch leaves its lane for the next and comes back where it is read', () => {
    const { rows, lanes } = layLanes(report.layers)
    expect(lanes).toBe(2)
    // input, stem, a, b, add (of b and stem), mean, logits
    expect(rows.map(({ lane }) => lane)).toEqual([0, 0, 1, 1, 0, 0, 0])
    expect(rows[2]).toEqual({ lane: 1, past: [0], reads: [0], goesOn: true })
    expect(rows[4]).toEqual({ lane: 0, past: [], reads: [0, 1], goesOn: true })
    expect(rows[6]).toEqual({ lane: 0, past: [], reads: [0], goesOn: false })
  })

  test('every value that is read runs from its layer to its last reader, and no two share a lane', () => {
    // As in DenseNet: every layer reads all before it.
    const dense = Array.from({ length: 40 }, (_, i) => layer({ name: `n${i}`, inputs: Array.from({ length: i }, (_, j) => `n${j}`) }))
    const { rows, lanes } = layLanes(dense)
    expect(lanes).toBe(39)
    for (const [i, { lane, past, reads }] of rows.entries()) {
      expect(new Set(past).size).toBe(past.length)
      expect(past).not.toContain(lane)
      expect(reads.length).toBe(i)
    }
    expect(5.5 + (lanes - 1) * laneStep(lanes, 116)).toBeLessThan(116)
    expect(laneStep(1, 116)).toBe(10)
  })

  test('the lines of a row begin and end where those of its neighbours do', () => {
    const { rows } = layLanes(report.layers)
    expect(lanePath(rows[0]!, 10, 25)).toBe('M5.5 12.5V25')
    expect(lanePath(rows[2]!, 10, 25)).toBe('M5.5 0V25M5.5 0C5.5 10 15.5 2.5 15.5 12.5M15.5 12.5V25')
    expect(lanePath(rows[6]!, 10, 25)).toBe('M5.5 0V12.5')
  })
})

describe('the list', () => {
  test('is filtered by every word, and by convolutions', () => {
    expect(names(filterLayers(report.layers, { text: 'CONV 3×3', convolutions: false }))).toEqual(['stem', 'a', 'b'])
    expect(names(filterLayers(report.layers, { text: 'bn', convolutions: false }))).toEqual(['stem'])
    expect(names(filterLayers(report.layers, { text: '', convolutions: true }))).toEqual(['stem', 'a', 'b'])
    expect(filterLayers(report.layers, { text: 'transformer', convolutions: false })).toEqual([])
  })

  test('is sorted, numbers from the greatest; what reads all stands with the greatest fields; the third click is the graph again', () => {
    const first = layerSortingAfter(graphOrder, 'multiplyAdds')
    expect(first).toEqual({ column: 'multiplyAdds', descending: true })
    expect(names(sortLayers(report.layers, first)).slice(0, 2)).toEqual(['stem', 'a'])
    const second = layerSortingAfter(first, 'multiplyAdds')
    expect(second.descending).toBe(false)
    expect(layerSortingAfter(second, 'multiplyAdds')).toEqual(graphOrder)
    expect(names(sortLayers(report.layers, { column: 'field', descending: true })).slice(0, 2)).toEqual(['mean', 'logits'])
    expect(names(sortLayers(report.layers, layerSortingAfter(graphOrder, 'name')))[0]).toBe('a')
    expect(sortLayers(report.layers, graphOrder)).toEqual(report.layers)
  })

  test('says amounts, shapes and fields in few signs', () => {
    expect([0, 64, 999, 9408, 1_850_000_000, 999_600].map(amountText)).toEqual(['0', '64', '999', '9.41 k', '1.85 G', '1 M'])
    expect([shapeText([14, 14, 256]), shapeText([])]).toEqual(['14 × 14 × 256', 'one number'])
    const whole = layer({ receptiveField: null })
    const none = layer({ receptiveField: { size: 0, stride: 0 } })
    const some = layer({ receptiveField: { size: 43, stride: 4 } })
    expect([whole, none, some].map(fieldText)).toEqual(['all', 'none', '43 px'])
    expect([whole, none, some].map(fieldSentence)).toEqual(['the whole picture', 'nothing of the picture', '43 × 43 px, every 4 px'])
    expect([0.4213, 12.34, 148.4].map(timeText)).toEqual(['0.42 ms', '12.3 ms', '148 ms'])
  })

  test('says why a layer is none for CAM methods', () => {
    expect(whyNoCam(layer({ cam: true }))).toBeNull()
    expect(whyNoCam(layer({ cam: false, op: 'dense', shape: [10] }))).toBe('CAM methods take layers with rows, columns and channels.')
    expect(whyNoCam(layer({ cam: false, op: 'input', shape: [64, 64, 3] }))).toBe('It finds nothing of its own: CAM methods take convolutions and what is made of them.')
    expect(whyNoCam(layer({ cam: false, op: 'conv2d', shape: [2, 2, 64] }))).toBe('It has 2 × 2 places; CAM methods need 4 × 4 at least.')
  })
})

import { describe, expect, test } from 'vitest'
import { resolveTarget } from '#services/targets.ts'

const labels = ['cat', 'kit fox, Vulpes macrotis', 'red fox, Vulpes vulpes', '7', 'Cat', 'crane', 'crane', 'whooping crane', 'auto', 'auto racer']

describe('a target', () => {
  test.each([
    ['auto', 'auto'], ['0', 0], ['9', 9], ['7', 7], ['label:7', 3], ['label:auto', 8], ['LABEL:cat', 0], ['cat', 0], ['Cat', 4],
    ['KIT FOX', 1], ['vulpes vulpes', 2], ['macro', 1], ['kit fox, vulpes macrotis', 1], ['whoop', 7], ['  red fox ', 2],
  ] as const)('%s means %s', (text, index) => {
    expect(resolveTarget(text, labels, labels.length)).toBe(index)
  })

  test.each(['10', '-1', '1.5', '99999999999'])('index %s is out of range', (text) => {
    expect(() => resolveTarget(text, labels, 10)).toThrow(/out of range: .* from 0 to 9\..*label:/)
  })

  test('several classes are listed, by index', () => {
    expect(() => resolveTarget('fox', labels, 10)).toThrow(/"fox" may mean 2 classes; give the index of one:\n {2}1 {2}kit fox.*\n {2}2 {2}red fox/)
    expect(() => resolveTarget('crane', labels, 10)).toThrow(/\n {2}5 {2}crane\n {2}6 {2}crane$/)
    expect(() => resolveTarget('CAT', labels, 10)).toThrow(/2 classes/)
    const many = Array.from({ length: 40 }, (_, i) => `dog ${i}`)
    expect(() => resolveTarget('dog', many, 40)).toThrow(/and 28 more/)
  })

  test('unknown labels, empty ones, a model without labels', () => {
    expect(() => resolveTarget('zebra', labels, 10)).toThrow(/"zebra" is no label of this model; give another/)
    expect(() => resolveTarget('label:', labels, 10)).toThrow(/empty/)
    expect(() => resolveTarget('zebra', null, 10)).toThrow(/has no labels; give the class's index, or the labels by --labels/)
  })

  test('while the number of classes is unknown, an index is taken', () => {
    expect(resolveTarget('5000', null, null)).toBe(5000)
    expect(() => resolveTarget('-1', null, null)).toThrow(/counted from 0/)
  })
})

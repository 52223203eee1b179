import path from 'node:path'
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { inputName, inputPath, isRunId, makeRunId, runNumber, runPath, slug, studyFileName } from '#storage/layout.ts'

test('ids are read by a person and sort by number', () => {
  expect(makeRunId(1, 'zebra', 'neuromask')).toBe('0001-zebra-neuromask')
  expect(makeRunId(12345, 'scene:2000007', 'neuromask')).toBe('12345-scene-2000007-neuromask')
  expect(slug('Bébé & Söhne (1).JPG')).toBe('bebe-sohne-1-jpg')
  expect(slug('写真')).toBe('image')
  expect(runNumber('0042-a-b')).toBe(42)
})

/** Lone surrogates and control characters too. */
const anyText = fc.array(fc.nat(0xffff)).map((codes) => String.fromCharCode(...codes))

test('whatever the image is called, its id is an id and its folder lies in the study', () => {
  fc.assert(
    fc.property(anyText, fc.integer({ min: 1, max: 99999 }), (name, number) => {
      const id = makeRunId(number, name, 'neuromask')
      expect(isRunId(id)).toBe(true)
      expect(path.dirname(runPath('/study', id))).toBe(path.join('/study', 'runs'))
    }),
  )
})

test.each(['..', '../0001-a', '0001-a/../../x', '0001-a\\b', '0001-A', '1-a', '', '0001-a-', '0001-a\0'])('"%s" is no id', (id) => {
  expect(() => runPath('/study', id)).toThrow('not the id')
})

test.each(['inputs/../x', '../inputs/a', 'inputs/a.png', `inputs/${'a'.repeat(64)}.png/..`, `${'a'.repeat(64)}.png`, `/inputs/${'a'.repeat(64)}.png`])('"%s" is no input', (name) => {
  expect(() => inputPath('/study', name)).toThrow('not the name of an input')
})

test('inputs are named by their hash', () => {
  const name = inputName('ab'.repeat(32), '.JPEG')
  expect(name).toBe(`inputs/${'ab'.repeat(32)}.jpeg`)
  expect(inputPath('/study', name)).toBe(path.join('/study', name))
})

test('a study of any name has a file name that every system takes', () => {
  expect(studyFileName('Zebras')).toBe('Zebras.maskscope')
  expect(studyFileName('a/b:c?')).toBe('a-b-c-.maskscope')
  expect(studyFileName('..')).toBe('study.maskscope')
})

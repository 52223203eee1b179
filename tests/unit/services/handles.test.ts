import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { homedir, tmpdir } from 'node:os'
import path from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { browse } from '#services/browse.ts'
import { createHandles, shortPlace } from '#services/handles.ts'
import { encodePng } from '#services/images.ts'
import { writeTinyModel } from '../../fixtures/tiny-model.ts'

const root = mkdtempSync(path.join(tmpdir(), 'maskscope-handles-'))
const inside = path.join(root, 'inside')
const outside = path.join(root, 'outside')
const at = (...names: string[]): string => path.join(inside, ...names)

beforeAll(async () => {
  mkdirSync(at('pictures'), { recursive: true })
  mkdirSync(at('study', 'runs'), { recursive: true })
  mkdirSync(outside)
  const png = await encodePng({ width: 2, height: 1, data: new Uint8Array(6) })
  for (const name of ['pictures/a.png', 'pictures/b', 'pictures/.hidden.png']) writeFileSync(at(name), png)
  writeFileSync(at('study', 'My work.maskscope'), '{}')
  for (const name of ['labels.txt', 'labels.csv', 'model-card.json', 'note.md', 'empty.json', 'net.onnx', 'net.h5', 'part.bin']) writeFileSync(at(name), 'x')
  writeTinyModel(at('model'))
  writeTinyModel(at(), { file: 'net.json' })
  writeFileSync(path.join(outside, 'secret.png'), png)
  symlinkSync(outside, at('way-out'))
  symlinkSync(path.join(outside, 'secret.png'), at('secret.png'))
  symlinkSync(at('pictures'), at('way-in'))
})
afterAll(() => rmSync(root, { recursive: true, force: true }))

describe('handles', () => {
  test.each([
    ['model', 'model'], ['model/model.json', 'model'], ['net.json', 'model'], ['empty.json', 'other'], ['model-card.json', 'card'],
    ['study', 'study'], ['study/My work.maskscope', 'study'], ['pictures', 'folder'], ['pictures/a.png', 'image'], ['pictures/b', 'image'],
    ['labels.txt', 'labels'], ['labels.csv', 'labels'], ['note.md', 'other'],
    // Refused as what they are where models are opened.
    ['net.onnx', 'model'], ['net.h5', 'model'], ['part.bin', 'other'],
  ])('%s is recognised as %s', async (name, kind) => {
    const handles = createHandles()
    const entry = await handles.give(at(name))
    expect(entry).toMatchObject({ kind, name: path.basename(name) })
    expect(handles.path(entry.handle)).toBe(at(name))
    expect(entry.handle).toMatch(/^[0-9a-f-]{36}$/)
  })

  test('the same place keeps its name; names of others mean nothing', async () => {
    const handles = createHandles()
    const first = await handles.give(at('labels.txt'))
    expect(await handles.give(path.join(inside, 'model', '..', 'labels.txt'))).toEqual(first)
    const other = await createHandles().give(at('labels.txt'))
    expect(other.handle).not.toBe(first.handle)
    for (const made of [other.handle, at('labels.txt'), '', '../x']) {
      expect(() => handles.path(made)).toThrow(expect.objectContaining({ code: 'usage', subject: 'file' }))
    }
    await expect(handles.give(at('nowhere'))).rejects.toMatchObject({ code: 'input' })
  })

  test('places are shortened', () => {
    expect(shortPlace(path.join(homedir(), 'work', 'a'))).toBe(path.join('~', 'work', 'a'))
    expect(shortPlace(homedir())).toBe('~')
    expect(shortPlace(`${homedir()}-else`)).toBe(`${homedir()}-else`)
  })
})

describe('the chooser below the roots', () => {
  test('roots, then folders first, no hidden files, no links that lead outside', async () => {
    const handles = createHandles()
    const top = await browse(handles, [inside], null)
    expect(top).toMatchObject({ folder: null, parent: null, note: null, entries: [{ name: 'inside' }] })
    const list = await browse(handles, [inside], handles.path(top.entries[0]!.handle))
    expect(list.parent).toBeNull()
    expect(list.entries.map((entry) => entry.name)).toEqual([
      'model', 'pictures', 'study', 'way-in', 'empty.json', 'labels.csv', 'labels.txt', 'model-card.json', 'net-shard1of1.bin', 'net.h5', 'net.json', 'net.onnx', 'note.md', 'part.bin',
    ])
    const pictures = list.entries.find((entry) => entry.name === 'way-in')!
    const below = await browse(handles, [inside], handles.path(pictures.handle))
    expect(below.entries.map((entry) => entry.name)).toEqual(['a.png', 'b'])
    expect(handles.path(below.parent!)).toBe(inside)
  })

  test.each([['the parent', path.dirname(inside)], ['a neighbour', outside], ['one that begins alike', `${inside}-else`], ['through a link', path.join(inside, 'way-out')]])(
    '%s lies outside', async (_, folder) => {
      await expect(browse(createHandles(), [inside], folder)).rejects.toMatchObject({ code: 'usage', subject: 'folder' })
    },
  )

  test('of more than 2,000 entries the first are listed, and it says so', async () => {
    const many = path.join(root, 'many')
    mkdirSync(many)
    for (let i = 0; i < 2003; i++) writeFileSync(path.join(many, `${i}.txt`), '')
    const list = await browse(createHandles(), [many], many)
    expect(list.entries).toHaveLength(2000)
    expect(list.entries[1999]!.name).toBe('1999.txt')
    expect(list.note).toMatch(/2003 entries; the first 2000/)
  })
})

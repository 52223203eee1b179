import { mkdirSync, mkdtempSync, rmSync, truncateSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import sharp from 'sharp'
import { afterAll, describe, expect, test } from 'vitest'
import { createHandles } from '#services/handles.ts'
import { encodePng } from '#services/images.ts'
import { createOpenImages } from '#services/open-images.ts'
import { createLru } from '#services/lru.ts'

const root = mkdtempSync(path.join(tmpdir(), 'maskscope-open-images-'))
afterAll(() => rmSync(root, { recursive: true, force: true }))

function noise(width: number, height: number): { width: number; height: number; data: Uint8Array } {
  return { width, height, data: Uint8Array.from({ length: width * height * 3 }, (_, i) => (Math.imul(i + 1, 2654435761) >>> 11) & 255) }
}

function open() {
  const handles = createHandles()
  const notices: string[] = []
  const opened: string[] = []
  const images = createOpenImages({ handles, onNotice: (message) => void notices.push(message), onOpen: (file) => void opened.push(file) })
  return { images, handles, notices, opened, give: async (file: string) => ({ file: (await handles.give(file)).handle }) }
}

test('a file: its size, a thumbnail of at most 96 px, a picture of at most 2,048', async () => {
  const file = path.join(root, 'wide.png')
  writeFileSync(file, await encodePng(noise(3000, 100)))
  const { images, give, opened } = open()
  const [image] = await images.open(await give(file))
  expect(image).toMatchObject({ name: 'wide.png', kind: 'file', width: 3000, height: 100, label: null, notes: [] })
  expect(await sharp(image!.thumbnail).metadata()).toMatchObject({ width: 96, height: 3 })
  expect(await sharp(await images.picture(image!.image)).metadata()).toMatchObject({ width: 2048, height: 68 })
  expect(opened).toEqual([file])
})

test('a pasted image: its bytes are kept, its name is no path', async () => {
  const { images } = open()
  const [image] = await images.open({ name: '../../etc/Zebra.png', bytes: await encodePng(noise(20, 10)) })
  expect(image).toMatchObject({ name: 'Zebra.png', kind: 'pasted', width: 20, height: 10 })
  const { item } = images.get(image!.image)
  expect(item).toMatchObject({ kind: 'file', reference: 'pasted-image.png' })
  expect((await item.load()).picture.data).toEqual(noise(20, 10).data)
})

test('a data set: its pages, what is taken of it, and the file that is broken', async () => {
  const folder = path.join(root, 'boxes')
  mkdirSync(folder)
  const png = await encodePng(noise(30, 20))
  for (const name of ['a', 'b', 'c']) {
    writeFileSync(path.join(folder, `${name}.png`), name === 'b' ? 'no picture' : png)
    writeFileSync(path.join(folder, `${name}.txt`), 'cat 2 2 9 9\n')
  }
  const { images, handles } = open()
  const data = { kind: 'boxes', place: (await handles.give(folder)).handle, part: 'test', mosaic: null } as const
  const { total, entries } = await images.page(data, 1, 2)
  expect(total).toBe(3)
  expect(entries.map(({ index, label, truth, thumbnail }) => [index, label, truth, thumbnail !== null])).toEqual([[1, null, false, false], [2, 'cat', true, true]])
  expect(entries[0]!.problem).toContain('b.png')
  const taken = await images.open({ data, indices: [2, 0] })
  expect(taken.map(({ name, label, truth }) => [name, label, truth])).toEqual([['c.png', 'cat', true], ['a.png', 'cat', true]])
  expect(images.get(taken[0]!.image).item.member).toBe(`boxes:${folder}#2`)
  await expect(images.open({ data, indices: [3] })).rejects.toMatchObject({ code: 'usage', subject: 'image' })
  await expect(images.open({ data: { ...data, place: 'made up' }, indices: [0] })).rejects.toMatchObject({ code: 'usage' })

  // Read anew from the first page on; what is wrong is named.
  writeFileSync(path.join(folder, 'c.txt'), 'cat 2 2 nine 9\n')
  expect((await images.page(data, 0, 3)).entries[2]!.problem).toContain('c.txt')
  const list = path.join(root, 'list.csv')
  writeFileSync(list, 'name,kind\na.png,cat\n')
  const listed = { kind: 'list', place: (await handles.give(list)).handle, part: 'test', mosaic: null } as const
  await expect(images.page(listed, 0, 40)).rejects.toMatchObject({ code: 'input', message: expect.stringContaining(list) })
  writeFileSync(list, 'file,class_index\nboxes/a.png,7\n')
  expect((await images.page(listed, 0, 40)).entries).toMatchObject([{ label: 'class 7', truth: false, problem: null }])
})

test('scenes by their names; a path is no scene', async () => {
  const { images } = open()
  const scenes = await images.open({ scene: 'scenes-two:2@2000000' })
  expect(scenes.map((scene) => scene.name)).toEqual(['scenes-two:1@2000000', 'scenes-two:1@2000001'])
  expect(scenes[0]!.label).toBeTruthy()
  for (const scene of [path.join(root, 'wide.png'), 'scenes:x', '/etc/passwd', 'folder:/etc']) {
    await expect(images.open({ scene })).rejects.toMatchObject({ code: 'usage', subject: 'image' })
  }
})

test('a folder: all images by name; damaged ones are left out and named', async () => {
  const folder = path.join(root, 'many')
  mkdirSync(folder)
  const png = await encodePng(noise(30, 20))
  for (const i of [1, 2, 10]) writeFileSync(path.join(folder, `${i}.png`), png)
  truncateSync(path.join(folder, '2.png'), Math.floor(png.length / 2))
  const { images, notices, give } = open()
  expect((await images.open(await give(folder))).map((image) => image.name)).toEqual(['1.png', '10.png'])
  expect(notices).toEqual([expect.stringMatching(/1 of the 3 images in .* could not be opened: 2\.png/)])
})

describe('refused, at the image', () => {
  test('damaged, of no format, gone, unknown', async () => {
    const { images, give } = open()
    const file = path.join(root, 'cut.png')
    const png = await encodePng(noise(30, 20))
    writeFileSync(file, png.subarray(0, png.length / 2))
    await expect(images.open(await give(file))).rejects.toMatchObject({ code: 'input', subject: 'image', message: expect.stringMatching(/cut\.png is damaged or cut off/) as string })
    await expect(images.open({ name: 'x.png', bytes: new Uint8Array(50) })).rejects.toMatchObject({ code: 'input', subject: 'image' })
    const from = await give(file)
    rmSync(file)
    await expect(images.open(from)).rejects.toMatchObject({ code: 'input', subject: 'image', message: expect.stringMatching(/does not exist/) as string })
    await expect(images.open({ file: '/etc/passwd' })).rejects.toMatchObject({ code: 'usage', subject: 'image' })
    expect(() => images.get('x')).toThrow(expect.objectContaining({ code: 'usage', subject: 'image' }))
  })
})

test('what was used last is kept, up to a number and a size; several that ask share the making', async () => {
  const made: string[] = []
  const lru = createLru<number>({ count: 3, bytes: 10 }, (size) => size)
  const get = (key: string, size: number): Promise<number> => lru.get(key, async () => {
    made.push(key)
    return size
  })
  await Promise.all([get('a', 4), get('a', 4), get('b', 4)])
  await get('a', 4)
  await get('c', 4)
  await get('a', 4)
  await get('b', 4)
  expect(made).toEqual(['a', 'b', 'c', 'b'])
  await get('huge', 100)
  await get('huge', 100)
  expect(made).toEqual(['a', 'b', 'c', 'b', 'huge'])
  await expect(lru.get('bad', () => Promise.reject(new Error('no')))).rejects.toThrow('no')
  expect(await lru.get('bad', () => Promise.resolve(1))).toBe(1)
})

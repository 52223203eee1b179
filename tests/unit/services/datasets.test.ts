import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import sharp from 'sharp'
import { afterAll, describe, expect, test } from 'vitest'
import { renderScene } from '#engine/scenes/scenes.ts'
import { resolveData } from '#services/datasets.ts'
import { decodeImage } from '#services/images.ts'

const folder = mkdtempSync(path.join(tmpdir(), 'maskscope-data-'))
afterAll(() => rmSync(folder, { recursive: true, force: true }))

async function references(spec: string): Promise<string[]> {
  return (await resolveData(spec)).map((item) => item.reference)
}

describe('scenes', () => {
  test('one, several, of another kind, the i-th', async () => {
    expect(await references('scene:2000007')).toEqual(['scene:2000007'])
    expect(await references('scenes:3@2000000')).toEqual(['scene:2000000', 'scene:2000001', 'scene:2000002'])
    expect(await references('scenes-two:2@5')).toEqual(['scenes-two:1@5', 'scenes-two:1@6'])
    expect(await references('scenes-shifted:9@5#8')).toEqual(['scenes-shifted:1@13'])
    expect(await references('scene:4#0')).toEqual(['scene:4'])
  })

  test('a reference leads to the same image again', async () => {
    const [item] = await resolveData('scenes-shifted:9@5#8')
    const [again] = await resolveData(item!.reference)
    expect(await again!.load()).toEqual(await item!.load())
  })

  test('holds the exact values, and a PNG of them rounded', async () => {
    const [item] = await resolveData('scenes-two:1@11')
    const loaded = await item!.load()
    expect(loaded.exact).toEqual(renderScene(11, 'scenes-two').image)
    const decoded = await decodeImage(loaded.bytes, 'x')
    expect(decoded.picture).toEqual(loaded.picture)
    expect(decoded.sha256).toBe(loaded.sha256)
    loaded.picture.data.forEach((v, i) => expect(Math.abs(v / 255 - loaded.exact!.data[i]!)).toBeLessThanOrEqual(0.5 / 255 + 1e-6))
  })

  test.each([
    ['scene:', /write scene:SEED/], ['scene:x', /write scene:SEED/], ['scenes:20', /write scenes:COUNT@SEED/], ['scenes:0@1', /asks for 0 scenes/],
    ['scenes:3@0#3', /image 3, counted from 0, but there are 3/], ['scene:4294967296', /past the last seed/], ['scenes-two:1@', /scenes-two:COUNT@SEED/],
    ['mnist:/data', /no data set of the kind "mnist:"/],
  ])('%s is refused', async (spec, message) => {
    await expect(resolveData(spec)).rejects.toMatchObject({ code: 'usage', subject: spec })
    await expect(resolveData(spec)).rejects.toThrow(message)
  })
})

describe('files and folders', () => {
  test('a folder: its images in order, nothing else', async () => {
    const images = path.join(folder, 'images')
    mkdirSync(path.join(images, 'sub.png'), { recursive: true })
    const png = await sharp({ create: { width: 2, height: 2, channels: 3, background: '#abc' } }).png().toBuffer()
    for (const name of ['b10.png', 'b9.PNG', 'a.jpeg', '.hidden.png', 'labels.csv', 'c#1.webp']) writeFileSync(path.join(images, name), png)
    rmSync(path.join(images, 'sub.png'), { recursive: true })
    const names = ['a.jpeg', 'b9.PNG', 'b10.png', 'c#1.webp'].map((n) => path.join(images, n))
    expect(await references(images)).toEqual(names)
    expect(await references(`${images}#2`)).toEqual([names[2]])
    expect(await references(names[3]!)).toEqual([names[3]])
    expect((await (await resolveData(names[1]!))[0]!.load()).picture.width).toBe(2)
    await expect(resolveData(`${images}#4`)).rejects.toThrow(/image 4, counted from 0, but there are 4/)
  })

  test('an empty folder and a missing file are named', async () => {
    const empty = path.join(folder, 'empty')
    mkdirSync(empty)
    await expect(resolveData(empty)).rejects.toThrow(/empty holds no images \(files that end in \.jpg/)
    const [missing] = await resolveData(path.join(folder, 'none.jpg'))
    await expect(missing!.load()).rejects.toThrow(/none\.jpg does not exist/)
  })
})

import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { gzipSync } from 'node:zlib'
import sharp from 'sharp'
import { afterAll, describe, expect, test } from 'vitest'
import { memberAgain, resolveData, seenTruth, type DataItem, type LoadedItem } from '#services/datasets.ts'
import { describeData } from '#services/datasets/describe.ts'
import { parseXml } from '#services/datasets/xml.ts'
import { dataPath, dataTest } from '../../../data.ts'

const root = mkdtempSync(path.join(tmpdir(), 'maskscope-sets-'))
afterAll(() => rmSync(root, { recursive: true, force: true }))

let folders = 0
/** A folder with these files; names may hold slashes. */
function folderWith(files: Record<string, string | Uint8Array>): string {
  const folder = path.join(root, `set-${folders++}`)
  mkdirSync(folder)
  for (const [name, content] of Object.entries(files)) {
    mkdirSync(path.dirname(path.join(folder, name)), { recursive: true })
    writeFileSync(path.join(folder, name), content)
  }
  return folder
}

function png(width: number, height: number, colour = '#446688'): Promise<Buffer> {
  return sharp({ create: { width, height, channels: 3, background: colour } }).png().toBuffer()
}

function greyPng(width: number, height: number, values: readonly number[], palette = false): Promise<Buffer> {
  const image = sharp(Uint8Array.from(values), { raw: { width, height, channels: 1 } })
  return palette ? image.png({ palette: true }).toBuffer() : image.toColourspace('b-w').png().toBuffer()
}

function idx(shape: readonly number[], data: readonly number[]): Uint8Array {
  const header = new DataView(new ArrayBuffer(4 + 4 * shape.length))
  header.setUint32(0, 0x800 + shape.length)
  shape.forEach((size, i) => header.setUint32(4 + 4 * i, size))
  return Uint8Array.from([...new Uint8Array(header.buffer), ...data])
}

async function load(spec: string): Promise<LoadedItem> {
  const items = await resolveData(spec)
  return items[0]!.load()
}

async function labels(items: readonly DataItem[]): Promise<unknown[]> {
  const found: unknown[] = []
  for (const item of items) found.push(await item.label?.())
  return found
}

const images = idx([3, 2, 2], [0, 255, 0, 0, 9, 9, 9, 9, 1, 2, 3, 4])
const classes = idx([3], [7, 0, 7])

describe('idx', () => {
  test.each([['plain', images, classes, ''], ['gz', gzipSync(images), gzipSync(classes), '.gz']])('%s: images and labels', async (_, pixels, truth, ending) => {
    const folder = folderWith({ [`t10k-images-idx3-ubyte${ending}`]: pixels, [`t10k-labels-idx1-ubyte${ending}`]: truth })
    const items = await resolveData(`idx:${folder}`)
    expect(await labels(items)).toEqual([{ index: 7 }, { index: 0 }, { index: 7 }])
    const third = await load(`idx:${folder}#2`)
    expect(third.name).toBe(`idx:${folder}#2`)
    expect([...third.picture.data]).toEqual([1, 1, 1, 2, 2, 2, 3, 3, 3, 4, 4, 4])
    expect(third.label).toEqual({ index: 7 })
    await expect(resolveData(`idx:${folder}:train`)).rejects.toThrow(/lacks a file such as train-images/)
    await expect(resolveData(`idx:${folder}#3`)).rejects.toThrow(/image 3, counted from 0, but there are 3/)
  })

  const packed = gzipSync(images)
  test.each<[string, Uint8Array, Uint8Array, RegExp]>([
    ['a gzip that is cut off', packed.subarray(0, packed.length - 9), classes, /images-idx3-ubyte.*is cut off/],
    ['another magic', idx([3], [1, 2, 3]), classes, /is cut off in its header|begins with the number 2049 where 2051/],
    ['a magic of other values', Uint8Array.from([0, 0, 0x0d, 3, ...images.subarray(4)]), classes, /begins with the number 3331 where 2051 is expected/],
    ['labels of another count', images, idx([2], [1, 1]), /labels of 2 images, but t10k-images-idx3-ubyte holds 3 images/],
    ['fewer pixels than it says', images.subarray(0, 20), classes, /has 20 bytes where its header needs 28 bytes/],
    ['more than it says, packed', gzipSync(Uint8Array.from([...images, ...new Uint8Array(1 << 20)])), classes, /unpacks to more than the 28 bytes/],
    ['an impossible size', idx([0xffffffff, 0xffff, 0xffff], []), classes, /more than the 2147483648 that are read/],
    ['no rows', idx([3, 0, 2], []), classes, /says that its rows is 0/],
  ])('%s is refused with its name', async (_, pixels, truth, message) => {
    const folder = folderWith({ 't10k-images-idx3-ubyte': pixels, 't10k-labels-idx1-ubyte': truth })
    await expect(resolveData(`idx:${folder}`)).rejects.toMatchObject({ code: 'input' })
    await expect(resolveData(`idx:${folder}`)).rejects.toThrow(message)
  })
})

describe('cifar10', () => {
  const record = (label: number, at: number): Uint8Array => Uint8Array.from({ length: 3073 }, (_, i) => (i === 0 ? label : i === 1 + at ? 200 : 5))

  test('planes become pixels; labels and their names', async () => {
    const folder = folderWith({ 'test_batch.bin': Uint8Array.from([...record(3, 33), ...record(9, 1024)]), 'batches.meta.txt': 'a\nb\nc\nd\ne\nf\ng\nh\ni\nj\n\n' })
    const items = await resolveData(`cifar10:${folder}`)
    expect(items).toHaveLength(2)
    const loaded = await items[0]!.load()
    expect(loaded).toMatchObject({ label: { index: 3, text: 'd' }, picture: { width: 32, height: 32 } })
    const { data } = loaded.picture
    expect([data[3 * 33], data[3 * 33 + 1]]).toEqual([200, 5])
    expect((await items[1]!.load()).picture.data[1]).toBe(200)
  })

  test('a file that is cut off, a label that does not exist, no files', async () => {
    await expect(resolveData(`cifar10:${folderWith({ 'test_batch.bin': record(1, 0).subarray(9) })}`)).rejects.toThrow(/test_batch\.bin has 3,064 bytes, which is no whole number of images of 3073 bytes/)
    await expect(load(`cifar10:${folderWith({ 'test_batch.bin': record(10, 0) })}`)).rejects.toThrow(/gives image 0 the label 10/)
    await expect(resolveData(`cifar10:${folderWith({ 'x.bin': '' })}`)).rejects.toThrow(/lacks files such as test_batch\.bin/)
    await expect(resolveData(`cifar10:${path.join(root, 'none')}`)).rejects.toThrow(/none, which does not exist/)
  })
})

test('folder: a class per folder', async () => {
  const picture = await png(3, 2)
  const folder = folderWith({ 'tench/a10.png': picture, 'tench/a9.png': picture, '12/x.png': picture, 'notes.txt': '' })
  const items = await resolveData(`folder:${folder}`)
  expect(items.map((item) => path.basename(item.reference))).toEqual(['x.png', 'a9.png', 'a10.png'])
  expect(await labels(items)).toEqual([{ index: 12 }, { text: 'tench' }, { text: 'tench' }])
  expect((await items[2]!.load()).label).toEqual({ text: 'tench' })
  const described = await describeData(`folder:${folder}`, items)
  expect(described).toMatchObject({ images: 3, labelled: 3, truth: null, classes: [{ index: 12, images: 1 }, { label: 'tench', images: 2 }] })
  mkdirSync(path.join(folder, 'zebra'))
  await expect(resolveData(`folder:${folder}`)).rejects.toThrow(/zebra holds no images/)
  symlinkSync(path.join(folder, 'nowhere'), path.join(folder, 'aardvark'))
  await expect(resolveData(`folder:${folder}`)).rejects.toThrow(/holds aardvark, which cannot be looked into \(ENOENT\)/)
  rmSync(path.join(folder, 'aardvark'))
  await expect(resolveData(`folder:${path.join(folder, 'tench')}`)).rejects.toThrow(/holds no folders; "folder:" means one folder per class/)
})

describe('list', () => {
  test('header, quotes, both columns of class', async () => {
    const folder = folderWith({ 'in/a.png': await png(2, 2), 'list.csv': '\uFEFFfile,class_index,note,class\r\nin/a.png,4,x,"tench, ""Tinca"""\r\n\r\nb.png,,"two\nlines",zebra\r\n' })
    const items = await resolveData(`list:${path.join(folder, 'list.csv')}`)
    expect(await labels(items)).toEqual([{ index: 4, text: 'tench, "Tinca"' }, { text: 'zebra' }])
    expect((await items[0]!.load()).picture.width).toBe(2)
    await expect(items[1]!.load()).rejects.toThrow(/b\.png does not exist/)
  })

  test.each([
    ['in/a.png,4\n', /has no header that is understood; its first line must name the columns file and class or class_index, and is "in\/a\.png,4"/],
    ['', /has no header/], ['file,class\n', /names no images/], ['file,class\na.png\n', /has 1 values on line 2; its header has 2/],
    ['file,class_index\na.png,-1\n', /gives "-1" as class_index on line 2/], ['file,class\n,x\n', /has no file name on line 2/],
    ['file,class\n"a.png,x\n', /a quote on line 2 that does not end/], ['file,class\n"a"b,x\n', /text after a closing quote on line 2/], ['file,class\na.png,\n', /has no class on line 2/],
  ])('%j is refused', async (text, message) => {
    const file = path.join(folderWith({ 'list.csv': text }), 'list.csv')
    await expect(resolveData(`list:${file}`)).rejects.toThrow(message)
    await expect(resolveData(`list:${file}`)).rejects.toThrow(file)
  })
})

describe('boxes', () => {
  const voc = (size: string, box: string): string => `<?xml version="1.0"?><!-- made --><annotation verified="yes"><filename>a.png</filename>${size}
    <object><name>dog &amp; cat</name><pose/><bndbox>${box}</bndbox></object></annotation>`
  const size = '<size><width>6</width><height>4</height><depth>3</depth></size>'
  const box = '<xmin>2</xmin><ymin>1</ymin><xmax>3.0</xmax><ymax>4</ymax>'

  test('text: both ends belong to a box; the largest class is the label, the others stand beside it', async () => {
    const folder = folderWith({ 'a.png': await png(6, 4), 'a.txt': 'cat 1 1 2 1\r\n\ndog 2 2 4 4\ncat 6 4 7 5 difficult\n' })
    const loaded = await load(`boxes:${folder}`)
    expect(loaded.label).toEqual({ text: 'dog' })
    expect([...loaded.truth!.mask]).toEqual([0, 0, 0, 0, 0, 0, 0, 1, 1, 1, 0, 0, 0, 1, 1, 1, 0, 0, 0, 1, 1, 1, 0, 0])
    expect(loaded.objects!.map((object) => object.label)).toEqual([{ text: 'dog' }, { text: 'cat' }])
    expect([...loaded.objects![1]!.truth.mask].flatMap((bit, i) => (bit ? [i] : []))).toEqual([0, 1, 23])
    expect(await labels(await resolveData(`boxes:${folder}`))).toEqual([{ text: 'dog' }])
  })

  test('Pascal VOC, in its own folders', async () => {
    const folder = folderWith({ 'JPEGImages/a.png': await png(6, 4), 'Annotations/a.xml': voc(size, box) })
    const loaded = await load(`boxes:${folder}`)
    expect(loaded.label).toEqual({ text: 'dog & cat' })
    expect([...loaded.truth!.mask].flatMap((bit, i) => (bit ? [i] : []))).toEqual([1, 2, 7, 8, 13, 14, 19, 20])
  })

  test.each<[string, string, RegExp]>([
    ['a.txt', 'dog 1 2 3\n', /line 1 \("dog 1 2 3"\); write class left top right bottom/],
    ['a.txt', 'dog 1 2 x 4\n', /not understood on line 1/], ['a.txt', 'dog 0.9 1 2 3 4\n', /not understood on line 1/],
    ['a.txt', 'dog 3 1 2 4\n', /right lies left of its left/], ['a.txt', 'dog 1 1 9 4\n', /the box 1 1 9 4, which lies outside of its image of 6 × 4/],
    ['a.xml', 'dog 1 1 2 2', /a\.xml is no XML/], ['a.xml', '', /a\.xml is empty/],
    ['a.xml', '<html><body></body></html>', /no Pascal VOC annotation: its first element is <html>/],
    ['a.xml', '<!DOCTYPE x [<!ENTITY a "b">]><annotation/>', /is no XML that is read here/], ['a.xml', '<annotation>&a;</annotation>', /the entity &a;/],
    ['a.xml', voc(size, box).slice(0, -20), /is cut off|is no XML/], ['a.xml', '<annotation><object></annotation>', /<object> is closed by <\/annotation>/],
    ['a.xml', voc('<size><width>7</width><height>4</height></size>', box), /states 7 × 4 pixels, but .*a\.png has 6 × 4/],
    ['a.xml', voc(size, '<xmin>a</xmin>'), /has "a" as xmin in object 1/], ['a.xml', voc(size, '<xmin>1</xmin>'), /lacks the field ymin in object 1/],
    ['a.xml', voc(size, '').replace(/<name>.*<\/name>/, ''), /lacks the field name in object 1/],
  ])('%s with %j is refused', async (name, text, message) => {
    const folder = folderWith({ 'a.png': await png(6, 4), [name]: text })
    await expect(load(`boxes:${folder}`)).rejects.toMatchObject({ code: 'input' })
    await expect(load(`boxes:${folder}`)).rejects.toThrow(message)
  })

  test('an image without boxes is named', async () => {
    const folder = folderWith({ 'a.png': await png(2, 2), 'b.png': await png(2, 2), 'b.txt': '' })
    await expect(resolveData(`boxes:${folder}`)).rejects.toThrow(/1 image without boxes: a\.png; .*a\.xml is looked for/)
  })

  test('XML is bounded', () => {
    expect(() => parseXml('<a>'.repeat(40), 'f', 'annotation')).toThrow(/more than 16 deep/)
    expect(() => parseXml(`<a>${'<b/>'.repeat(20_001)}</a>`, 'f', 'annotation')).toThrow(/more than the 20000 elements/)
    expect(parseXml('<a x="1>2"><b>&#65;&#x42;&lt;</b></a>', 'f', 'annotation').children[0]!.text).toBe('AB<')
  })
})

describe('segmentation', () => {
  test('all that is not background is the object; classes where they have names', async () => {
    const folder = folderWith({ 'a.jpg': await sharp(await png(3, 2)).jpeg().toBuffer(), 'a_mask.png': await greyPng(3, 2, [0, 1, 2, 2, 0, 255]) })
    const loaded = await load(`segmentation:${folder}`)
    expect(loaded).toMatchObject({ truth: { kind: 'segmentation', mask: Uint8Array.from([0, 1, 1, 1, 0, 0]) } })
    expect(loaded.label).toBeUndefined()
    writeFileSync(path.join(folder, 'classes.txt'), 'background\ncat\ndog\n')
    const named = await load(`segmentation:${folder}`)
    expect(named.objects!.map((object) => object.label)).toEqual([{ text: 'dog' }, { text: 'cat' }])
    expect([...named.truth!.mask]).toEqual([0, 0, 1, 1, 0, 0])
  })

  test('a palette gives numbers, and 255 alone is the object', async () => {
    const folder = folderWith({ 'JPEGImages/a.png': await png(4, 1), 'SegmentationClass/a.png': await greyPng(4, 1, [0, 90, 200, 90], true), 'JPEGImages/b.png': await png(2, 1) })
    const items = await resolveData(`segmentation:${folder}`)
    expect(items).toHaveLength(1)
    expect((await items[0]!.load()).truth!.mask.reduce((a, b) => a + b, 0)).toBeGreaterThan(0)
    const plain = folderWith({ 'a.png': await png(2, 1), 'a_mask.png': await greyPng(2, 1, [0, 255]) })
    expect([...(await load(`segmentation:${plain}`)).truth!.mask]).toEqual([0, 1])
  })

  test('a colour profile in the mask changes no number', async () => {
    const colours = sharp(Uint8Array.from([0, 0, 0, 128, 0, 0, 0, 128, 0, 128, 128, 0]), { raw: { width: 4, height: 1, channels: 3 } }).png({ palette: true })
    const plain = await colours.clone().toBuffer()
    const profiled = await colours.clone().withIccProfile('p3').toBuffer()
    const at = profiled.indexOf('iCCP') - 4
    const chunk = profiled.subarray(at, at + 12 + profiled.readUInt32BE(at))
    // Behind the header, so that nothing but the profile is different.
    const mask = Buffer.concat([plain.subarray(0, 33), chunk, plain.subarray(33)])
    const values = async (bytes: Buffer): Promise<number[][]> => {
      const folder = folderWith({ 'a.png': await png(4, 1), 'a_mask.png': bytes, 'classes.txt': 'a\nb\nc\nd\n' })
      return (await load(`segmentation:${folder}`)).objects!.map(({ truth }) => [...truth.mask])
    }
    expect((await values(plain)).flat().reduce((a, b) => a + b)).toBe(3)
    expect(await values(mask)).toEqual(await values(plain))
  })

  test('no mask, one of another size, one in colour, none at all', async () => {
    const image = await png(2, 2)
    const set = (mask: Uint8Array): string => `segmentation:${folderWith({ 'a.png': image, 'a_mask.png': mask })}`
    await expect(resolveData(`segmentation:${folderWith({ 'a.png': image })}`)).rejects.toThrow(/1 image without a mask: a\.png; .*a_mask\.png is looked for/)
    await expect(load(set(await greyPng(1, 2, [0, 1])))).rejects.toThrow(/a_mask\.png has 1 × 2 pixels, but .*a\.png has 2 × 2/)
    await expect(load(set(image))).rejects.toThrow(/is a PNG in colour/)
    await expect(load(set(await sharp(image).jpeg().toBuffer()))).rejects.toThrow(/is no PNG/)
    await expect(load(set((await greyPng(2, 2, [0, 1, 1, 0])).subarray(0, 60)))).rejects.toThrow(/a_mask\.png is damaged or cut off/)
  })
})

describe('mosaic', () => {
  test('grids of different classes, every image once in a partition, the same for the same seed', async () => {
    const spec = 'mosaic:2(scenes:10@2000000)*2@3'
    const items = await resolveData(spec)
    const again = await resolveData(spec)
    const loaded = await Promise.all(items.map((item) => item.load()))
    const half = loaded.slice(0, loaded.length / 2)
    const sources = half.flatMap((item) => item.objects!.map((object) => object.source))
    expect(new Set(sources).size).toBe(sources.length)
    for (const { objects, picture, label, truth } of loaded) {
      expect(new Set(objects!.map((object) => object.label!.text)).size).toBe(4)
      expect([picture.width, picture.height]).toEqual([128, 128])
      expect(truth).toMatchObject({ kind: 'cell', width: 128, height: 128 })
      expect(label).toEqual(objects![0]!.label)
      // The four cells tile the picture.
      const sum = truth!.mask.map((_, i) => objects!.reduce((total, object) => total + object.truth.mask[i]!, 0))
      expect(new Set(sum)).toEqual(new Set([1]))
    }
    expect((await again[1]!.load()).sha256).toBe(loaded[1]!.sha256)
    expect((await resolveData(`${spec}#1`))[0]!.reference).toBe(`${spec}#1`)
    expect((await (await resolveData('mosaic:2(scenes:10@2000000)@4'))[0]!.load()).sha256).not.toBe(loaded[0]!.sha256)
    expect((await memberAgain(`${spec}#1`, loaded[1]!.sha256))?.reference).toBe(`${spec}#1`)
    expect(await memberAgain(`${spec}#1`, loaded[0]!.sha256)).toBeUndefined()
  })

  test('the cell shows its image', async () => {
    const [item] = await resolveData('mosaic:2(scenes:10@2000000)')
    const { picture, objects } = await item!.load()
    const { truth, source } = objects![0]!
    const cell = (await load(source!)).picture
    const inside = [...picture.data].filter((_, i) => truth.mask[Math.floor(i / 3)] === 1)
    expect(inside).toEqual([...cell.data])
  })

  test.each([['mosaic:2', /is no mosaic/], ['mosaic:1(scenes:9@5)', /N from 2 to 8/], ['mosaic:3(scenes:4@5)', /needs images of 9 different classes for a grid; there are 4 with a class/]])('%s is refused', async (spec, message) => {
    await expect(resolveData(spec)).rejects.toThrow(message)
  })
})

describe('what the classifier sees of a truth', () => {
  const truth = (width: number, height: number, mask: readonly number[]) => ({ kind: 'object' as const, width, height, mask: Uint8Array.from(mask) })
  const view = (width: number, height: number, crop: { left: number; top: number; width: number; height: number }, side: [number, number]) => ({
    picture: { width, height }, crop, size: { width: side[0], height: side[1] },
  })

  test('half of a pixel counts, less does not', () => {
    const four = truth(4, 2, [1, 0, 0, 0, 1, 0, 1, 0])
    expect([...seenTruth(four, view(4, 2, { left: 0, top: 0, width: 4, height: 2 }, [2, 1]))!]).toEqual([1, 0])
  })

  test('a crop, uneven pixels, enlargement', () => {
    const three = truth(3, 1, [0, 1, 0])
    // Output pixels of 1.5: the first holds [0, 1.5), a third of it object; the second as much.
    expect(seenTruth(three, view(3, 1, { left: 0, top: 0, width: 3, height: 1 }, [2, 1]))).toBeNull()
    expect([...seenTruth(three, view(3, 1, { left: 1, top: 0, width: 2, height: 1 }, [4, 2]))!]).toEqual([1, 1, 0, 0, 1, 1, 0, 0])
    expect(() => seenTruth(three, view(4, 1, { left: 0, top: 0, width: 4, height: 1 }, [2, 1]))).toThrow(/does not fit/)
  })

  test('a scene is seen as it is', async () => {
    const { truth: object } = await load('scene:2000007')
    expect(seenTruth(object!, view(64, 64, { left: 0, top: 0, width: 64, height: 64 }, [64, 64]))).toEqual(object!.mask)
  })
})

describe('real data sets', () => {
  dataTest('Fashion-MNIST and MNIST: counts, classes, quickly', async () => {
    const train = await resolveData(`idx:${dataPath('fashion-mnist')}:train`)
    expect(train).toHaveLength(30_000)
    const all = await labels(await resolveData(`idx:${dataPath('fashion-mnist')}`)) as { index: number }[]
    expect(all).toHaveLength(10_000)
    expect(Array.from({ length: 10 }, (_, c) => all.filter(({ index }) => index === c).length)).toEqual(new Array(10).fill(1000))
    expect(await resolveData(`idx:${dataPath('mnist')}`)).toHaveLength(5000)
    expect((await train[29_999]!.load()).picture).toMatchObject({ width: 28, height: 28 })
  })

  dataTest('CIFAR-10, the list of photos, boxes, segmentations, mosaics of photos', async () => {
    const cifar = await resolveData(`cifar10:${dataPath('cifar10')}`)
    expect(cifar).toHaveLength(1000)
    expect((await cifar[0]!.load()).label).toEqual({ index: 3, text: 'cat' })
    expect(await resolveData(`cifar10:${dataPath('cifar10')}:train`)).toHaveLength(1000)
    const list = `list:${dataPath('imagenet-samples', 'labels.csv')}`
    const photos = await resolveData(list)
    expect(photos).toHaveLength(110)
    expect(await photos[2]!.label!()).toMatchObject({ index: 47, text: 'African chameleon, Chamaeleo chamaeleon' })
    expect(await resolveData(`mosaic:2(${list})*5`)).toHaveLength(5 * 27)
    const boxed = await resolveData(`boxes:${dataPath('boxes')}`)
    expect(boxed).toHaveLength(12)
    for (const item of boxed) expect((await item.load()).truth!.kind).toBe('boxes')
    const [bird, dog] = await Promise.all((await resolveData(`segmentation:${dataPath('segmentation')}`)).map((item) => item.load()))
    expect(bird!.truth!.mask.reduce((a, b) => a + b, 0)).toBe(680 + 557 + 51377)
    expect(dog!.truth!.mask.reduce((a, b) => a + b, 0)).toBe(6716 + 1960)
  })
})

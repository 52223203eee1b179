import { describe, expect, test } from 'vitest'
import { collectGroups } from '#renderer/host/dropped-files.ts'

const file = (name: string, size = 3): File => new File([new Uint8Array(size)], name)
const paths = async (...args: Parameters<typeof collectGroups>): Promise<string[][]> => (await collectGroups(...args)).map((group) => group.files.map(({ path }) => path))

/** What a browser makes of something dropped; a folder gives its entries a few at a time. */
function entry(name: string, content: File | object[]): object {
  if (content instanceof File) return { name, isFile: true, file: (found: (f: File) => void) => found(content) }
  return {
    name, isFile: false,
    createReader() {
      const left = [...content]
      return { readEntries: (found: (some: object[]) => void) => found(left.splice(0, 2)) }
    },
  }
}

function dropped(...entries: object[]): DataTransfer {
  return { items: entries.map((one) => ({ kind: 'file', webkitGetAsEntry: () => one })) } as unknown as DataTransfer
}

describe('what is dropped', () => {
  test('is one group per file and per folder', async () => {
    const net = entry('net', [entry('model.json', file('model.json')), entry('.DS_Store', file('.DS_Store')), entry('shards', [entry('a.bin', file('a.bin'))])])
    expect(await paths(dropped(entry('a.png', file('a.png')), net))).toEqual([['a.png'], ['net/model.json', 'net/shards/a.bin']])
  })

  test('loosely beside a model.json belongs to it, pictures do not', async () => {
    expect(await paths([file('model.json'), file('a.png'), file('w.bin'), file('labels.txt')])).toEqual([['model/model.json', 'model/w.bin', 'model/labels.txt'], ['a.png']])
    expect(await paths([file('net.onnx'), file('net.onnx.data'), file('a.jpg'), file('weights')])).toEqual([['net/net.onnx', 'net/net.onnx.data', 'net/weights'], ['a.jpg']])
    expect(await paths([file('net.onnx'), file('a.jpg')])).toEqual([['net.onnx'], ['a.jpg']])
    expect(await paths([file('a.onnx'), file('b.onnx'), file('a.bin')])).toEqual([['a.onnx'], ['b.onnx'], ['a.bin']])
    expect(await paths([file('labels.txt'), file('other.txt')])).toEqual([['labels.txt'], ['other.txt']])
  })

  test('is refused where it is too much, too large, too deep or cannot be read', async () => {
    await expect(collectGroups([{ name: 'big', size: 5 * 2 ** 30 } as File])).rejects.toMatchObject({ code: 'input' })
    const many = Array.from({ length: 10_001 }, (_, i) => entry(`${i}`, file('x', 0)))
    await expect(collectGroups(dropped(entry('d', many)))).rejects.toMatchObject({ code: 'input' })
    let deep = entry('x', file('x'))
    for (let i = 0; i < 20; i++) deep = entry('d', [deep])
    await expect(collectGroups(dropped(deep))).rejects.toMatchObject({ code: 'input' })
    const gone = { name: 'gone.png', isFile: true, file: (_: unknown, fail: (error: Error) => void) => fail(new Error('not found')) }
    await expect(collectGroups(dropped(gone))).rejects.toMatchObject({ code: 'input', subject: 'gone.png' })
  })
})

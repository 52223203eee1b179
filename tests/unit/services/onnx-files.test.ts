import { createHash } from 'node:crypto'
import { mkdirSync, mkdtempSync, rmSync, symlinkSync, truncateSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { SeveralModelsError } from '#services/find-model.ts'
import { createHandles } from '#services/handles.ts'
import { loadModel, type MissingFactsError } from '#services/models.ts'
import { saveModelCard } from '#services/save-card.ts'
import { MaskscopeError } from '#shared/domain/errors.ts'
import type { ModelInfo } from '#shared/domain/model.ts'
import { tinyOnnx, tinyOnnxCard, writeTinyOnnx } from '../../fixtures/tiny-onnx.ts'
import { tinyCard, writeTinyModel } from '../../fixtures/tiny-model.ts'

let folder: string
const at = (...parts: string[]): string => path.join(folder, ...parts)
beforeEach(() => void (folder = mkdtempSync(path.join(tmpdir(), 'maskscope-onnx-'))))
afterEach(() => rmSync(folder, { recursive: true, force: true }))

async function refusal(spec: string): Promise<MaskscopeError> {
  const error: unknown = await loadModel(spec).then(() => null, (e: unknown) => e)
  if (!(error instanceof MaskscopeError)) throw new Error(`expected a refusal, got ${String(error)}`)
  return error
}

describe('found', () => {
  test('by its name and by its folder, named by itself or by the folder', async () => {
    const file = writeTinyOnnx(at('resnet20'))
    for (const spec of [file, at('resnet20')]) {
      const { source, file: found, cardFile } = await loadModel(spec)
      expect(found).toBe(file)
      expect(cardFile).toBe(at('resnet20', 'model-card.json'))
      expect(source).toMatchObject({ format: 'onnx', name: 'resnet20', preprocessing: { range: [0, 1], mean: [0.5, 0.5, 0.5], std: [0.25, 0.25, 0.25] } })
      expect(source.sha256).toBe(createHash('sha256').update(tinyOnnx().bytes).digest('hex'))
    }
    const other = writeTinyOnnx(at('downloads'), { name: 'squeezenet' })
    expect((await loadModel(other)).source.name).toBe('squeezenet')
    expect((await createHandles().give(other)).kind).toBe('model')
    expect((await createHandles().give(at('downloads'))).kind).toBe('model')
  })

  test('several models in a folder are told apart, those of other formats among them, and each has its own card', async () => {
    const a = writeTinyOnnx(at('zoo'), { name: 'a' })
    const b = writeTinyOnnx(at('zoo'), { name: 'b', card: { ...tinyOnnxCard, range: [-1, 1] } })
    const several = await refusal(at('zoo'))
    expect(several).toBeInstanceOf(SeveralModelsError)
    expect((several as SeveralModelsError).models).toEqual([a, b])
    expect((await loadModel(a)).source.preprocessing.range).toEqual([0, 1])
    expect((await loadModel(b)).source.preprocessing.range).toEqual([-1, 1])
    const json = writeTinyModel(at('mixed'), { card: tinyCard })
    writeFileSync(at('mixed', 'net.onnx'), tinyOnnx().bytes)
    expect((await refusal(at('mixed')) as SeveralModelsError).models).toEqual([json, at('mixed', 'net.onnx')])
  })

  test('a folder called x.onnx is a folder', async () => {
    const file = writeTinyOnnx(at('x.onnx'))
    expect((await loadModel(at('x.onnx'))).file).toBe(file)
    mkdirSync(at('box', 'y.onnx'), { recursive: true })
    expect((await refusal(at('box'))).message).toMatch(/holds no \.onnx file and no model\.json/)
  })

  test('without a card it says what is missing; a card saved then bears the name of the model', async () => {
    const file = writeTinyOnnx(folder, { name: 'net', card: null })
    expect((await refusal(file) as MissingFactsError).missing.map(({ field }) => field)).toEqual(['range'])
    const loaded = await loadModel(file, { range: [0, 255] })
    const info = { ...loaded.source, head: 'softmax' } as unknown as ModelInfo
    expect(await saveModelCard(loaded, info)).toBe(at('net.model-card.json'))
    expect((await loadModel(file)).source.preprocessing.range).toEqual([0, 255])
    await expect(saveModelCard(loaded, info)).rejects.toThrow(/There is a net\.model-card\.json in/)
  })
})

describe('weights in files beside it', () => {
  test('are read and belong to the hash', async () => {
    const file = writeTinyOnnx(folder, { external: 'net.data' })
    const { source } = await loadModel(file)
    const { bytes, weights } = tinyOnnx({ external: 'net.data' })
    expect(source).toMatchObject({ format: 'onnx', external: { 'net.data': expect.objectContaining({ length: weights.length }) as unknown } })
    expect(source.sha256).toBe(createHash('sha256').update(bytes).update(weights).digest('hex'))
  })

  test.each([['../outside.data'], ['/etc/hostname'], ['a/../../outside.data'], ['..\\outside.data'], ['C:\\outside.data']])('elsewhere (%s) are refused', async (place) => {
    mkdirSync(at('model'))
    writeFileSync(at('outside.data'), new Uint8Array(4096))
    writeFileSync(at('model', 'net.onnx'), tinyOnnx({ external: place }).bytes)
    const { message, code } = await refusal(at('model', 'net.onnx'))
    expect(code).toBe('input')
    expect(message).toContain('net.onnx')
    expect(message).toMatch(/not a file beside the model/)
  })

  test('behind a link out of the folder, missing, too short, or no file are refused, naming the file', async () => {
    const file = writeTinyOnnx(at('model'), { external: 'net.data' })
    truncateSync(at('model', 'net.data'), 100)
    expect((await refusal(file)).message).toMatch(/The weights file .*net\.data of .*model\.onnx is too short \(100 bytes where the model needs 864\)/)
    rmSync(at('model', 'net.data'))
    expect((await refusal(file)).message).toMatch(/The weights file .*net\.data is missing; put it beside model\.onnx/)
    mkdirSync(at('model', 'net.data'))
    expect((await refusal(file)).message).toMatch(/model\.onnx keeps weights in "net\.data", which is no file/)
    rmSync(at('model', 'net.data'), { recursive: true })
    writeFileSync(at('outside.data'), new Uint8Array(4096))
    symlinkSync(at('outside.data'), at('model', 'net.data'))
    expect((await refusal(file)).message).toMatch(/leads out of the model's own folder/)
  })
})

describe('refused, naming the file', () => {
  test('cut off at any place', async () => {
    const { bytes } = tinyOnnx()
    writeFileSync(at('model-card.json'), JSON.stringify(tinyOnnxCard))
    for (const length of [0, 1, 7, 100, bytes.length >> 1, bytes.length - 1]) {
      writeFileSync(at('net.onnx'), bytes.subarray(0, length))
      const error = await refusal(at('net.onnx'))
      expect(error.code).toBe('input')
      expect(error.message).toContain(at('net.onnx'))
      expect(error.message).toMatch(/empty|damaged|no graph/)
    }
  })

  test('of 3 GB, before anything is read', async () => {
    writeFileSync(at('net.onnx'), '')
    truncateSync(at('net.onnx'), 3 * 2 ** 30)
    const begin = performance.now()
    expect((await refusal(at('net.onnx'))).message).toMatch(/net\.onnx has 3221225472 bytes, more than the 2147483647/)
    expect(performance.now() - begin).toBeLessThan(1000)
  })

  test('weights beside it that are too much together', async () => {
    const file = writeTinyOnnx(folder, { external: 'net.data' })
    truncateSync(at('net.data'), 2 ** 31)
    expect((await refusal(file)).message).toMatch(/model\.onnx and the files with its weights have more than 2147483647 bytes together/)
  })
})

import { createHash } from 'node:crypto'
import { mkdirSync, mkdtempSync, readFileSync, readdirSync, rmSync, truncateSync, writeFileSync, appendFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { afterAll, beforeEach, describe, expect, test } from 'vitest'
import { MaskscopeError } from '#shared/domain/errors.ts'
import type { ModelSource, TfjsSource } from '#shared/domain/model.ts'
import { modelError, loadModel } from '#services/models.ts'
import { dataPath, dataTest } from '../../data.ts'
import { tinyCard, writeTinyModel } from '../../fixtures/tiny-model.ts'

const root = mkdtempSync(path.join(tmpdir(), 'maskscope-models-'))
afterAll(() => rmSync(root, { recursive: true, force: true }))

let folder: string
let counter = 0
beforeEach(() => {
  folder = path.join(root, String(counter++), 'fox')
})

function rewrite(file: string, change: (json: any) => void): void { // eslint-disable-line @typescript-eslint/no-explicit-any
  const json = JSON.parse(readFileSync(file, 'utf8'))
  change(json)
  writeFileSync(file, JSON.stringify(json))
}

function tfjs(source: ModelSource): TfjsSource {
  if (source.format === 'onnx') throw new Error('an ONNX model')
  return source
}

describe('a model with a card', () => {
  test('by its folder and by its file: same source, hash over model.json and shards in order', async () => {
    const file = writeTinyModel(folder, { card: tinyCard, shards: 3 })
    const model = await loadModel(folder)
    expect(await loadModel(file)).toEqual(model)
    const shards = [1, 2, 3].map((i) => readFileSync(path.join(folder, `model-shard${i}of3.bin`)))
    const hash = createHash('sha256').update(readFileSync(file))
    for (const shard of shards) hash.update(shard)
    expect(model.source.sha256).toBe(hash.digest('hex'))
    expect(Buffer.from(tfjs(model.source).weightData)).toEqual(Buffer.concat(shards))
    expect(model.source).toMatchObject({
      name: 'tiny', format: 'tfjs-layers', labels: tinyCard.labels, head: undefined,
      preprocessing: { fit: 'squash', cropFraction: 0.875, resizeFilter: 'bilinear', range: [-1, 1], mean: [0, 0, 0], std: [1, 1, 1], channelOrder: 'rgb' },
    })
    expect(tfjs(model.source).weightSpecs.map((s) => s.name)).toEqual(['conv/kernel', 'conv/bias', 'dense/kernel', 'dense/bias'])
    expect(model.notes).toEqual([])
  })

  test('options override the card, another card replaces it', async () => {
    writeTinyModel(folder, { card: tinyCard })
    const labels = path.join(folder, 'labels.txt')
    writeFileSync(labels, 'a\r\nb\nc\nd\n')
    const given = await loadModel(folder, { fit: 'crop', range: [0, 255], labels })
    expect(given.source).toMatchObject({ labels: ['a', 'b', 'c', 'd'], preprocessing: { fit: 'crop', range: [0, 255] } })
    const card = path.join(folder, 'other.json')
    writeFileSync(card, JSON.stringify({ ...tinyCard, name: 'other', labels: 'labels.txt', head: 'sigmoid' }))
    expect((await loadModel(folder, { card })).source).toMatchObject({ name: 'other', head: 'sigmoid', labels: ['a', 'b', 'c', 'd'] })
  })

  test('one channel: mean and std as many as the input has', async () => {
    writeTinyModel(folder, { channels: 1, card: { range: [0, 1], mean: [0.3], std: [0.2] } })
    expect((await loadModel(folder)).source.preprocessing).toMatchObject({ mean: [0.3], std: [0.2] })
    writeFileSync(path.join(folder, 'model-card.json'), JSON.stringify({ range: [0, 1], mean: [1, 2, 3] }))
    await expect(loadModel(folder)).rejects.toThrow(/mean: the card gives 3 values, the model's input has 1 channels/)
  })
})

describe('what is not stated', () => {
  test('defaults are taken and said', async () => {
    writeTinyModel(folder)
    const model = await loadModel(folder, { range: [0, 1] })
    expect(model.source.name).toBe('fox')
    expect(model.source.preprocessing).toMatchObject({ fit: 'squash', resizeFilter: 'lanczos3', mean: [0, 0, 0], std: [1, 1, 1], channelOrder: 'rgb' })
    expect(model.notes.join()).toMatch(/assumed: fit squash .*resize filter lanczos3, mean 0, std 1, channel order rgb/)
  })

  test.each([['graph', 'fox/graph'], ['graph-uint8', 'fox/graph-uint8'], ['web_model', 'fox/web_model'], ['graphite', 'graphite']])(
    'the name of a model in the folder %s is %s', async (name, expected) => {
      writeTinyModel(path.join(folder, name))
      expect((await loadModel(path.join(folder, name), { range: [0, 1] })).source.name).toBe(expected)
    },
  )

  test('the range cannot be inferred: all that is missing at once', async () => {
    writeTinyModel(folder, { card: { mean: [1, 2] } })
    await expect(loadModel(folder)).rejects.toMatchObject({ code: 'usage' })
    await expect(loadModel(folder)).rejects.toThrow(/\n {2}range: .*--range -1,1.*\n {2}mean: the card gives 2 values[^]*Assumed .*fit squash/)
  })

  test('a folder with several models: they are listed', async () => {
    writeTinyModel(path.join(folder, 'a'), { card: tinyCard })
    expect((await loadModel(folder)).file).toBe(path.join(folder, 'a', 'model.json'))
    writeTinyModel(path.join(folder, 'b'), { card: tinyCard })
    await expect(loadModel(folder)).rejects.toMatchObject({ code: 'usage' })
    await expect(loadModel(folder)).rejects.toThrow(/holds 2 models; say which:\n {2}--model .*a.model\.json\n {2}--model .*b.model\.json/)
    writeTinyModel(folder, { file: 'one.json' })
    writeTinyModel(folder, { file: 'two.json' })
    await expect(loadModel(folder)).rejects.toThrow(/2 models.*\n.*one\.json\n.*two\.json/)
  })
})

describe('refused, naming the file or field and what to do', () => {
  test('no such model, no model.json, other formats', async () => {
    await expect(loadModel(path.join(root, 'nowhere'))).rejects.toThrow(/There is no model at .*nowhere: give an \.onnx file/)
    mkdirSync(folder, { recursive: true })
    await expect(loadModel(folder)).rejects.toThrow(/holds no \.onnx file and no model\.json; give/)
    writeFileSync(path.join(folder, 'net.h5'), '')
    await expect(loadModel(folder)).rejects.toThrow(/net\.h5 is a Keras HDF5 model, which this version does not read; export it to ONNX or TF\.js/)
    await expect(loadModel(path.join(folder, 'net.h5'))).rejects.toThrow(/is a Keras HDF5 model/)
  })

  test('model.json cut off at any place, empty, no model', async () => {
    const file = writeTinyModel(folder, { card: tinyCard })
    const whole = readFileSync(file)
    for (const length of [0, 1, 50, 400, whole.length - 1]) {
      writeFileSync(file, whole.subarray(0, length))
      await expect(loadModel(folder)).rejects.toThrow(/model\.json is (empty|cut off|no valid JSON).*copy or download it again/)
    }
    writeFileSync(file, '{"format": "layers-model"}')
    await expect(loadModel(folder)).rejects.toThrow(/model\.json is no TF\.js model: "modelTopology"/)
    writeFileSync(file, '{"modelTopology": {"what": 1}, "weightsManifest": []}')
    await expect(loadModel(folder)).rejects.toThrow(/neither a layers model nor a graph model/)
  })

  test('shards missing, short, too long', async () => {
    writeTinyModel(folder, { card: tinyCard, shards: 2 })
    const second = path.join(folder, 'model-shard2of2.bin')
    const bytes = readFileSync(second)
    appendFileSync(second, 'x')
    await expect(loadModel(folder)).rejects.toThrow(/together too long \(\d+ bytes where model\.json states \d+\).*download it again/)
    truncateSync(second, bytes.length - 5)
    await expect(loadModel(folder)).rejects.toThrow(/shard1of2\.bin, .*shard2of2\.bin of .* too short/)
    rmSync(second)
    await expect(loadModel(folder)).rejects.toMatchObject({ code: 'input', subject: second })
    await expect(loadModel(folder)).rejects.toThrow(/shard2of2\.bin is missing; put it beside model\.json/)
  })

  test.each(['../secret.bin', '/etc/passwd', 'a/../../secret.bin', '..', 'https://example.org/w.bin', 'C:\\w.bin', '.'])(
    'a shard outside the folder: %s', async (name) => {
      const file = writeTinyModel(folder, { card: tinyCard })
      rewrite(file, (json) => { json.weightsManifest[0].paths = [name] })
      await expect(loadModel(folder)).rejects.toThrow(/names the weights file ".*", which is not in the model's own folder/)
    },
  )

  test('shapes that ask for absurd memory, before it is taken', async () => {
    const file = writeTinyModel(folder, { card: tinyCard })
    rewrite(file, (json) => { json.weightsManifest[0].weights[0].shape = [1e9, 1e9] })
    await expect(loadModel(folder)).rejects.toThrow(/states \d\S* bytes of weights, more than the 2147483648/)
    rewrite(file, (json) => { json.weightsManifest[0].weights[0].shape = [-1] })
    await expect(loadModel(folder)).rejects.toThrow(/"weightsManifest\.0\.weights\.0\.shape\.0"/)
    rewrite(file, (json) => { json.weightsManifest[0].weights[0] = { name: 'words', shape: [1], dtype: 'string' } })
    await expect(loadModel(folder)).rejects.toThrow(/"words" of type string/)
  })

  test.each([
    [{ range: [0] }, 'range'], [{ range: [0, 'x'] }, 'range.1'], [{ range: [1, 1] }, 'range'], [{ fit: 'stretch' }, 'fit'], [{ std: [0] }, 'std.0'],
    [{ cropFraction: 1.5 }, 'cropFraction'], [{ labels: [1, 2] }, 'labels'], [{ head: 'tanh' }, 'head'], [{ resizeFilter: 'cubic' }, 'resizeFilter'],
  ])('a wrong card, by field: %j', async (change, field) => {
    writeTinyModel(folder, { card: { ...tinyCard, ...change } })
    await expect(loadModel(folder)).rejects.toMatchObject({ code: 'input', subject: field })
    await expect(loadModel(folder)).rejects.toThrow(new RegExp(`model-card\\.json is wrong at "${field}"`))
  })

  test.each([['Range', 'range'], ['resize_filter', 'resizeFilter'], ['means', 'mean'], ['rnage', 'range'], ['crop_fraction', 'cropFraction']])(
    'a slip in a key of the card: %s', async (key, meant) => {
      writeTinyModel(folder, { card: { ...tinyCard, [key]: 1 } })
      await expect(loadModel(folder)).rejects.toThrow(`holds "${key}"; write it as "${meant}"`)
    },
  )

  test('keys for people are let be', async () => {
    writeTinyModel(folder, { card: { ...tinyCard, training: { seed: 7 }, description: 'x', scores: [1], license: 'MIT', head: 'softmax' } })
    await expect(loadModel(folder)).resolves.toMatchObject({ source: { head: 'softmax' } })
  })

  test('labels: missing file, an empty line, another number than classes', async () => {
    writeTinyModel(folder, { card: tinyCard })
    const labels = path.join(folder, 'labels.txt')
    await expect(loadModel(folder, { labels })).rejects.toThrow(/labels file .*labels\.txt does not exist/)
    writeFileSync(labels, 'a\n\nb\n')
    await expect(loadModel(folder, { labels })).rejects.toThrow(/labels\.txt has nothing on line 2/)
    writeFileSync(labels, 'a\nb\n')
    const model = await loadModel(folder, { labels })
    const found = new MaskscopeError('input', 'There are 2 labels for 4 classes. Give one label per class, or none.', { subject: 'labels' })
    expect(String(modelError(found, model))).toMatch(/labels\.txt does not fit the model tiny\. There are 2 labels for 4 classes/)
    const other = new MaskscopeError('input', 'x', { subject: 'range' })
    expect(modelError(other, model)).toBe(other)
  })
})

describe('real models', () => {
  dataTest('the three ImageNet models: format, input, size', async () => {
    const base = dataPath('models', 'imagenet')
    const labels = path.join(base, 'labels1001.txt')
    for (const [name, format] of [
      ['mobilenet_v1_0.25_128/layers', 'tfjs-layers'], ['mobilenet_v1_0.25_128/graph', 'tfjs-graph'], ['mobilenet_v2_1.0_224/graph-uint8', 'tfjs-graph'],
    ] as const) {
      const model = await loadModel(path.join(base, name), { range: [-1, 1], labels })
      expect(model.source.format).toBe(format)
      expect(model.source.labels?.[1]).toBe('tench, Tinca tinca')
      const binary = readdirSync(path.join(base, name)).find((n) => n.endsWith('.bin'))!
      expect(tfjs(model.source).weightData.length).toBe(readFileSync(path.join(base, name, binary)).length)
    }
    // An ONNX file stands in the folder itself, TF.js models in folders below it.
    expect((await loadModel(path.join(base, 'mobilenet_v1_0.25_128'), { range: [-1, 1] })).source.format).toBe('onnx')
  })
})

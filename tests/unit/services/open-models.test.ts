import { mkdirSync, mkdtempSync, readFileSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { afterAll, beforeEach, describe, expect, test } from 'vitest'
import type { ModelInfo, ModelSource } from '#shared/domain/model.ts'
import { createHandles } from '#services/handles.ts'
import { loadModel } from '#services/models.ts'
import { createOpenModels } from '#services/open-models.ts'
import { saveModelCard } from '#services/save-card.ts'
import { createFiles, nodeOperations } from '#storage/files.ts'
import { tinyCard, writeTinyModel } from '../../fixtures/tiny-model.ts'

const root = mkdtempSync(path.join(tmpdir(), 'maskscope-open-models-'))
afterAll(() => rmSync(root, { recursive: true, force: true }))

let folder: string
let counter = 0
beforeEach(() => {
  folder = path.join(root, String(counter++), 'fox')
})

/** What the engine would tell; the engine itself is asked in tests/integration/desk-refusals.test.ts. */
function infoOf({ name, sha256, preprocessing, labels }: ModelSource): Promise<ModelInfo> {
  return Promise.resolve({
    name, sha256, format: 'TF.js layers model', input: { height: 16, width: 16, channels: 3 }, classes: 4, labels, head: 'softmax', access: 'gradient', preprocessing,
    parameters: 1, multiplyAdds: 1, notes: [], executor: { id: 'tfjs', reason: 'For the test.', measured: {}, version: null },
  })
}

function open() {
  const handles = createHandles()
  const opened: string[] = []
  const models = createOpenModels({ pool: { info: infoOf }, handles, onOpen: (place) => void opened.push(place) })
  return { handles, models, opened, from: async (file: string) => ({ file: (await handles.give(file)).handle }) }
}

describe('a model without a card', () => {
  test('is incomplete until the range is stated; then a card can be saved, which opens it as it was', async () => {
    writeTinyModel(folder)
    const labels = path.join(root, 'my labels.txt')
    writeFileSync(labels, 'a\nb\nc\nd\n')
    const { models, handles, from } = open()
    const first = await models.open(await from(folder), {})
    expect(first).toMatchObject({ state: 'incomplete', name: 'fox', missing: ['range'], message: expect.not.stringContaining('--') as string })
    const file = (first as { file: string }).file
    expect(handles.path(file)).toBe(path.join(folder, 'model.json'))
    const stated = { range: [-1, 1] as [number, number], fit: 'crop' as const, labels: (await handles.give(labels)).handle }
    const second = await models.open({ file }, stated)
    if (second.state !== 'open') throw new Error(second.message)
    expect(second).toMatchObject({ cardless: true, bundled: false, stated, info: { labels: ['a', 'b', 'c', 'd'] }, notes: [expect.stringContaining('resize filter')] })

    const card = await models.saveCard(second.model)
    expect(JSON.parse(readFileSync(card, 'utf8'))).toEqual({
      name: 'fox', fit: 'crop', cropFraction: 0.875, resizeFilter: 'lanczos3', range: [-1, 1], mean: [0, 0, 0], std: [1, 1, 1], channelOrder: 'rgb',
      labels: 'my labels.txt', head: 'softmax',
    })
    expect(readdirSync(folder).sort()).toEqual(['model-card.json', 'model-shard1of1.bin', 'model.json', 'my labels.txt'])
    const third = await models.open({ file }, {})
    if (third.state !== 'open') throw new Error(third.message)
    expect(third).toMatchObject({ cardless: false, notes: [] })
    expect(third.info).toEqual(second.info)
    await expect(models.saveCard(third.model)).rejects.toMatchObject({ code: 'usage', subject: 'model' })
    expect(JSON.parse(readFileSync(card, 'utf8'))).toMatchObject({ name: 'fox' })
  })

  test('labels of the same name and other content beside it stay as they are', async () => {
    writeTinyModel(folder)
    writeFileSync(path.join(folder, 'labels.txt'), '1\n2\n3\n4\n')
    const elsewhere = path.join(folder, '..', 'labels.txt')
    writeFileSync(elsewhere, 'a\nb\nc\nd\n')
    const { models, handles, from } = open()
    const opened = await models.open(await from(folder), { range: [0, 1], labels: (await handles.give(elsewhere)).handle })
    if (opened.state !== 'open') throw new Error(opened.message)
    await models.saveCard(opened.model)
    expect(readFileSync(path.join(folder, 'labels.txt'), 'utf8')).toBe('1\n2\n3\n4\n')
    expect(JSON.parse(readFileSync(path.join(folder, 'model-card.json'), 'utf8'))).toMatchObject({ labels: 'labels-2.txt' })
    expect(readFileSync(path.join(folder, 'labels-2.txt'), 'utf8')).toBe('a\nb\nc\nd\n')
  })

  test('on a disk that cannot be written: the place is named, nothing is left', async () => {
    writeTinyModel(folder)
    const loaded = await loadModel(folder, { range: [0, 1] })
    const open = (): never => {
      throw Object.assign(new Error('EROFS: injected'), { code: 'EROFS' })
    }
    const saving = saveModelCard(loaded, await infoOf(loaded.source), createFiles({ ...nodeOperations, open }))
    await expect(saving).rejects.toMatchObject({ code: 'storage', subject: 'model', message: expect.stringMatching(/\/model-card\.json: .*read-only/) as string })
    await expect(saving).rejects.toThrow(folder)
    expect(readdirSync(folder).sort()).toEqual(['model-shard1of1.bin', 'model.json'])
  })
})

test('the same model stated the same way keeps its handle, stated otherwise it gets another', async () => {
  writeTinyModel(folder, { card: tinyCard })
  const { models, from, opened } = open()
  const source = await from(folder)
  const [one, two, three] = [await models.open(source, {}), await models.open(source, {}), await models.open(source, { fit: 'crop' })] as { model: string }[]
  expect(two!.model).toBe(one!.model)
  expect(three!.model).not.toBe(one!.model)
  expect((await models.get(three!.model)).source.preprocessing.fit).toBe('crop')
  expect((await models.get(one!.model)).source.preprocessing.fit).toBe('squash')
  expect(opened).toEqual(new Array(3).fill(path.join(folder, 'model.json')))
})

test('only a few models are kept with their weights; one that changed meanwhile is refused', async () => {
  const { models, from } = open()
  const handles: string[] = []
  for (let i = 0; i < 6; i++) {
    writeTinyModel(path.join(folder, String(i)), { card: { ...tinyCard, name: `tiny ${i}` } })
    handles.push((await models.open(await from(path.join(folder, String(i))), {}) as { model: string }).model)
  }
  expect((await models.get(handles[0]!)).source.name).toBe('tiny 0')
  writeFileSync(path.join(folder, '1', 'model-card.json'), JSON.stringify({ ...tinyCard, range: [0, 255] }))
  await expect(models.get(handles[1]!)).rejects.toMatchObject({ code: 'input', subject: 'model', message: expect.stringMatching(/has changed/) as string })
  await expect(models.get('nothing')).rejects.toMatchObject({ code: 'usage', subject: 'model' })
})

describe('refused, with the field it belongs to', () => {
  test('several models, no model, a card that does not fit, another program\'s file', async () => {
    const { models, from } = open()
    writeTinyModel(path.join(folder, 'a'), { card: tinyCard })
    writeTinyModel(path.join(folder, 'b'), { card: tinyCard })
    await expect(models.open(await from(folder), {})).rejects.toMatchObject({ subject: 'model', message: expect.stringMatching(/2 models \(a.model\.json, b.model\.json\); open one/) as string })
    mkdirSync(path.join(folder, 'c'))
    await expect(models.open(await from(path.join(folder, 'c')), {})).rejects.toMatchObject({ code: 'input', subject: 'model' })
    writeFileSync(path.join(folder, 'a', 'model-card.json'), JSON.stringify({ ...tinyCard, mean: [1, 2] }))
    await expect(models.open(await from(path.join(folder, 'a')), {})).rejects.toMatchObject({ code: 'input', subject: 'model', message: expect.stringMatching(/mean: the card gives 2 values/) as string })
    await expect(models.open({ file: 'handle of another session' }, {})).rejects.toMatchObject({ code: 'usage', subject: 'model' })
    await expect(models.open({ bundled: '../demo' }, {})).rejects.toMatchObject({ code: 'usage', subject: 'model' })
  })

  test('labels', async () => {
    const { models, handles, from } = open()
    writeTinyModel(folder, { card: tinyCard })
    const labels = path.join(folder, 'empty.txt')
    writeFileSync(labels, '')
    await expect(models.open(await from(folder), { labels: (await handles.give(labels)).handle })).rejects.toMatchObject({ code: 'input', subject: 'labels' })
  })
})

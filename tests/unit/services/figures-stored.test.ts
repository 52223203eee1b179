import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import sharp from 'sharp'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { figureOfStoredRun, renderRunFigure } from '#services/figures.ts'
import { runFigureData } from '#services/figures/stored-run.ts'
import { openStudy } from '#services/studies.ts'
import { openStudyForWriting, type RunResult } from '#services/study-writer.ts'
import type { RunOrderManifest } from '#storage/manifests.ts'

let folder: string
beforeEach(() => void (folder = path.join(mkdtempSync(path.join(tmpdir(), 'maskscope-figure-')), 'Study')))
afterEach(() => rmSync(path.dirname(folder), { recursive: true, force: true }))

const own = { width: 2, height: 2, data: Float32Array.from([0, 0.25, 0.5, 1]) }

/** A study with one run over a picture of this size; the changes go over its order and its result. */
async function storeRun(width: number, height: number, changes: { order?: Partial<RunOrderManifest>; result?: Partial<RunResult['facts']> } = {}) {
  const study = await openStudyForWriting(folder)
  const png = await sharp({ create: { width, height, channels: 3, background: '#336699' } }).png().toBuffer()
  const order: RunOrderManifest = {
    model: {
      name: 'tiny', sha256: 'c'.repeat(64), format: 'TF.js layers model', input: { height: 2, width: 2, channels: 3 }, classes: 4, head: 'softmax',
      preprocessing: { fit: 'squash', cropFraction: 1, resizeFilter: 'box', range: [0, 1], mean: [0], std: [1], channelOrder: 'rgb' },
    },
    image: { kind: 'file', reference: 'blue.png', ...(await study.storeInput(png, 'png')), seenSha256: 'd'.repeat(64) },
    view: { picture: { width, height }, crop: { left: 0, top: 0, width, height }, size: { width: 2, height: 2 } },
    method: 'neuromask', parameters: { preset: 'cifar10-demo', iterations: 2, fill: 'zero', 'sparsity-weight': 2, kernel: '5x5', flip: true }, seed: 5, target: 'auto', changes: [], executor: 'tfjs',
    ...changes.order,
  }
  const id = study.reserveRun('blue', 'neuromask')
  await study.beginRun(id, order, { image: 'blue.png', model: 'tiny' })
  await study.finishRun(id, {
    facts: {
      backend: 'wasm', executor: 'tfjs', versions: { maskscope: '0.1.0', tfjs: '4.22.0', onnxruntime: null }, target: { index: 2, label: 'sky' }, score: 'log-probability',
      probability: { original: 0.9, masked: 0.8 }, iterations: 2, evaluations: { forward: 5, backward: 3 }, range: [0, 1], signed: false, scale: 1, notes: [],
      ...changes.result,
    },
    saliency: { width, height, data: new Float32Array(width * height) },
    own, ranking: null, frames: [],
    losses: { columns: ['iteration', 'prediction', 'total', 'probability'], rows: [[0, 1, 3, 0.5], [1, 1, 2, 0.25], [2, 0, 1, 0.125]] },
    seconds: 1.5, device: 'a processor', executor: { id: 'tfjs', reason: 'It was asked for.', measured: {}, version: null },
  })
  await study.close()
  return (await openStudy(folder)).readRun(id)
}

test('the figure shows what the study holds', async () => {
  const data = await runFigureData(await storeRun(12, 8))
  expect(data.map).toEqual(own)
  expect([data.picture.width, data.picture.height, ...data.picture.data.subarray(0, 3)]).toEqual([12, 8, 0x33, 0x66, 0x99])
  expect(data.losses).toEqual({
    iterations: [0, 1, 2],
    terms: [{ name: 'prediction', values: [1, 1, 0] }, { name: 'total', values: [3, 2, 1] }],
    probability: [0.5, 0.25, 0.125],
  })
  expect(data).toMatchObject({ image: 'blue.png', model: 'tiny', method: 'NeuroMask', target: { index: 2, label: 'sky' }, seed: 5, backend: 'wasm', executor: 'tfjs', range: [0, 1] })
})

test('settings are the preset, what was changed in it, and the fill', async () => {
  const { settings } = await runFigureData(await storeRun(12, 8))
  expect(settings).toEqual(['preset CIFAR-10 demo', 'λs = 2', 'smoothness kernel: 5 × 5', 'fill: black', 'flip on'])
})

test('runs of a method that this version lacks are shown with all their parameters', async () => {
  const data = await runFigureData(await storeRun(12, 8, { order: { method: 'method-to-come', parameters: { depth: 3 } } }))
  expect([data.method, ...data.settings]).toEqual(['method-to-come', 'depth = 3'])
})

test('limits that a run leaves open are infinite, missing probabilities stay missing', async () => {
  const data = await runFigureData(await storeRun(12, 8, { result: { range: [0, null], probability: { original: null, masked: null } } }))
  expect(data.range).toEqual([0, Infinity])
  expect(data.probability).toEqual({ original: null, masked: null })
})

test('large pictures are shown with at most 2,048 pixels on the longer side', async () => {
  const { picture } = await runFigureData(await storeRun(4100, 41))
  expect([picture.width, picture.height, picture.data.length]).toEqual([2048, 20, 2048 * 20 * 3])
})

test('the same bytes as from the data, in every format, whenever the run was made', async () => {
  const run = await storeRun(12, 8)
  const data = await runFigureData(run)
  for (const format of ['png', 'svg', 'pdf'] as const) {
    const bytes = await figureOfStoredRun(run, { format, dpi: 100 })
    expect(Buffer.compare(bytes, await renderRunFigure(data, { format, dpi: 100 })), format).toBe(0)
  }
})

test('a picture that was changed, or is not the run’s, is refused', async () => {
  const run = await storeRun(12, 8, { order: { view: { picture: { width: 13, height: 8 }, crop: { left: 0, top: 0, width: 13, height: 8 }, size: { width: 2, height: 2 } } } })
  await expect(runFigureData(run)).rejects.toThrow(/12 × 8 pixels, the run says 13 × 8/)
  writeFileSync(path.join(folder, run.manifest.order.image.file), 'other bytes')
  await expect(runFigureData(run)).rejects.toThrow(/changed/)
})

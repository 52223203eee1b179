import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { memory } from '@tensorflow/tfjs-core'
import { afterAll, beforeAll, expect, test, vi } from 'vitest'
import { initWasm } from '#engine/backend/wasm.ts'
import { loadClassifier } from '#engine/classifier/load.ts'
import { resolveData } from '#services/datasets.ts'
import { loadModel } from '#services/models.ts'
import { halfOf } from '#services/reconstruction/halves.ts'
import { bytesOf } from '#services/reconstruction/salient-images.ts'
import { readTrainingData } from '../../scripts/train/data.ts'
import { networks } from '../../scripts/train/networks.ts'
import { performTraining, type TrainingOrder } from '../../scripts/train/perform.ts'

vi.setConfig({ testTimeout: 120_000, hookTimeout: 120_000 })

const root = mkdtempSync(path.join(tmpdir(), 'maskscope-train-'))
beforeAll(() => initWasm())
afterAll(() => rmSync(root, { recursive: true, force: true }))

/** An IDX pair of bright bars, lying (class 0), standing (1) or none (2), at any place, over a little noise. */
function writeBars(folder: string, part: 'train' | 't10k', classes: readonly number[], side = 12): void {
  mkdirSync(folder, { recursive: true })
  const pixels = Buffer.alloc(16 + classes.length * side * side)
  for (const [i, value] of [0x803, classes.length, side, side].entries()) pixels.writeUInt32BE(value, 4 * i)
  classes.forEach((label, n) => {
    const at = 2 + ((7 * n) % (side - 4))
    for (let i = 0; i < side * side; i++) {
      const on = label === 0 ? Math.floor(i / side) === at : label === 1 && i % side === at
      pixels[16 + n * side * side + i] = (on ? 200 : 0) + ((31 * i + 17 * n) % 40)
    }
  })
  const labels = Buffer.from([0, 0, 8, 1, 0, 0, classes.length >> 8, classes.length & 255, ...classes])
  writeFileSync(path.join(folder, `${part}-images-idx3-ubyte`), pixels)
  writeFileSync(path.join(folder, `${part}-labels-idx1-ubyte`), labels)
}

/** Each class in both halves. */
const shared = (count: number): number[] => Array.from({ length: count }, (_, i) => Math.floor(i / 2) % 3)

function order(more: Partial<TrainingOrder> = {}): TrainingOrder {
  return { spec: `idx:${path.join(root, 'bars')}`, out: path.join(root, 'out'), epochs: 3, seed: 1, backend: 'wasm', ...more }
}

const bytes = (folder: string): string => readFileSync(path.join(folder, 'group1-shard1of1.bin')).toString('latin1')

test('two networks, each on its own half, that the program opens; interrupted after any epoch they end with the same weights', async () => {
  writeBars(path.join(root, 'bars'), 'train', shared(240))
  writeBars(path.join(root, 'bars'), 't10k', shared(60))
  const data = await readTrainingData(order().spec)
  expect([data.half('a').count, data.half('b').count, data.test.count, data.classes]).toEqual([120, 120, 60, 3])
  expect(data.half('b').pixels.subarray(0, 144)).toEqual(await bytesOf((await resolveData(`${order().spec}:train`))[1]!, { name: 'x', input: { height: 12, width: 12, channels: 1 }, preprocessing: { fit: 'squash', cropFraction: 1, resizeFilter: 'bilinear', range: [0, 1], mean: [0], std: [1], channelOrder: 'rgb' }, labels: null, classes: 3 }))
  const lines: string[] = []
  for (const network of networks) await performTraining(network, data, order({ labels: ['lying', 'standing', 'none'] }), (line) => lines.push(line))
  expect(lines.filter((line) => line.startsWith('judge: epoch'))).toHaveLength(3)
  expect(lines.at(-1)).toMatch(/^judge: \d+\.\d\d% of the 60 test images right, .* min, written to /)

  for (const { name } of networks) {
    const { source, notes } = await loadModel(path.join(root, 'out', name))
    expect([notes, source.labels]).toEqual([[], ['lying', 'standing', 'none']])
    const classifier = await loadClassifier(source)
    expect(classifier.info).toMatchObject({ access: 'gradient', head: 'softmax', classes: 3, input: { height: 12, width: 12, channels: 1 } })
    // The accuracy that the card states, by the program that opens it.
    const test = await resolveData(order().spec)
    let right = 0
    for (const [i, item] of test.entries()) {
      const image = Float32Array.from(await bytesOf(item, classifier.info), (value) => value / 255)
      const logits = await classifier.logits({ count: 1, height: 12, width: 12, channels: 1, data: image })
      if (logits.indexOf(Math.max(...logits)) === shared(60)[i]) right++
    }
    const card = JSON.parse(readFileSync(path.join(root, 'out', name, 'model-card.json'), 'utf8')) as { scores: { top1: number; on: string } }
    expect(card.scores).toEqual({ top1: right / 60, on: 'the 60 test images' })
    classifier.dispose()
  }
  expect(bytes(path.join(root, 'out', 'classifier'))).not.toBe(bytes(path.join(root, 'out', 'judge')))

  const [classifier] = networks
  const stopped = order({ out: path.join(root, 'stopped'), labels: ['lying', 'standing', 'none'] })
  for (const epochs of [1, 1]) {
    let seen = 0
    await expect(performTraining(classifier!, data, stopped, () => {
      if (++seen === epochs) throw new Error('killed')
    })).rejects.toThrow('killed')
    expect(readdirSync(path.join(root, 'stopped', 'classifier')).sort()).toEqual(['checkpoint.npy', 'training.json'])
  }
  await performTraining(classifier!, data, stopped, () => undefined)
  expect(bytes(path.join(root, 'stopped', 'classifier'))).toBe(bytes(path.join(root, 'out', 'classifier')))
  expect(readdirSync(path.join(root, 'stopped', 'classifier')).sort()).toEqual(['group1-shard1of1.bin', 'model-card.json', 'model.json', 'training.json'])

  const before = memory().numTensors
  const again: string[] = []
  await performTraining(classifier!, data, stopped, (line) => again.push(line))
  expect(again).toEqual([`classifier: trained already, in ${path.join(root, 'stopped', 'classifier')}`])
  expect(memory().numTensors).toBe(before)
  await expect(performTraining(classifier!, data, { ...stopped, seed: 2 }, () => undefined)).rejects.toMatchObject({ code: 'usage', message: expect.stringMatching(/another "seed"/) as string })
})

test('data that cannot train a classifier are refused before anything is written', async () => {
  const refused = async (name: string, train: readonly number[], others: readonly number[], message: RegExp, sides = [12, 12]): Promise<void> => {
    const folder = path.join(root, name)
    writeBars(folder, 'train', train, sides[0])
    writeBars(folder, 't10k', others, sides[1])
    await expect(readTrainingData(`idx:${folder}`)).rejects.toMatchObject({ code: 'input', message: expect.stringMatching(message) as string })
  }
  await refused('one', [1, 1, 1, 1], [1], /images of one class only/)
  await refused('odd', [0, 1, 0, 1], [1], /no image of class 1 among its training images of even number/)
  await refused('sizes', shared(12), [1], /training images of 12×12 and test images of 14×14 pixels/, [12, 14])
  await refused('small', shared(12), [1], /images of 6×6 pixels; the networks need at least 8×8/, [6, 6])
  await refused('beyond', shared(12), [1, 5], /test images of class 5/)
  const unlabelled = path.join(root, 'unlabelled')
  writeBars(unlabelled, 'train', shared(12))
  rmSync(path.join(unlabelled, 'train-labels-idx1-ubyte'))
  await expect(readTrainingData(`idx:${unlabelled}`)).rejects.toMatchObject({ message: expect.stringMatching(/train-labels-idx1-ubyte/) as string })
  for (const spec of ['scenes:4@0', `idx:${unlabelled}:train`, `idx:${unlabelled}#1`]) {
    await expect(readTrainingData(spec)).rejects.toMatchObject({ code: 'usage', message: expect.stringMatching(/cannot be trained on; give idx:DIR or cifar10:DIR/) as string })
  }
  expect(halfOf([0, 1, 2], 'b')).toEqual([1])
})

import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { afterAll, beforeAll, expect, test, vi } from 'vitest'
import { createWorkbench } from '#main/workbench.ts'
import { loadModel } from '#services/models.ts'
import type { AskedReconstruction } from '#services/reconstruction/order.ts'
import { partsOf } from '#services/reconstruction/parts.ts'
import { reconstructCommand, varyCommand } from '#services/reconstruction/reconstruct-command.ts'
import { createReconstructions, type ReconstructionNews } from '#services/reconstruction/reconstructions.ts'
import { createFiles, nodeOperations, type FileOperations } from '#storage/files.ts'
import { createRandom } from '#shared/random/random.ts'
import type { ReconstructionReport } from '#shared/domain/reconstruction.ts'
import { runCli, runCliHere, startCli } from '../fixtures/cli.ts'

vi.setConfig({ testTimeout: 240_000 })

const root = mkdtempSync(path.join(tmpdir(), 'maskscope-reconstruct-'))
afterAll(() => rmSync(root, { recursive: true, force: true }))

/** The class of a picture is its brightest quadrant. */
const [side, classes] = [28, 4]

function quadrant(pixel: number): number {
  return 2 * Number(Math.floor(pixel / side) >= side / 2) + Number(pixel % side >= side / 2)
}

/** A linear classifier of quadrants, as a layers model. @param sharpness makes two of them different files */
function writeClassifier(name: string, sharpness: number): void {
  const folder = path.join(root, name)
  mkdirSync(folder)
  const kernel = Float32Array.from({ length: side * side * classes }, (_, i) => (quadrant(Math.floor(i / classes)) === i % classes ? sharpness / 49 : 0))
  const layers = [
    ['InputLayer', { name: 'input', batch_input_shape: [null, side, side, 1], dtype: 'float32', sparse: false }],
    ['Flatten', { name: 'flat' }], ['Dense', { name: 'dense', units: classes, activation: 'softmax', use_bias: true }],
  ].map(([class_name, config]) => ({ class_name, config }))
  writeFileSync(path.join(folder, 'weights.bin'), new Uint8Array(Float32Array.from([...kernel, 0, 0, 0, 0]).buffer))
  writeFileSync(path.join(folder, 'model-card.json'), JSON.stringify({ name, fit: 'squash', range: [0, 1], mean: [0], std: [1], labels: ['a', 'b', 'c', 'd'] }))
  writeFileSync(path.join(folder, 'model.json'), JSON.stringify({
    format: 'layers-model', modelTopology: { keras_version: 'tfjs-layers 4.22.0', backend: 'tensor_flow.js', model_config: { class_name: 'Sequential', config: { name, layers } } },
    weightsManifest: [{ paths: ['weights.bin'], weights: [{ name: 'dense/kernel', shape: [side * side, classes], dtype: 'float32' }, { name: 'dense/bias', shape: [classes], dtype: 'float32' }] }],
  }))
}

function writeIdx(part: string, count: number): void {
  const random = createRandom(1, part)
  const header = (magic: number, ...sizes: number[]): Uint8Array => {
    const bytes = Buffer.alloc(4 * (sizes.length + 1));
    [magic, ...sizes].forEach((value, i) => bytes.writeUInt32BE(value, 4 * i))
    return bytes
  }
  const pixels = Uint8Array.from({ length: count * side * side }, (_, at) => (quadrant(at % (side * side)) === Math.floor(at / (side * side)) % classes ? 150 + random.below(100) : random.below(60)))
  writeFileSync(path.join(root, 'data', `${part}-images-idx3-ubyte`), Buffer.concat([header(0x803, count, side, side), pixels]))
  writeFileSync(path.join(root, 'data', `${part}-labels-idx1-ubyte`), Buffer.concat([header(0x801, count), Uint8Array.from({ length: count }, (_, i) => i % classes)]))
}

beforeAll(() => {
  writeClassifier('explained', 4)
  writeClassifier('judging', 5)
  mkdirSync(path.join(root, 'data'))
  writeIdx('train', 60)
  writeIdx('t10k', 8)
})

const asked = [
  'reconstruct', '--model', 'explained', '--judge', 'judging', '--data', 'idx:data', '--method', 'gradient', '--epochs', '2', '--generator-set', 'latent=3', '--generator-set', 'batch=16', '--generator-set', 'recognition=false', '--seed', '5', '--jobs', '1',
  '--backend', 'wasm', '--executor', 'tfjs',
]
const only = (study: string): string => path.join(root, study, 'reconstructions', readdirSync(path.join(root, study, 'reconstructions'))[0]!)
const keys = ['images', 'classifierAccuracy', 'judgeAccuracy', 'judgeOnClean', 'rawAgreement', 'inLoop', 'controls', 'acceptance', 'diversity', 'memorising', 'perClass', 'confusion', 'generator']

test('masks, training and report from the command line, and variations of an image', async () => {
  const { code, stdout, stderr } = await runCli([...asked, '--out', 'whole', '--json'], root)
  expect(code, stderr).toBe(0)
  const report = JSON.parse(stdout) as ReconstructionReport
  expect(Object.keys(report)).toEqual(expect.arrayContaining(keys))
  expect(report).toMatchObject({ images: 8, classifierAccuracy: 1, judgeAccuracy: 1, judgeOnClean: 1 })
  expect(Object.keys(report.controls).sort()).toEqual(['empty', 'maskAlone', 'randomMask', 'randomOfClass', 'salientUndecoded', 'swapped'])
  expect(report.controls.randomOfClass).toBe(1)
  expect(report.confusion.flat().reduce((a, b) => a + b)).toBe(8)
  expect(report.confusion.reduce((sum, row, i) => sum + row[i]!, 0) / 8).toBeCloseTo(report.inLoop, 12)
  expect(report.perClass.map(({ label, images }) => [label, images])).toEqual([['a', 2], ['b', 2], ['c', 2], ['d', 2]])

  const generator = path.join(root, 'whole', report.generator)
  const drawn = await runCliHere(['vary', 'idx:data#2', '--generator', generator, '--count', '5', '--pin', '--out', 'drawn', '--json', '--backend', 'wasm'], root)
  expect(drawn.code, drawn.stderr).toBe(0)
  const variations = JSON.parse(drawn.stdout) as { outcome: { label: string }; acceptance: number; variations: { file: string; accepted: boolean; label: string }[] }
  expect(variations.outcome.label).toBe('c')
  expect(variations.variations).toHaveLength(5)
  expect(variations.acceptance).toBe(variations.variations.filter(({ accepted }) => accepted).length / 5)
  for (const { accepted, label } of variations.variations) expect(accepted).toBe(label === 'c')
  for (const name of ['sheet.png', ...variations.variations.map(({ file }) => file)]) expect(readFileSync(path.join(root, 'drawn', name)).subarray(1, 4).toString()).toBe('PNG')

  const again = await runCliHere([...asked, '--out', 'whole'], root)
  expect(again.code, again.stderr).toBe(0)
  expect(again.stderr).toMatch(/is the same and finished/)
  expect(again.stdout).toMatch(/Empty input +0\.\d{3}/)
  expect(readdirSync(path.join(root, 'whole', 'reconstructions'))).toHaveLength(1)
})

test('killed while it trains, the same command ends with the same bytes', async () => {
  const killed = startCli([...asked, '--out', 'killed'], root)
  const reached = (): boolean => existsSync(path.join(root, 'killed', 'reconstructions', '0001-data', 'checkpoint', 'checkpoint.json'))
  while (!reached()) await sleep(10)
  killed.child.kill('SIGKILL')
  await killed.ended
  const again = await runCli([...asked, '--out', 'killed'], root)
  expect(again.code, again.stderr).toBe(0)
  expect(again.stderr).toMatch(/Going on with 0001-data/)
  const [whole, other] = [only('whole'), only('killed')]
  for (const file of ['report.json', 'curves.csv', 'reconstruction.json', 'generator/generator.json', 'generator/encoder/weights.bin', 'generator/decoder/weights.bin', 'generator/decoder/model.json', 'samples/epoch-002.npy']) {
    expect(readFileSync(path.join(other, file)).equals(readFileSync(path.join(whole, file))), file).toBe(true)
  }
})

test('paused, cancelled, gone on with, deleted and brought back: the same bytes; a second one takes over the masks', async () => {
  const workbench = createWorkbench({ jobs: 1, backend: 'wasm', executor: () => 'tfjs' })
  try {
    const reconstructions = createReconstructions({ pool: workbench.pool, study: path.join(root, 'service') })
    const news: ReconstructionNews[] = []
    reconstructions.subscribe((one) => news.push(one))
    const next = (what: (one: ReconstructionNews) => boolean): Promise<void> => new Promise((resolve) => {
      const end = reconstructions.subscribe((one) => {
        if (!what(one)) return
        end()
        resolve()
      })
    })
    const order: AskedReconstruction = {
      model: { model: await loadModel(path.join(root, 'explained')), stated: {} }, judge: { model: await loadModel(path.join(root, 'judging')), stated: {} },
      data: `idx:${path.join(root, 'data')}`, images: null, test: 1000, method: 'gradient', parameters: {}, settings: { 'epochs': '2', 'latent': '3', 'batch': 16, 'recognition': false }, seed: 5,
    }
    await expect(reconstructions.start({ ...order, settings: { latent: -1 } })).rejects.toMatchObject({ subject: 'latent' })
    expect(await reconstructions.list()).toEqual([])

    const id = await reconstructions.start(order)
    expect(id).toBe('0001-data')
    const outcome = reconstructions.outcome(id)
    await next((one) => one.type === 'training')
    const paused = next((one) => one.type === 'state' && one.state === 'paused')
    reconstructions.pause(id)
    await paused
    expect((await reconstructions.find(id)).state).toBe('paused')
    const seen = news.length
    await sleep(200)
    expect(news.length).toBe(seen)
    const epoch = next((one) => one.type === 'training' && one.news.finished !== undefined)
    await reconstructions.resume(id)
    await epoch
    reconstructions.cancel(id)
    await expect(outcome).rejects.toMatchObject({ code: 'cancelled' })
    expect(await reconstructions.find(id)).toMatchObject({ state: 'cancelled', report: null })

    await reconstructions.resume(id)
    const report = await reconstructions.outcome(id)
    expect(report).toEqual(JSON.parse(readFileSync(path.join(only('whole'), 'report.json'), 'utf8')))
    expect(await reconstructions.find(id)).toMatchObject({ state: 'finished', epochs: 2, generator: true })
    for (const file of ['generator/encoder/weights.bin', 'generator/decoder/weights.bin']) {
      expect(readFileSync(path.join(reconstructions.folder(id), file)).equals(readFileSync(path.join(only('whole'), file))), file).toBe(true)
    }

    await reconstructions.delete([id])
    expect(await reconstructions.list()).toEqual([])
    await reconstructions.restore([id])
    const second = await reconstructions.start({ ...order, settings: { ...order.settings, epochs: 1 } })
    news.length = 0
    await reconstructions.outcome(second)
    expect(second).toBe('0002-data')
    expect(news.flatMap((one) => (one.type === 'salient' && one.done < 30 ? [one.done] : []))).toEqual([])
    expect((await reconstructions.list()).map((one) => one.id)).toEqual([id, second])

    const { manifest } = await reconstructions.find(second)
    expect(reconstructCommand({ ...manifest, model: { place: 'a b', stated: { fit: 'crop' } }, judge: { place: 'c', stated: { range: [-1, 1] } }, data: 'idx:data' }, 'linux')).toBe(
      "maskscope reconstruct --model 'a b' --fit crop --judge c --judge-range -1,1 --data idx:data --method gradient --images 30 --test 8 --epochs 1 --generator-set recognition=false --generator-set latent=3 --generator-set batch=16 --seed 5",
    )
    expect(varyCommand({ image: 'idx:data#3', generator: 'g', request: { kind: 'posterior', count: 9, temperature: 0.5, pinned: true, seed: 0 } }, 'linux')).toBe("maskscope vary 'idx:data#3' --generator g --count 9 --temperature 0.5 --pin")
  } finally {
    await workbench.dispose()
  }
})

test('a full disk and damaged files: what was done stays, the program goes on, and ends with the same bytes', async () => {
  let full: string | null = 'checkpoint'
  const files = createFiles({
    ...nodeOperations,
    open: (async (...given: Parameters<FileOperations['open']>) => {
      if (full !== null && given[1] === 'wx' && String(given[0]).includes(full)) throw Object.assign(new Error('injected'), { code: 'ENOSPC' })
      return nodeOperations.open(...given)
    }) as FileOperations['open'],
  })
  const workbench = createWorkbench({ jobs: 1, backend: 'wasm', executor: () => 'tfjs' })
  try {
    const reconstructions = createReconstructions({ pool: workbench.pool, study: path.join(root, 'full'), files })
    const id = await reconstructions.start({
      model: { model: await loadModel(path.join(root, 'explained')), stated: {} }, judge: { model: await loadModel(path.join(root, 'judging')), stated: {} },
      data: `idx:${path.join(root, 'data')}`, images: null, test: 1000, method: 'gradient', parameters: {}, settings: { epochs: '2', latent: '3', batch: 16, recognition: false }, seed: 5,
    })
    await expect(reconstructions.outcome(id)).rejects.toMatchObject({ code: 'storage', message: expect.stringMatching(/disk is full/) as string })
    expect(await reconstructions.find(id)).toMatchObject({ state: 'failed', record: { phase: 'training', error: { code: 'storage' } } })

    full = null
    const place = reconstructions.folder(id)
    writeFileSync(path.join(place, 'record.json'), '{"form')
    expect(await reconstructions.list()).toMatchObject([{ id, state: 'interrupted' }])
    mkdirSync(path.join(place, 'checkpoint'), { recursive: true })
    writeFileSync(path.join(place, 'checkpoint', 'checkpoint.json'), '{"epoch": 1, "ste')
    await reconstructions.resume(id)
    const report = await reconstructions.outcome(id)
    expect(report).toEqual(JSON.parse(readFileSync(path.join(only('whole'), 'report.json'), 'utf8')))

    writeFileSync(path.join(place, 'report.json'), '{')
    expect((await reconstructions.find(id)).state).toBe('interrupted')
    await reconstructions.resume(id)
    expect(await reconstructions.outcome(id)).toEqual(report)
    writeFileSync(path.join(place, 'generator', 'generator.json'), '{')
    const { code, stderr } = await runCliHere(['vary', 'idx:data#2', '--generator', path.join(place, 'generator')], root)
    expect(code, stderr).not.toBe(0)
    expect(stderr).toMatch(/generator\.json is not whole JSON/)
  } finally {
    await workbench.dispose()
  }
})

test('no image is in two parts of the data', async () => {
  const names = (items: readonly { reference: string }[]): string[] => items.map(({ reference }) => reference)
  const idx = await partsOf(`idx:${path.join(root, 'data')}:train`, { images: 7, test: 5 })
  expect(names(idx.seen).map((name) => name.split('#')[1])).toEqual(['0', '2', '4', '6', '8', '10', '12'])
  expect(names(idx.unseen).map((name) => name.split('#')[1])).toEqual(['1', '3', '5', '7', '9', '11', '13'])
  expect(names(idx.test)).toEqual(Array.from({ length: 5 }, (_, i) => `idx:${path.join(root, 'data')}#${i}`))
  const scenes = await partsOf('scenes:3@10', { images: null, test: 2 })
  expect([scenes.seen, scenes.unseen, scenes.test].map(names)).toEqual([
    ['scene:10', 'scene:11', 'scene:12'], ['scene:500010', 'scene:500011', 'scene:500012'], ['scene:2000000', 'scene:2000001'],
  ])
  await expect(partsOf('scenes:3@2000000', { images: null, test: 2 })).rejects.toMatchObject({ code: 'usage', subject: 'data' })
  await expect(partsOf('scenes:1@10', { images: null, test: 2 })).rejects.toThrow(/needs at least/)
})

test('what cannot be is refused before anything is written', async () => {
  const wrong = (changes: Record<string, string>): string[] => asked.map((word, i) => changes[asked[i - 1] ?? ''] ?? word)
  const cases = [
    [wrong({ '--judge': 'explained' }), /judge is explained itself/], [wrong({ '--data': 'idx:nowhere' }), /nowhere, which does not exist/], [wrong({ '--epochs': '0' }), /epochs is 0/],
    [wrong({ '--method': 'oracle' }), /needs the true object/], [['vary', 'idx:data#0', '--generator', 'data'], /holds no generator/], [['reconstruct', '--model', 'explained', '--data', 'idx:data'], /--judge/],
  ] as const
  for (const [args, message] of cases) {
    const { code, stderr } = await runCliHere([...args, ...(args[0] === 'vary' ? [] : ['--out', 'x'])], root)
    expect(code, stderr).toBe(2)
    expect(stderr).toMatch(message)
  }
  expect(existsSync(path.join(root, 'x'))).toBe(false)
})

import { existsSync, mkdirSync, mkdtempSync, readFileSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import sharp, { type Sharp } from 'sharp'
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest'
import { z } from 'zod'
import { families, needs } from '#shared/domain/method.ts'
import { dataPath, dataTest } from '../data.ts'
import { hasOnnxruntime } from '../onnx.ts'
import { runCli, runCliHere, startCli } from '../fixtures/cli.ts'
import { tinyCard, writeTinyModel } from '../fixtures/tiny-model.ts'

// Programs are started by the dozen: a busy machine must not fail them.
vi.setConfig({ testTimeout: 180_000, hookTimeout: 180_000 })

const root = mkdtempSync(path.join(tmpdir(), 'maskscope-cli-'))
const tiny = path.join(root, 'tiny')
afterAll(() => rmSync(root, { recursive: true, force: true }))

const relative = z.string().regex(/^runs\/[a-z0-9-]+\/[a-z]+\.(npy|png)$/)
const probability = z.number().min(0).max(1)
const documentSchema = z.strictObject({
  backend: z.strictObject({ id: z.enum(['cuda', 'wasm', 'cpu']), device: z.string().min(1) }),
  executor: z.string().min(1),
  study: z.string().refine((p) => path.isAbsolute(p)),
  runs: z.array(z.strictObject({
    id: z.string(),
    image: z.string(),
    model: z.strictObject({ name: z.string(), sha256: z.string().regex(/^[0-9a-f]{64}$/) }),
    method: z.literal('neuromask'),
    parameters: z.record(z.string(), z.union([z.number(), z.string(), z.boolean()])),
    changes: z.array(z.strictObject({ iteration: z.number().int(), parameters: z.record(z.string(), z.number()) })),
    seed: z.number().int(),
    target: z.strictObject({ index: z.number().int(), label: z.string().nullable() }),
    score: z.string(),
    probability: z.strictObject({ original: probability, masked: probability }),
    iterations: z.number().int().positive(),
    seconds: z.number().positive(),
    evaluations: z.strictObject({ forward: z.number().int().positive(), backward: z.number().int().positive() }),
    saliency: relative,
    range: z.tuple([z.number(), z.number()]),
    signed: z.literal(false),
    crop: z.tuple([z.number().int(), z.number().int(), z.number().int(), z.number().int()]),
    scale: z.number().positive().max(1),
    figure: relative,
  })),
})

/** A version 1.0 float32 array, read as numpy's format description says, by none of our code. */
function readNpy(file: string): { shape: number[]; data: Float32Array } {
  const bytes = readFileSync(file)
  expect(bytes.subarray(0, 8)).toEqual(Buffer.from('\x93NUMPY\x01\x00', 'latin1'))
  const length = bytes.readUInt16LE(8)
  const header = bytes.subarray(10, 10 + length).toString('latin1')
  expect((10 + length) % 64).toBe(0)
  const match = /^\{'descr': '<f4', 'fortran_order': False, 'shape': \(([\d, ]+)\), \} *\n$/.exec(header)
  expect(match, header).not.toBeNull()
  const shape = match![1]!.split(',').map((s) => s.trim()).filter((s) => s !== '').map(Number)
  const body = bytes.subarray(10 + length)
  return { shape, data: new Float32Array(body.buffer.slice(body.byteOffset, body.byteOffset + body.length)) }
}

beforeAll(() => {
  writeTinyModel(tiny, { card: { ...tinyCard, fit: 'crop', cropFraction: 0.5 } })
})

describe('every form of image that must open', () => {
  const images = path.join(root, 'images')
  const sizes: Record<string, [number, number]> = {}
  let document: z.infer<typeof documentSchema>
  let stderr: string

  beforeAll(async () => {
    mkdirSync(images)
    const colours = (w: number, h: number): Buffer => Buffer.from(Uint8Array.from({ length: w * h * 3 }, (_, i) => (Math.imul(i + 7, 2654435761) >>> 13) & 255))
    const picture = sharp(colours(40, 30), { raw: { width: 40, height: 30, channels: 3 } })
    async function put(name: string, image: Sharp, size: [number, number] = [40, 30]): Promise<void> {
      writeFileSync(path.join(images, name), await image.toBuffer())
      sizes[name] = size
    }
    await put('a-grey.png', picture.clone().toColourspace('b-w').png())
    await put('b-16bit.png', picture.clone().toColourspace('rgb16').png())
    await put('c-alpha.png', picture.clone().ensureAlpha(0.5).png())
    await put('d-exif.jpg', picture.clone().withMetadata({ orientation: 6 }).jpeg(), [30, 40])
    await put('e-cmyk.jpg', picture.clone().toColourspace('cmyk').jpeg())
    await put('f-palette.png', picture.clone().png({ palette: true }))
    await put('g-one.png', sharp(colours(1, 1), { raw: { width: 1, height: 1, channels: 3 } }).png(), [1, 1])
    await put('h-large.jpg', sharp({ create: { width: 12_000, height: 9_000, channels: 3, background: '#3060a0' } }).jpeg(), [12_000, 9_000])
    await put('i.webp', picture.clone().webp())
    await put('j.tiff', picture.clone().tiff({ compression: 'lzw' }))
    const bmp = Buffer.alloc(54 + 40 * 30 * 3, 90)
    bmp.write('BM')
    for (const [at, value] of [[2, bmp.length], [6, 0], [10, 54], [14, 40], [18, 40], [22, 30], [30, 0], [34, 0], [38, 0], [42, 0], [46, 0], [50, 0]] as const) bmp.writeUInt32LE(value, at)
    bmp.writeUInt16LE(1, 26)
    bmp.writeUInt16LE(24, 28)
    writeFileSync(path.join(images, 'k.bmp'), bmp)
    sizes['k.bmp'] = [40, 30]

    const ended = await runCli(['explain', images, '--model', tiny, '--set', 'preset=maskscope-plain', '--set', 'iterations=3', '--set', 'restarts=1', '--target', 'kit', '--seed', '5', '--out', 'study', '--json'], root)
    expect(ended.code, ended.stderr).toBe(0)
    document = documentSchema.parse(JSON.parse(ended.stdout))
    stderr = ended.stderr
  })

  test('each has its run, with the document in the order of the images', () => {
    expect(document.runs.map((run) => path.basename(run.image))).toEqual(Object.keys(sizes))
    for (const run of document.runs) {
      expect(run).toMatchObject({ target: { index: 1, label: 'kit fox, Vulpes macrotis' }, seed: 5, iterations: 3, model: { name: 'tiny' } })
      expect(run.parameters).toMatchObject({ preset: 'maskscope-plain', iterations: 3 })
    }
    expect(document.study).toBe(path.join(root, 'study'))
  })

  test('maps lie over the picture, 0 outside the crop, at most 2,048 long', () => {
    for (const run of document.runs) {
      const [width, height] = sizes[path.basename(run.image)]!
      const { shape, data } = readNpy(path.join(document.study, run.saliency))
      expect(run.scale).toBe(Math.min(1, 2048 / Math.max(width, height)))
      expect(shape).toEqual([Math.round(height * run.scale), Math.round(width * run.scale)])
      expect(data.length).toBe(shape[0]! * shape[1]!)
      const side = Math.max(1, Math.round(0.5 * Math.min(width, height)))
      expect(run.crop.slice(2)).toEqual([side, side])
      const [left, top, w, h] = run.crop.map((v) => v * run.scale) as [number, number, number, number]
      let outside = 0
      let inside = 0
      let beyond = 0
      for (let i = 0; i < data.length; i++) {
        const v = data[i]!
        const x = (i % shape[1]!) + 0.5
        const y = Math.floor(i / shape[1]!) + 0.5
        if (!(v >= run.range[0] && v <= run.range[1])) beyond++
        if (x < left - 1 || x > left + w + 1 || y < top - 1 || y > top + h + 1) outside = Math.max(outside, Math.abs(v))
        else inside = Math.max(inside, v)
      }
      expect(beyond).toBe(0)
      expect(outside).toBe(0)
      expect(inside).toBeGreaterThan(0)
    }
  })

  test('figures are PNG at 300 dpi, beside the map and its own-resolution forms', async () => {
    for (const run of document.runs) {
      const figure = await sharp(path.join(document.study, run.figure)).metadata()
      expect([figure.format, Math.round(figure.density!)]).toEqual(['png', 300])
      const names = readdirSync(path.dirname(path.join(document.study, run.saliency)))
      expect(names).toEqual(expect.arrayContaining(['run.json', 'own.npy', 'ranking.npy', 'losses.csv', 'frames.npy']))
    }
  })

  test('what was done to them is said on standard error', () => {
    for (const said of [/a-grey\.png: .*greyscale/, /b-16bit\.png: .*16 bits/, /c-alpha\.png: .*over white/, /d-exif\.jpg: .*upright/, /e-cmyk\.jpg: .*CMYK/, /f-palette\.png: .*palette/]) {
      expect(stderr).toMatch(said)
    }
    expect(stderr).toMatch(/note: The final softmax is taken off/)
  })
})

describe('studies', () => {
  test('a method that deletes says of which image its probability is', async () => {
    const cwd = mkdtempSync(path.join(root, 'deletes-'))
    const { code, stdout, stderr } = await runCliHere(['explain', 'scene:2000007', '--model', path.join(tiny, 'model.json'), '--method', 'igos-plus-plus', '--set', 'iterations=2'], cwd)
    expect(code, stderr).toBe(0)
    expect(stdout).toMatch(/, \.?\d.* without what the mask marks; 2 iterations/)
    const [name] = readdirSync(path.join(cwd, 'maskscope-studies'))
    const run = readFileSync(path.join(cwd, 'maskscope-studies', name!, 'runs', '0001-scene-2000007-igos-plus-plus', 'run.json'), 'utf8')
    expect(run).toContain('The masked probability is that of the image without what the mask marks.')
  })

  test('a run is made again byte by byte, added to its study, and drawn in all formats', async () => {
    const cwd = mkdtempSync(path.join(root, 'again-'))
    const args = ['explain', 'scene:2000007', '--model', path.join(tiny, 'model.json'), '--set', 'preset=maskscope-plain', '--set', 'iterations=12', '--seed', '3']
    const first = await runCli(args, cwd)
    expect(first.code, first.stderr).toBe(0)
    // Without --json and a terminal: one line per run.
    expect(first.stdout).toMatch(/^0001-scene-2000007-neuromask: .* under the mask; 12 iterations in .*figure\.png\n$/)
    const [name] = readdirSync(path.join(cwd, 'maskscope-studies'))
    expect(name).toMatch(/^\d{4}-\d{2}-\d{2}-scene-2000007$/)
    const study = path.join(cwd, 'maskscope-studies', name!)

    const again = await runCli(['rerun', study, '1', '--json'], cwd)
    expect(again.code, again.stderr).toBe(0)
    expect(again.stderr).toMatch(/0002-scene-2000007-neuromask is identical to 0001-scene-2000007-neuromask/)
    expect(documentSchema.parse(JSON.parse(again.stdout)).runs).toMatchObject([{ id: '0002-scene-2000007-neuromask', seed: 3, iterations: 12 }])
    const folder = (n: number): string => path.join(study, 'runs', `000${n}-scene-2000007-neuromask`)
    for (const file of ['run.json', 'saliency.npy', 'own.npy', 'ranking.npy', 'frames.npy', 'losses.csv', 'figure.png']) {
      expect(readFileSync(path.join(folder(2), file)).equals(readFileSync(path.join(folder(1), file))), file).toBe(true)
    }

    const second = await runCliHere(args, cwd)
    expect(second.code).toBe(0)
    expect(readdirSync(path.join(cwd, 'maskscope-studies')).sort()).toEqual([name, `${name}-2`])

    for (const [format, magic] of [['png', '\x89PNG'], ['svg', '<svg'], ['pdf', '%PDF']] as const) {
      const out = path.join('figures', `a.${format}`)
      const drawn = await runCliHere(['figure', study, '1', '--out', out, '--width', '120', '--dpi', '150'], cwd)
      expect([drawn.code, drawn.stdout], drawn.stderr).toEqual([0, `${out}\n`])
      expect(readFileSync(path.join(cwd, out), 'latin1').slice(0, 200)).toContain(magic)
    }
    const { width, density } = await sharp(path.join(cwd, 'figures', 'a.png')).metadata()
    expect([width, Math.round(density!)]).toEqual([Math.round((120 / 25.4) * 150), 150])
    const narrow = await runCliHere(['figure', study, '1', '--out', 'b.png', '--dpi', '1'], cwd)
    expect([narrow.code, existsSync(path.join(cwd, 'b.png'))]).toEqual([2, false])
    expect(narrow.stderr).toMatch(/1 dpi; choose one between/)
    const unknown = await runCliHere(['rerun', study, '9'], cwd)
    expect(unknown.code).toBe(2)
    expect(unknown.stderr).toMatch(/There is no run "9" in .*it holds 0001-scene/)
  })

  test('a broken image in a folder costs its own run only; exit 1', async () => {
    const images = path.join(root, 'mixed')
    mkdirSync(images)
    const good = await sharp({ create: { width: 20, height: 20, channels: 3, background: '#a33' } }).png().toBuffer()
    writeFileSync(path.join(images, 'a.png'), good)
    writeFileSync(path.join(images, 'b.png'), good.subarray(0, 60))
    writeFileSync(path.join(images, 'c.png'), good)
    const ended = await runCliHere(['explain', images, '--model', tiny, '--set', 'iterations=2', '--out', path.join(root, 'mixed-study'), '--json', '--jobs', '1'], root)
    expect(ended.code).toBe(1)
    expect(ended.stderr).toMatch(/b\.png is damaged or cut off/)
    expect(documentSchema.parse(JSON.parse(ended.stdout)).runs.map((run) => path.basename(run.image))).toEqual(['a.png', 'c.png'])
  })

  test('an interrupt: exit 130, finished runs are kept, the rest leaves nothing', async () => {
    const study = path.join(root, 'interrupted')
    const { child, ended } = startCli(['explain', 'scenes:40@2000000', '--model', tiny, '--set', 'iterations=60', '--jobs', '1', '--out', study, '--json'], root)
    const runs = path.join(study, 'runs')
    const isDrawn = (): boolean => existsSync(runs) && readdirSync(runs).some((run) => existsSync(path.join(runs, run, 'figure.png')))
    while (!isDrawn() && child.exitCode === null) await new Promise((resolve) => setTimeout(resolve, 30))
    child.kill('SIGINT')
    const { code, stdout, stderr } = await ended
    expect(code).toBe(130)
    const document = documentSchema.parse(JSON.parse(stdout))
    expect(document.runs.length).toBeGreaterThan(0)
    expect(document.runs.length).toBeLessThan(40)
    expect(stderr).toContain(`${document.runs.length} of 40 runs finished and are kept`)
    const kept = readdirSync(runs).filter((run) => existsSync(path.join(runs, run, 'run.json')))
    expect(kept.sort()).toEqual(document.runs.map((run) => run.id))
    for (const run of document.runs) readNpy(path.join(study, run.saliency))
    expect((readdirSync(study, { recursive: true }) as string[]).filter((n) => n.endsWith('.part') || n.includes('lock'))).toEqual([])
    // The study is free again: its lock went with the process.
    const more = await runCliHere(['explain', 'scene:1', '--model', tiny, '--set', 'iterations=1', '--out', study], root)
    expect(more.code, more.stderr).toBe(0)
  })
})

describe('what there is', () => {
  test('methods --json: every parameter and preset as the registry has it', async () => {
    const { code, stdout, stderr } = await runCliHere(['methods', '--json'], root)
    expect([code, stderr]).toEqual([0, ''])
    const base = { name: z.string().regex(/^[a-z0-9]+(-[a-z0-9]+)*$/), label: z.string(), symbol: z.string().optional(), help: z.string().min(1), group: z.string(), live: z.boolean().optional(), common: z.boolean().optional(),
      tune: z.union([z.strictObject({ min: z.number(), max: z.number() }), z.strictObject({ values: z.array(z.union([z.number(), z.string(), z.boolean()])).min(1) })]).optional() }
    const parameter = z.discriminatedUnion('type', [
      z.strictObject({ ...base, type: z.literal('number'), default: z.number(), min: z.number(), max: z.number(), step: z.number(), integer: z.boolean().optional(), logarithmic: z.boolean().optional(), unit: z.string().optional() }),
      z.strictObject({ ...base, type: z.literal('choice'), default: z.string(), options: z.array(z.strictObject({ value: z.string(), label: z.string() })) }),
      z.strictObject({ ...base, type: z.literal('boolean'), default: z.boolean() }),
      z.strictObject({ ...base, type: z.literal('text'), default: z.string(), kind: z.enum(['layer', 'methods']) }),
    ])
    const schema = z.strictObject({
      methods: z.array(z.strictObject({
        id: z.string(), title: z.string(), citation: z.string(), access: z.enum(['query', 'gradient']), family: z.enum(families), needs: z.array(z.enum(needs)),
        parameters: z.array(parameter),
        presets: z.array(z.strictObject({ id: z.string(), title: z.string(), source: z.string(), values: z.record(z.string(), z.unknown()) })),
      })),
    })
    const [neuromask] = schema.parse(JSON.parse(stdout)).methods
    expect(neuromask?.id).toBe('neuromask')
    expect(neuromask?.parameters.map((p) => p.name)).toContain('iterations')
    expect(neuromask?.presets.length).toBeGreaterThanOrEqual(4)
    const text = await runCliHere(['methods'], root)
    for (const { name } of neuromask!.parameters) expect(text.stdout).toContain(` ${name}`)
  })

  test('doctor --json: every backend, one of them chosen', async () => {
    const { code, stdout } = await runCli(['doctor', '--json'], root)
    expect(code).toBe(0)
    const schema = z.strictObject({
      maskscope: z.string(), node: z.literal(process.versions.node), platform: z.string(), cores: z.number().int().positive(),
      backends: z.array(z.strictObject({
        id: z.enum(['cuda', 'wasm', 'cpu']), available: z.boolean(), reason: z.string().min(1), device: z.string().nullable(),
        convolutionGflops: z.number().positive().nullable(), chosen: z.boolean(),
      })),
      executors: z.array(z.strictObject({
        id: z.enum(['onnxruntime', 'tfjs']), available: z.boolean(), reason: z.string().min(1), version: z.string().nullable(), threads: z.number().int().positive(),
        convolutionGflops: z.strictObject({ oneThread: z.number().positive(), allThreads: z.number().positive() }).nullable(), chosen: z.boolean(),
      })),
      rule: z.string().min(1),
    })
    const { backends, executors } = schema.parse(JSON.parse(stdout))
    expect(backends.map((b) => b.id)).toEqual(['cuda', 'wasm', 'cpu'])
    expect(backends.filter((b) => b.chosen)).toHaveLength(1)
    for (const { id, available, convolutionGflops, device } of backends) {
      if (id !== 'cuda') expect(available).toBe(true)
      expect([convolutionGflops !== null, device !== null]).toEqual([available, available])
    }
    expect(executors.map((e) => e.id)).toEqual(['onnxruntime', 'tfjs'])
    expect(executors.filter((e) => e.chosen)).toHaveLength(1)
    expect(executors.find((e) => e.chosen)?.available).toBe(true)
    const native = executors[0]!
    expect([native.available, native.convolutionGflops !== null, native.version !== null]).toEqual([hasOnnxruntime, hasOnnxruntime, hasOnnxruntime])
  })

  test('--help and --version from any folder', async () => {
    const { version } = JSON.parse(readFileSync(path.resolve(import.meta.dirname, '../../package.json'), 'utf8'))
    expect(await runCli(['--version'], root)).toEqual({ code: 0, stdout: `${version}\n`, stderr: '' })
    const help = await runCliHere(['--help'], root)
    expect(help.code).toBe(0)
    for (const command of ['explain', 'rerun', 'doctor', 'methods', 'figure']) expect(help.stdout).toContain(`  ${command} `)
    const explain = await runCliHere(['explain', '--help'], root)
    for (const option of ['model', 'model-card', 'fit', 'range', 'labels', 'target', 'method', 'set', 'seed', 'backend', 'jobs', 'out', 'json']) expect(explain.stdout).toContain(`--${option} `)
  })
})

describe('the bundled classifier and its judge', () => {
  test.each(['demo', 'demo-judge'])('--model %s explains a scene by its name alone, all facts stated', async (name) => {
    const cwd = mkdtempSync(path.join(root, 'bundled-'))
    const ended = await runCliHere(['explain', 'scene:2000007', '--model', name, '--set', 'iterations=3', '--json'], cwd)
    expect(ended.code, ended.stderr).toBe(0)
    expect(ended.stderr).not.toMatch(/assumed: fit/)
    const { study, runs } = documentSchema.parse(JSON.parse(ended.stdout))
    expect(runs).toHaveLength(1)
    expect(runs[0]!.target.label).toMatch(/\w/)
    expect(readNpy(path.join(study, runs[0]!.saliency)).shape).toEqual([64, 64])
    const record = JSON.parse(readFileSync(path.join(study, 'runs', runs[0]!.id, 'record.json'), 'utf8'))
    expect(record.found.model).toBe(name)
  })
})

describe('pretrained networks', () => {
  for (const [name, image, label] of [
    ['mobilenet_v1_0.25_128/layers', 'tench.jpg', 'tench'], ['mobilenet_v1_0.25_128/graph', 'tench.jpg', 'tench'], ['mobilenet_v2_1.0_224/graph-uint8', 'zebra.jpg', 'zebra'],
  ] as const) {
    dataTest(`${name} explains ${image}`, async () => {
      const imagenet = dataPath('models', 'imagenet')
      const ended = await runCliHere([
        'explain', dataPath('photos', image), '--model', path.join(imagenet, name), '--labels', path.join(imagenet, 'labels1001.txt'), '--range', '-1,1',
        '--set', 'iterations=2', '--out', path.join(root, 'imagenet'), '--json',
      ], root)
      expect(ended.code, ended.stderr).toBe(0)
      const [run] = documentSchema.parse(JSON.parse(ended.stdout)).runs
      expect(run!.target.label).toContain(label)
      expect(run!.model.name).toBe(name)
      expect(run!.probability.original).toBeGreaterThan(0.5)
    }, 180_000)
  }
})

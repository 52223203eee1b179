import { spawnSync } from 'node:child_process'
import { existsSync, mkdirSync, mkdtempSync, readFileSync, readdirSync, rmSync, truncateSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import sharp from 'sharp'
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest'
import { createWorkbench } from '#main/workbench.ts'
import { resolveData } from '#services/datasets.ts'
import { loadModel } from '#services/models.ts'
import { createFiles, nodeOperations } from '#storage/files.ts'
import { watchForInterrupt } from '../../src-main/shells/cli/interruption.ts'
import { performRuns, type Performed } from '../../src-main/shells/cli/perform.ts'
import { cliPath, runCliHere } from '../fixtures/cli.ts'
import { tinyCard, writeTinyModel } from '../fixtures/tiny-model.ts'

// Programs are started by the dozen: a busy machine must not fail them.
vi.setConfig({ testTimeout: 180_000, hookTimeout: 180_000 })

const root = mkdtempSync(path.join(tmpdir(), 'maskscope-refusals-'))
const tiny = path.join(root, 'tiny')
const photo = path.join(root, 'photo.png')
let png: Buffer
let counter = 0

beforeAll(async () => {
  writeTinyModel(tiny, { card: tinyCard })
  const noise = Uint8Array.from({ length: 200 * 150 * 3 }, (_, i) => (Math.imul(i + 1, 2654435761) >>> 11) & 255)
  png = await sharp(noise, { raw: { width: 200, height: 150, channels: 3 } }).png().toBuffer()
  writeFileSync(photo, png)
})

afterAll(() => rmSync(root, { recursive: true, force: true }))

/** A folder that holds a model of its own. */
function ownModel(change: (folder: string) => void): string {
  const folder = path.join(root, `model-${counter++}`)
  writeTinyModel(folder, { card: tinyCard })
  change(folder)
  return folder
}

function image(name: string, bytes: Uint8Array): string {
  const file = path.join(root, name)
  writeFileSync(file, bytes)
  return file
}

/** Runs `explain`, which must end with code 2, write nothing, print no document, and say what `message` says. */
async function refused(args: { image?: string; model?: string; more?: string[] }, message: RegExp, code = 2): Promise<void> {
  const cwd = mkdtempSync(path.join(root, 'cwd-'))
  const ended = await runCliHere(['explain', args.image ?? photo, '--model', args.model ?? tiny, '--set', 'iterations=2', '--json', ...(args.more ?? [])], cwd)
  expect(ended.stderr).toMatch(message)
  expect(ended.stderr).not.toMatch(/internal error|\n {4}at /)
  expect(ended.code).toBe(code)
  expect(ended.stdout).toBe('')
  expect(readdirSync(cwd)).toEqual([])
}

describe('images', () => {
  test('corrupt', async () => {
    const bytes = Buffer.from(png)
    const middle = Math.floor(bytes.length / 2)
    bytes.fill(0xff, middle, middle + 200)
    await refused({ image: image('corrupt.png', bytes) }, /corrupt\.png is damaged or cut off \(.+\); copy or download it again/)
  })
  test('truncated', () => refused({ image: image('cut.png', png.subarray(0, png.length / 2)) }, /cut\.png is damaged or cut off \(.+\); copy or download it again/))
  test('unknown format', () => refused({ image: image('text.jpg', Buffer.from('I am text')) }, /text\.jpg is in no format that is read here \(JPEG, PNG, .*\); save it as PNG/))
  test('not there, the last of several', () => refused({ more: [path.join(root, 'none.png')] }, /none\.png does not exist; check its name/))
})

describe('models', () => {
  test('model.json missing', () => refused({ model: ownModel((f) => rmSync(path.join(f, 'model.json'))) }, /The folder .*model-\d+ holds no \.onnx file and no model\.json; give/))
  test('model.json truncated', () => refused({ model: ownModel((f) => truncateSync(path.join(f, 'model.json'), 300)) }, /model\.json is cut off.*copy or download it again/))
  test('shards missing', () => refused({ model: ownModel((f) => rmSync(path.join(f, 'model-shard1of1.bin'))) }, /model-shard1of1\.bin is missing; put it beside model\.json/))
  test('shards short', () => refused({ model: ownModel((f) => truncateSync(path.join(f, 'model-shard1of1.bin'), 100)) }, /model-shard1of1\.bin of .* is too short \(100 bytes where .*\); copy/))

  test('wrong input rank', () => refused({
    model: ownModel((folder) => {
      const file = path.join(folder, 'model.json')
      const json = JSON.parse(readFileSync(file, 'utf8'))
      const { layers } = json.modelTopology.model_config.config
      layers.splice(1, 2)
      layers[0].config.batch_input_shape = [null, 6]
      json.weightsManifest[0].weights.splice(0, 2)
      writeFileSync(file, JSON.stringify(json))
      writeFileSync(path.join(folder, 'model-shard1of1.bin'), new Uint8Array((6 * 4 + 4) * 4))
    }),
  }, /input.*(shape|rank|image)/i))

  test('NaN weights', () => refused({
    model: ownModel((folder) => {
      const file = path.join(folder, 'model-shard1of1.bin')
      const bytes = readFileSync(file)
      bytes.writeFloatLE(Number.NaN, 40)
      writeFileSync(file, bytes)
    }),
  }, /conv\/kernel.*(not a number|NaN|not finite)/i))

  test('a fact that neither file nor card states', () => refused({ model: ownModel((f) => rmSync(path.join(f, 'model-card.json'))) }, /cannot be inferred[^]*\n {2}range: .*--range 0,1/))
  test('several models in one folder', () => refused({ model: ownModel((f) => writeTinyModel(f, { file: 'other.json' })) }, /holds 2 models; say which:\n.*model\.json\n.*other\.json/))
  test('another number of labels than classes', () => refused({ more: ['--labels', image('labels.txt', Buffer.from('a\nb\n'))] }, /labels\.txt does not fit the model tiny\. There are 2 labels for 4 classes/))
})

describe('targets, parameters, options', () => {
  test('target out of range', () => refused({ more: ['--target', '4'] }, /Target 4 is out of range: .* from 0 to 3/))
  test('target ambiguous', () => refused({ more: ['--target', 'fox'] }, /"fox" may mean 2 classes; give the index of one:\n {2}1 {2}kit fox/))
  test('parameter unknown', () => refused({ more: ['--set', 'speed=3'] }, /Parameter speed is not a parameter of this method; it knows iterations/))
  test('parameter out of range', () => refused({ more: ['--set', 'iterations=0'] }, /Parameter iterations is 0; it must lie between 1 and/))
  test('preset unknown', () => refused({ more: ['--set', 'preset=best'] }, /no preset "best"; choose one of/))
  test('a change of what cannot change on the way', () => refused({ more: ['--change', '1:resolution=8'] }, /Parameter resolution can only be set at the start of a run/))
  test('a change after the last iteration', () => refused({ more: ['--change', '3:noise=0'] }, /from iteration 3 on; it must be a whole number from 0 to 2/))
  test('a change of wrong syntax', () => refused({ more: ['--change', 'noise=0'] }, /iteration:name=value/))
  test('method unknown', () => refused({ more: ['--method', 'magic'] }, /no method "magic"; choose one of neuromask/))
  test('data set of wrong syntax', () => refused({ image: 'scenes:5' }, /write scenes:COUNT@SEED/))
  test.each([
    [['--seed', '-1'], /--seed.*whole number from 0/], [['--range', '1'], /--range.*two different numbers/], [['--set', 'iterations'], /--set.*name=value/],
    [['--fit', 'stretch'], /--fit.*Allowed choices are crop, squash/], [['--backend', 'tpu'], /--backend.*wasm/], [['--jobs', '0'], /--jobs.*from 1/],
    [['--nonsense'], /unknown option '--nonsense'/],
  ])('%j', (more, message) => refused({ more }, message))
  test('no image, no model, unknown command', async () => {
    for (const [args, message] of [
      [['explain', '--model', tiny], /missing required argument 'image'/], [['explain', photo], /required option '--model/], [['explode'], /unknown command 'explode'/],
      [['rerun', path.join(root, 'nothing'), '1'], /is not a study.*Give the folder/], [['figure', tiny, '1', '--out', 'a.bmp'], /must end in \.png, \.svg, \.pdf/],
    ] as const) {
      const ended = await runCliHere([...args], root)
      expect([ended.code, ended.stdout]).toEqual([2, ''])
      expect(ended.stderr).toMatch(message)
    }
  })
})

describe('the output folder', () => {
  test('a file stands in its place', async () => {
    const file = image('file', Buffer.from('mine'))
    await refused({ more: ['--out', file] }, /file.*(folder|not a folder)/i, 1)
    await refused({ more: ['--out', path.join(file, 'below')] }, /file.*below/, 1)
    expect(readFileSync(file, 'utf8')).toBe('mine')
  })

  test.skipIf(!existsSync('/proc/self'))('a file system that takes no folders', () => refused({ more: ['--out', '/proc/maskscope-study'] }, /\/proc\/maskscope-study/, 1))

  /** The runs of two scenes where writing fails with `code` from the `from`-th file on. */
  async function performOn(folder: string, code: string, from: number): Promise<{ performed: Performed | undefined; error: unknown; said: string }> {
    let opened = 0
    const fail = (): never => {
      throw Object.assign(new Error(`${code}: injected`), { code })
    }
    const files = createFiles({
      ...nodeOperations,
      open: (async (...args: Parameters<typeof nodeOperations.open>) => {
        if (args[1] === 'wx' && ++opened >= from) fail()
        return nodeOperations.open(...args)
      }) as typeof nodeOperations.open,
    })
    let said = ''
    const spy = vi.spyOn(process.stderr, 'write').mockImplementation((text) => {
      said += String(text)
      return true
    })
    const model = await loadModel(tiny)
    const items = await resolveData('scenes:2@7')
    const workbench = createWorkbench({ backend: 'wasm', jobs: 1, files })
    const interruption = watchForInterrupt()
    try {
      const orders = items.map((item) => ({
        model: { source: model.source, place: model.file }, item, method: 'neuromask', parameters: { iterations: 2 }, seed: 0, target: 'auto' as const,
      }))
      return { performed: await performRuns(workbench, orders, folder, { interruption, json: true }), error: undefined, said }
    } catch (error) {
      return { performed: undefined, error, said }
    } finally {
      interruption.end()
      await workbench.dispose().catch(() => undefined)
      spy.mockRestore()
    }
  }

  function partsIn(folder: string): string[] {
    return (readdirSync(folder, { recursive: true }) as string[]).filter((name) => name.endsWith('.part'))
  }

  test('not writable (EACCES): nothing is run', async () => {
    const folder = path.join(root, 'locked-study')
    const { performed, error } = await performOn(folder, 'EACCES', 1)
    expect(performed).toBeUndefined()
    expect(error).toMatchObject({ code: 'storage' })
    expect(String(error)).toMatch(/locked-study.*(permission|not writable|may not|another folder)/i)
    expect(partsIn(folder)).toEqual([])
  })

  test('disk full (ENOSPC) in the second run: the first is kept whole, the second leaves no arrays, exit 1', async () => {
    // The index, the two pictures' and records' files and the arrays of the first run come before the twelfth file.
    const folder = path.join(root, 'full-study')
    const { performed, said } = await performOn(folder, 'ENOSPC', 14)
    expect(performed?.exitCode).toBe(1)
    expect(said).toMatch(/(full|no space|room)/i)
    expect(partsIn(folder)).toEqual([])
    for (const run of readdirSync(path.join(folder, 'runs'))) {
      const names = readdirSync(path.join(folder, 'runs', run))
      if (!names.includes('run.json')) expect(names.filter((n) => n !== 'record.json')).toEqual([])
    }
    expect(performed!.document.runs.length).toBeLessThan(2)
  })

  test.skipIf(!existsSync('/dev/full'))('a document that cannot be written whole ends with code 1', () => {
    const { status, stderr } = spawnSync('sh', ['-c', `"${process.execPath}" "${cliPath}" methods --json > /dev/full`], { encoding: 'utf8' })
    expect(status).toBe(1)
    expect(stderr).toMatch(/the output could not be written \(ENOSPC\)/)
  })

  const canMount = spawnSync('unshare', ['-rm', 'true'], { stdio: 'ignore' }).status === 0
  test.skipIf(!canMount)('disk full: a real one of 64 KiB', () => {
    const folder = path.join(root, 'small-disk')
    mkdirSync(folder)
    const script = `mount -t tmpfs -o size=64k tmpfs "${folder}" && "${process.execPath}" "${cliPath}" explain "${photo}" --model "${tiny}" --set iterations=2 --json --out "${folder}/study"; echo "exit $?"; find "${folder}" -type f`
    const { stdout, stderr } = spawnSync('unshare', ['-rm', 'sh', '-c', script], { encoding: 'utf8' })
    expect(stdout).toMatch(/^exit [12]\n/m)
    expect(stderr).toMatch(/full|no space|room/i)
    expect(stdout).not.toMatch(/\.part$|run\.json$|\.npy$/m)
  })
})

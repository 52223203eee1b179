import { mkdtempSync, readFileSync, readdirSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { afterAll, beforeAll, expect, test, vi } from 'vitest'
import { methods as allMethods } from '#engine/methods/registry.ts'
import { methodsThatFit, parametersFor } from '#services/figures/compared.ts'
import type { FigureSpec, PanelOf } from '#shared/figure/spec.ts'
import { runCli, runCliHere, startCli, type Ended } from '../fixtures/cli.ts'
import { tinyCard, writeTinyModel } from '../fixtures/tiny-model.ts'

vi.setConfig({ testTimeout: 180_000, hookTimeout: 180_000 })

const root = mkdtempSync(path.join(tmpdir(), 'maskscope-compare-'))
const out = path.join(root, 'compared')
let model: string
beforeAll(() => {
  model = writeTinyModel(path.join(root, 'tiny'), { card: tinyCard })
})
afterAll(() => rmSync(root, { recursive: true, force: true }))

const images = 'scenes:2@2000007'
const shared = (): string[] => ['compare', images, '--model', model, '--metrics', 'deletion', '--backend', 'wasm']
const asked = (...more: string[]): string[] => [...shared(), '--methods', 'neuromask,gradient', '--out', out, ...more]
const runsOf = (folder: string): string[] => readdirSync(path.join(folder, 'runs')).sort()

/** Stops it in its long runs, when its short ones are there. */
async function interrupted(): Promise<Ended> {
  const { child, ended } = startCli(asked('--set', 'neuromask.iterations=20000'), root)
  let told = ''
  child.stdout!.on('data', (text: Buffer) => {
    const before = told.split('\n').length
    told += text.toString()
    if (before <= 2 && told.split('\n').length > 2) child.kill('SIGINT')
  })
  return ended
}

test('a comparison that is interrupted keeps what it has, and the next command goes on with it', async () => {
  const stopped = await interrupted()
  expect(stopped.code).toBe(130)
  expect(stopped.stderr).toContain('the same command goes on from here')
  const before = runsOf(out).filter((run) => run.endsWith('gradient'))
  expect(before).toHaveLength(2)
  const bytes = before.map((run) => readFileSync(path.join(out, 'runs', run, 'saliency.npy')))

  const { code, stdout, stderr } = await runCli(asked('--set', 'neuromask.iterations=8', '--json'), root)
  expect(code, stderr).toBe(0)
  expect(stderr).toContain('2 of 4 runs are in')
  const document = JSON.parse(stdout) as { runs: { method: string }[]; kept: string[]; figure: { files: string[] } }
  expect(document.kept).toEqual(before)
  expect(document.runs.map(({ method }) => method)).toEqual(['neuromask', 'neuromask'])
  expect(before.map((run) => readFileSync(path.join(out, 'runs', run, 'saliency.npy')))).toEqual(bytes)

  // Beside the study: the figure in three forms, its numbers and its table.
  expect(document.figure.files.every((file) => readdirSync(out).includes(file))).toBe(true)
  expect(readFileSync(path.join(out, 'comparison.pdf')).subarray(0, 5).toString()).toBe('%PDF-')
  expect(readFileSync(path.join(out, 'comparison.png')).subarray(1, 4).toString()).toBe('PNG')
  const svg = readFileSync(path.join(out, 'comparison.svg'), 'utf8')
  expect(['NeuroMask', 'Gradient', 'share of pixels removed'].map((text) => svg.includes(text))).toEqual([true, true, true])
  expect(readFileSync(path.join(out, 'comparison.tex'), 'utf8').includes('\\bottomrule')).toBe(true)
  const lines = readFileSync(path.join(out, 'metrics.csv'), 'utf8').trim().split('\n')
  expect(lines[0]).toBe('run,image,method,seed,class,evaluations,seconds,metric,value')
  expect(lines.slice(1).map((line) => line.split(',')[2])).toEqual(['neuromask', 'gradient', 'neuromask', 'gradient'])
  expect(lines.slice(1).every((line) => Number.isFinite(Number(line.split(',').at(-1))))).toBe(true)
  const spec = JSON.parse(readFileSync(path.join(out, 'figures', 'comparison.json'), 'utf8')) as FigureSpec
  const grid = spec.panels[0] as PanelOf<'grid'>
  // Columns in the order of --methods, rows in that of the images.
  expect(grid.rows.map(({ cells }) => cells.map((run) => run!.replace(/^\d+-/, '')))).toEqual([
    ['scene-2000007-neuromask', 'scene-2000007-gradient'], ['scene-2000008-neuromask', 'scene-2000008-gradient'],
  ])
  expect(JSON.parse(readFileSync(path.join(out, 'comparison.provenance.json'), 'utf8'))).toMatchObject({ format: 'maskscope-provenance', runs: { length: 4 } })
})

test('bad usage is refused before anything is made', async () => {
  const other = path.join(root, 'none')
  const refused = [
    await runCliHere([...shared(), '--methods', 'gradient,nonsense', '--out', other], root),
    await runCliHere([...shared(), '--methods', 'gradient', '--set', 'neuromask.iterations=5', '--out', other], root),
    await runCliHere(['compare', images, '--model', model, '--methods', 'gradient', '--metrics', 'beauty', '--out', other], root),
  ]
  expect(refused.map(({ code }) => code)).toEqual([2, 2, 2])
  expect(refused.map(({ stderr }) => stderr)).toEqual([
    expect.stringContaining('There is no method "nonsense"'), expect.stringContaining('has a parameter "neuromask.iterations"'),
    expect.stringContaining('There is no metric "beauty"'),
  ])
  expect(readdirSync(root)).not.toContain('none')
})

test('"all" are the methods that fit the model and its images, the others with their reason', () => {
  const demo = { name: 'Demo Ten', access: 'gradient', multiplyAdds: 1e6 } as const
  const all = methodsThatFit(null, allMethods, demo, true)
  expect(all.methods).toEqual(allMethods)
  expect(all.leftOut).toEqual([])
  const photos = methodsThatFit(null, allMethods, demo, false)
  expect(photos.leftOut.every((reason) => reason.includes('needs the true object'))).toBe(true)
  const served = methodsThatFit(null, allMethods, { name: 'a service', access: 'query', multiplyAdds: null }, false)
  expect(served.methods.map(({ id }) => id)).toEqual(expect.arrayContaining(['rise', 'occlusion', 'lime', 'de-cam']))
  expect(served.methods.length + served.leftOut.length).toBe(allMethods.length)
  const gradCam = allMethods.filter(({ id }) => id === 'grad-cam')
  expect(() => methodsThatFit(gradCam, allMethods, { name: 'a service', access: 'query', multiplyAdds: null }, false)).toThrow(/Grad-CAM needs gradients.*Leave it out of --methods/)
})

test('a parameter goes to every method that has it, or to the one that is named', () => {
  const two = allMethods.filter(({ id }) => id === 'neuromask' || id === 'rise')
  const set = parametersFor(two, { fill: 'noise', 'neuromask.iterations': '7' })
  expect(set.get('neuromask')).toEqual({ fill: 'noise', iterations: '7' })
  expect(set.get('rise')!['iterations']).toBeUndefined()
  expect(() => parametersFor(two, { 'neuromask.iterations': 'many' })).toThrow(/iterations/i)
})

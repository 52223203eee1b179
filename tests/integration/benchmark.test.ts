import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { afterAll, expect, test, vi } from 'vitest'
import { resolveData } from '#services/datasets.ts'
import { writeTinyModel } from '../fixtures/tiny-model.ts'
import { runCli, runCliHere, startCli } from '../fixtures/cli.ts'

vi.setConfig({ testTimeout: 240_000 })

const root = mkdtempSync(path.join(tmpdir(), 'maskscope-bench-cli-'))
afterAll(() => rmSync(root, { recursive: true, force: true }))

const asked = ['benchmark', '--model', 'demo', '--data', 'scenes:9@2000000', '--methods', 'gradient,edges,random,oracle', '--metrics', 'average-precision,iou', '--executor', 'tfjs', '--jobs', '1']

/** Everything a benchmark leaves but its seconds. */
function contents(folder: string): Record<string, string> {
  const names = readdirSync(folder, { recursive: true, withFileTypes: true }).filter((entry) => entry.isFile() && !entry.name.startsWith('seconds'))
  return Object.fromEntries(names.map((entry) => {
    const file = path.join(entry.parentPath, entry.name)
    return [path.relative(folder, file), readFileSync(file).toString('latin1')]
  }))
}

test('killed in the middle, the same command ends with the bytes of an undisturbed run; JSON, exit codes', async () => {
  const whole = await runCli([...asked, '--out', 'whole', '--json'], root)
  expect(whole.code, whole.stderr).toBe(0)
  const document = JSON.parse(whole.stdout) as { model: string; images: number; methods: Record<string, Record<string, { mean: number; low: number; high: number }>>; cost: Record<string, object> }
  expect(document.images).toBeGreaterThan(5)
  expect(document.methods['oracle']!['iou']).toMatchObject({ mean: 1, low: 1, high: 1 })
  const { mean, low, high } = document.methods['gradient']!['average-precision']!
  expect(low).toBeLessThanOrEqual(mean)
  expect(high).toBeGreaterThanOrEqual(mean)
  expect(document.cost['gradient']).toMatchObject({ forward: expect.any(Number) as number, backward: expect.any(Number) as number, seconds: expect.any(Number) as number })

  const killed = startCli([...asked, '--out', 'killed'], root)
  const records = path.join(root, 'killed', 'records')
  while (!existsSync(records) || readdirSync(records).length < 3) await sleep(10)
  killed.child.kill('SIGKILL')
  expect((await killed.ended).code).toBeNull()
  expect(existsSync(path.join(root, 'killed', 'summary.json'))).toBe(false)
  const again = await runCli([...asked, '--out', 'killed'], root)
  expect(again.code, again.stderr).toBe(0)
  expect(again.stdout).toMatch(/\| oracle \| 1\.000 /)
  const left = contents(path.join(root, 'killed'))
  delete left['.writer-lock']
  expect(left).toEqual(contents(path.join(root, 'whole')))
})

test('tune writes what a benchmark takes: as many configurations of each method, the best by its own tuning data', async () => {
  const some = ['--model', 'demo', '--data', 'scenes:4@1000000', '--methods', 'gradient,edges', '--executor', 'tfjs', '--jobs', '1']
  const tuned = await runCli(['tune', ...some, '--configurations', '3', '--write', 'chosen.json', '--out', 'tuning', '--json'], root)
  expect(tuned.code, tuned.stderr).toBe(0)
  const document = JSON.parse(tuned.stdout) as { tuned: object; methods: Record<string, object>; scores: Record<string, { default: number; best: number; tried: number }> }
  expect(JSON.parse(readFileSync(path.join(root, 'chosen.json'), 'utf8'))).toEqual(document)
  expect(document.tuned).toMatchObject({ model: 'demo', data: 'scenes:4@1000000', metric: 'average-precision', configurations: 3, seed: 0 })
  const { gradient, edges } = document.scores
  // Edges have nothing to tune.
  expect([gradient!.tried, edges!.tried]).toEqual([3, 1])
  expect(gradient!.best).toBeGreaterThanOrEqual(gradient!.default)
  const used = await runCli(['benchmark', ...some, '--metrics', 'average-precision', '--configs', 'chosen.json', '--out', 'used', '--json'], root)
  expect(used.code, used.stderr).toBe(0)
  const { methods } = JSON.parse(used.stdout) as { methods: Record<string, Record<string, { mean: number }>> }
  expect(methods['gradient']!['average-precision']!.mean).toBeCloseTo(gradient!.best, 12)
  const blind = await runCliHere(['tune', '--model', 'demo', '--data', 'scenes:4@1000000', '--methods', 'nonsense'], root)
  expect([blind.code, blind.stderr]).toEqual([2, expect.stringContaining('nonsense')])
  const mosaic = await runCliHere(['tune', '--model', 'demo', '--data', 'mosaic:2(scenes:10@1000000)', '--methods', 'edges', '--write', 'none.json'], root)
  expect([mosaic.code, mosaic.stderr]).toEqual([2, expect.stringContaining('Tuning goes by average precision, which needs the true object; mosaic:2(scenes:10@1000000) does not have it')])
  // Data of classes that the model does not have: nothing can be tuned on it.
  const boxes = path.join(root, 'strange')
  mkdirSync(boxes)
  writeFileSync(path.join(boxes, 'a.txt'), 'zebra 10 10 40 40\n')
  writeFileSync(path.join(boxes, 'a.png'), (await (await resolveData('scene:1000000'))[0]!.load()).bytes)
  const nothing = await runCliHere(['tune', '--model', 'demo', '--data', `boxes:${boxes}`, '--methods', 'edges', '--configurations', '1', '--write', 'none.json'], root)
  expect([nothing.code, nothing.stderr]).toEqual([2, expect.stringMatching(/None of the images of boxes:.*strange can be tuned on: 1 of classes that it does not have\. Nothing was written/)])
  expect(existsSync(path.join(root, 'none.json'))).toBe(false)
})

test('bad input ends with code 2 before any work', async () => {
  for (const [args, message] of [
    [['benchmark', '--model', 'demo'], /--data scenes/], [[...asked, '--against', 'rise', '--out', 'x'], /rise is not among those/],
    [['benchmark', '--model', 'demo', '--data', 'scenes:2@1', '--methods', 'cheap'], /no method "cheap"/],
    [['benchmark', '--model', 'demo', '--data', 'idx:nowhere'], /nowhere, which does not exist/],
  ] as const) {
    const { code, stderr } = await runCliHere(args, root)
    expect(code, stderr).toBe(2)
    expect(stderr).toMatch(message)
  }
  expect(existsSync(path.join(root, 'x'))).toBe(false)
  // What is not known of a judge is stated by options of its own.
  const judge = writeTinyModel(path.join(root, 'judge'))
  const unstated = await runCliHere([...asked, '--judge', judge, '--out', 'x'], root)
  expect([unstated.code, unstated.stderr]).toEqual([2, expect.stringMatching(/does not state all that is needed[^]*--judge-range/)])
  const stated = await runCliHere([...asked, '--judge', judge, '--judge-range', '0,1', '--judge-labels', 'nowhere.txt', '--out', 'x'], root)
  expect([stated.code, stated.stderr]).toEqual([2, expect.stringContaining('nowhere.txt')])
})

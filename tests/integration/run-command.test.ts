import { spawnSync } from 'node:child_process'
import { mkdtempSync, readFileSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { afterAll, beforeAll, expect, test, vi } from 'vitest'
import { createWorkbench, type OpenRuns, type Workbench } from '#main/workbench.ts'
import { resolveData, type DataItem } from '#services/datasets.ts'
import { figureOfStoredRun, type FigureOptions } from '#services/figures.ts'
import { decodeImage, encodePng } from '#services/images.ts'
import { loadModel, type ModelOptions } from '#services/models.ts'
import { orderAgain } from '#services/rerun.ts'
import { explainCommand, factsOfRun, figureCommand } from '#services/run-command.ts'
import type { RunOrder, RunOutcome } from '#services/runs.ts'
import { openStudy, type StoredRun } from '#services/studies.ts'
import { tinyCard, writeTinyModel } from '../fixtures/tiny-model.ts'
import { cliPath } from '../fixtures/cli.ts'

// Programs are started by the dozen: a busy machine must not fail them.
vi.setConfig({ testTimeout: 180_000, hookTimeout: 180_000 })

const root = mkdtempSync(path.join(tmpdir(), 'maskscope-command-'))
let workbench: Workbench
let opened: OpenRuns

beforeAll(async () => {
  workbench = createWorkbench({ backend: 'wasm', jobs: 1 })
  opened = await workbench.openRuns(path.join(root, 'a study of \'mine\''))
})
afterAll(async () => {
  await workbench.dispose()
  rmSync(root, { recursive: true, force: true })
})

async function order(spec: string | DataItem, model: string, stated: ModelOptions, changes: Partial<RunOrder> = {}): Promise<RunOrder> {
  const { source, bundled, file } = await loadModel(model, stated)
  const item = typeof spec === 'string' ? (await resolveData(spec))[0]! : spec
  return { model: { source, place: bundled ?? file, stated }, item, method: 'neuromask', parameters: { iterations: 12 }, seed: 0, target: 'auto', ...changes }
}

function finished(outcome: RunOutcome): StoredRun {
  if (outcome.state === 'failed') throw outcome.error
  if (outcome.state !== 'finished') throw new Error(outcome.state)
  return outcome.run
}

/** Pauses a run before an iteration, changes it there, and lets it go on. */
async function runWithChange(asked: RunOrder, pauseAt: number, change: Record<string, number | boolean>): Promise<StoredRun> {
  const { runs } = opened
  const paused = new Promise<void>((resolve) => {
    const end = runs.subscribe((event) => {
      if (event.type === 'progress' && event.progress.iteration === pauseAt) runs.pause(event.run)
      if (event.type !== 'paused') return
      end()
      resolve()
    })
  })
  const { id, outcome } = runs.submit(asked)
  await paused
  await runs.change(id, change)
  runs.resume(id)
  return finished(await outcome)
}

/** Runs a printed line as a person's shell does. */
function shell(line: string): string {
  const { status, stdout, stderr } = spawnSync('sh', ['-c', `maskscope() { '${process.execPath}' '${cliPath}' "$@"; }; ${line}`], { cwd: root, encoding: 'utf8' })
  expect(status, stderr).toBe(0)
  return stdout
}

/** The study is being written here meanwhile. */
async function expectSame(line: string, run: StoredRun): Promise<void> {
  const { study, runs: [made] } = JSON.parse(shell(`${line} --json`)) as { study: string; runs: { id: string }[] }
  const again = await (await openStudy(study)).readRun(made!.id)
  const files = readdirSync(run.folder).filter((name) => name !== 'record.json' && name !== 'figure.png')
  expect(files.length).toBeGreaterThanOrEqual(5)
  for (const name of files) expect(readFileSync(path.join(again.folder, name)).equals(readFileSync(path.join(run.folder, name))), name).toBe(true)
}

const commandOf = async (run: StoredRun): Promise<string> => explainCommand(await factsOfRun(opened.study.folder, run.record, run.manifest))

test.skipIf(process.platform === 'win32')('a scene with the bundled model, changed while it was paused: the line and rerun make the same bytes', async () => {
  const run = await runWithChange(await order('scene:2000003', 'demo', {}, { seed: 4, live: true }), 5, { 'sparsity-weight': 3, 'learning-rate': 0.2, flip: true })
  const { changes } = run.manifest.order
  expect(changes).toHaveLength(1)
  expect(changes[0]!.iteration).toBeGreaterThan(5)
  expect(Object.keys(changes[0]!.parameters).sort()).toEqual(['flip', 'learning-rate', 'sparsity-weight'])
  const at = changes[0]!.iteration
  const line = await commandOf(run)
  expect(line).toBe('maskscope explain scene:2000003 --model demo --method neuromask --set iterations=12 --seed 4'
    + ` --change ${at}:learning-rate=0.2 --change ${at}:sparsity-weight=3 --change ${at}:flip=true --backend wasm --executor ${run.manifest.order.executor}`)
  await expectSame(line, run)
  // The change did something: without it the run is another.
  const { changes: _, ...without } = await orderAgain(run)
  const unchanged = finished(await opened.runs.submit(without).outcome)
  expect(unchanged.manifest.arrays.own.sha256).not.toBe(run.manifest.arrays.own.sha256)
  const again = finished(await opened.runs.submit(await orderAgain(run)).outcome)
  expect(again.manifest).toEqual(run.manifest)
})

test.skipIf(process.platform === 'win32')('a file with a difficult name and a model for which everything is stated', async () => {
  const tiny = path.dirname(writeTinyModel(path.join(root, 'tiny model'), {}))
  const labels = path.join(root, 'the labels.txt')
  writeFileSync(labels, tinyCard.labels.join('\n'))
  const image = path.join(root, 'it\'s $a zebra#1.png')
  writeFileSync(image, await encodePng({ width: 20, height: 16, data: Uint8Array.from({ length: 20 * 16 * 3 }, (_, i) => (i * 37) % 251) }))
  const asked = await order(image, tiny, { fit: 'crop', range: [-1, 1], labels }, { target: 2, parameters: { preset: 'cifar10-demo', iterations: 6 } })
  const run = finished(await opened.runs.submit(asked).outcome)
  const line = await commandOf(run)
  expect(line).toContain('--fit crop --range -1,1 --labels')
  expect(line).toContain('--target 2 --method neuromask --set preset=cifar10-demo --set iterations=6')
  await expectSame(line, run)
  // What stands for the same run before it is made.
  const facts = await factsOfRun(opened.study.folder, run.record, run.manifest)
  expect(explainCommand({ ...facts, parameters: asked.parameters, finished: null })).toBe(line)

  // Changed or gone, the file is no longer the run's picture; the study has it.
  writeFileSync(image, 'another')
  const fromStudy = await commandOf(run)
  expect(fromStudy).toMatch(/^maskscope rerun '.*a study of .*' 0\d\d\d-it-s-a-zebra-1-neuromask --out '.*a study of .*-again'$/)
  await expectSame(fromStudy, run)
})

test('a pasted picture is named by its run, or where that has no result by what the study keeps', async () => {
  const bytes = await encodePng({ width: 8, height: 8, data: new Uint8Array(8 * 8 * 3).fill(90) })
  const pasted: DataItem = { kind: 'file', reference: 'Pasted image.png', load: () => decodeImage(bytes, 'Pasted image.png') }
  const { runs, study } = opened
  const run = finished(await runs.submit(await order(pasted, 'demo', {}, { parameters: { iterations: 1 } })).outcome)
  expect(explainCommand(await factsOfRun(study.folder, run.record, run.manifest), 'linux')).toMatch(/^maskscope rerun .*pasted-image-neuromask --out .*-again'$/)
  const started = new Promise<void>((resolve) => runs.subscribe((event) => event.type === 'started' && resolve()))
  const long = runs.submit(await order(pasted, 'demo', {}, { parameters: { iterations: 20_000 } }))
  await started
  long.cancel()
  await long.outcome
  const record = (await study.records()).find(({ id }) => id === long.id)!
  expect(record.state).toBe('cancelled')
  const facts = await factsOfRun(study.folder, record, null)
  expect(facts.image).toBe(path.join(study.folder, record.order!.image.file))
  expect(() => explainCommand({ ...facts, image: null })).toThrow(expect.objectContaining({ code: 'usage', subject: 'image' }) as Error)
})

test.skipIf(process.platform === 'win32').each<FigureOptions>([
  { format: 'svg' },
  { format: 'pdf', widthMm: 181, font: 'tinos', colormap: 'magma', normalisation: 'map', caption: false, dpi: 600 },
  { format: 'png', dpi: 72 },
])('the line of a figure draws the same file: %j', async ({ format, ...options }) => {
  const { study } = opened
  const { id } = (await study.records()).find(({ state }) => state === 'finished')!
  const line = figureCommand({ study: study.folder, run: id, file: null, format, options })
  shell(line)
  const expected = await figureOfStoredRun(await study.readRun(id), { format, ...options })
  expect(readFileSync(path.join(root, `${id}.${format}`)).equals(expected)).toBe(true)
})

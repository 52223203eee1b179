import { spawnSync } from 'node:child_process'
import { createHash } from 'node:crypto'
import { mkdtempSync, readFileSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { createWorkbench, type Workbench } from '#main/workbench.ts'
import { resolveData } from '#services/datasets.ts'
import { encodePng } from '#services/images.ts'
import { loadModel, type LoadedModel } from '#services/models.ts'
import { orderAgain } from '#services/rerun.ts'
import { summariseRun } from '#services/run-summary.ts'
import type { RunOrder, RunOutcome } from '#services/runs.ts'
import { openStudy, type StoredRun } from '#services/studies.ts'
import type { RunEvent } from '#shared/domain/run.ts'
import { storedIterations } from '#shared/domain/run.ts'
import { tinyCard, writeTinyModel } from '../fixtures/tiny-model.ts'

const folder = mkdtempSync(path.join(tmpdir(), 'maskscope-runs-'))
const studyFolder = path.join(folder, 'study')
const hasNumpy = spawnSync('python3', ['-c', 'import numpy'], { stdio: 'ignore' }).status === 0
let workbench: Workbench
let model: LoadedModel
let image: string

beforeAll(async () => {
  model = await loadModel(path.dirname(writeTinyModel(path.join(folder, 'tiny'), { card: { ...tinyCard, fit: 'crop', cropFraction: 0.875 } })))
  image = path.join(folder, 'Zebra 1.png')
  const data = Uint8Array.from({ length: 60 * 40 * 3 }, (_, i) => (i * 37) % 251)
  writeFileSync(image, await encodePng({ width: 60, height: 40, data }))
  workbench = createWorkbench({ backend: 'wasm', jobs: 2 })
})

afterAll(async () => {
  await workbench.dispose()
  rmSync(folder, { recursive: true, force: true })
})

async function order(spec: string, changes: Partial<RunOrder> = {}): Promise<RunOrder> {
  const item = (await resolveData(spec))[0]!
  return { model: { source: model.source, place: path.dirname(model.file) }, item, method: 'neuromask', parameters: { preset: 'maskscope-plain', iterations: 30 }, seed: 7, target: 'auto', ...changes }
}

function finished(outcome: RunOutcome): StoredRun {
  if (outcome.state === 'failed') throw outcome.error
  if (outcome.state !== 'finished') throw new Error(outcome.state)
  return outcome.run
}

describe('a run from picture to study and back', () => {
  let run: StoredRun
  const events: RunEvent[] = []

  beforeAll(async () => {
    const { runs, study } = await workbench.openRuns(studyFolder)
    runs.subscribe((event) => events.push(event))
    run = finished(await runs.submit(await order(image)).outcome)
    const fails = runs.submit(await order(image, { target: 99 }))
    const goesOn = runs.submit(await order('scenes-two:3@2000000#1', { parameters: { preset: 'maskscope-plain', iterations: 5 }, target: 2 }))
    expect(await fails.outcome).toMatchObject({ state: 'failed', error: { code: 'usage', subject: 'target' } })
    finished(await goesOn.outcome)
    await study.close()
  })

  test('the study holds it under a name a person reads', async () => {
    const study = await openStudy(studyFolder)
    expect(study.name).toBe('study')
    expect((await study.runs()).map((r) => [r.id, r.state])).toEqual([
      ['0001-zebra-1-neuromask', 'finished'],
      ['0002-zebra-1-neuromask', 'failed'],
      ['0003-scenes-two-1-2000001-neuromask', 'finished'],
    ])
    const manifest = JSON.parse(readFileSync(path.join(studyFolder, 'study.maskscope'), 'utf8')) as { runs: { id: string }[] }
    expect(manifest.runs.map((r) => r.id)).toEqual(['0001-zebra-1-neuromask', '0002-zebra-1-neuromask', '0003-scenes-two-1-2000001-neuromask'])
    expect((await study.readRun('1')).id).toBe('0001-zebra-1-neuromask')
    await expect(study.readRun('2')).rejects.toMatchObject({ code: 'storage', message: expect.stringContaining('Target 99 is out of range') as string })
    await expect(study.readRun('4')).rejects.toMatchObject({ code: 'usage' })
  })

  test('the map lies over the picture: its size, raw values, 0 outside the crop', async () => {
    // 0.875 of the shorter side of 60 × 40.
    expect(run.manifest.order.view.crop).toEqual({ left: 12, top: 2, width: 35, height: 35 })
    const map = await run.saliency()
    expect([map.height, map.width, run.manifest.scale]).toEqual([40, 60, 1])
    const { left, top, width, height } = run.manifest.order.view.crop
    let inside = 0
    for (let y = 0; y < 40; y++) {
      for (let x = 0; x < 60; x++) {
        const value = map.data[y * 60 + x]!
        if (x >= left && x < left + width && y >= top && y < top + height) inside += value > 0 ? 1 : 0
        else expect(value).toBe(0)
      }
    }
    expect(inside).toBe(35 * 35)
    expect(run.manifest.range).toEqual([0, 1])
  })

  test('every loss and the stored frames are kept', async () => {
    const losses = await run.losses()
    const progress = events.flatMap((e) => (e.type === 'progress' && e.run === run.id ? [e.progress] : []))
    expect(losses.rows).toHaveLength(31)
    expect(losses.rows.map((row) => row[0])).toEqual(Array.from({ length: 31 }, (_, i) => i))
    expect(losses.columns).toEqual(['iteration', ...Object.keys(progress[0]!.losses), 'probability'])
    expect(losses.rows[4]).toEqual([4, ...Object.values(progress[4]!.losses), progress[4]!.probability])
    const frames = await run.frames()
    expect(frames.map((f) => f.iteration)).toEqual(storedIterations(30))
    expect(frames.at(-1)!.map.data).toEqual((await run.own()).data)
  })

  test('events come in order: queued, started, progress, finished', () => {
    const mine = events.filter((e) => e.run === run.id).map((e) => e.type)
    expect(mine.slice(0, 3)).toEqual(['queued', 'started', 'progress'])
    expect(mine.at(-1)).toBe('finished')
    expect(new Set(mine.slice(2, -1))).toEqual(new Set(['progress']))
  })

  test('the picture is kept under its hash, and the arrays are what the manifest says', async () => {
    const bytes = readFileSync(image)
    expect(Buffer.from(await run.input()).equals(bytes)).toBe(true)
    expect(run.manifest.order.image.file).toBe(`inputs/${createHash('sha256').update(bytes).digest('hex')}.png`)
    const { arrays } = run.manifest
    for (const [file, { sha256 }] of [['saliency.npy', arrays.saliency], ['own.npy', arrays.own], ['ranking.npy', arrays.ranking!], ['frames.npy', arrays.frames!], ['losses.csv', arrays.losses]] as const) {
      expect(createHash('sha256').update(readFileSync(path.join(run.folder, file))).digest('hex'), file).toBe(sha256)
    }
  })

  test.skipIf(!hasNumpy)('the reader in docs/study-format.md reads it', () => {
    const script = /```python\n([\s\S]*?)```/.exec(readFileSync('docs/study-format.md', 'utf8'))![1]!
    expect(script.trim().split('\n').length).toBeLessThanOrEqual(10)
    const result = spawnSync('python3', ['-c', script, studyFolder], { encoding: 'utf8' })
    expect(result.stderr).toBe('')
    const [first, second] = result.stdout.trim().split('\n')
    expect(first).toMatch(/^0001-zebra-1-neuromask .*\(40, 60\)/)
    expect(second).toMatch(/^0003-scenes-two-1-2000001-neuromask .*\(64, 64\)/)
  })

  test('where the own map is a sigmoid the ranking orders pixels as the map does', async () => {
    const [own, ranking] = [await run.own(), (await run.ranking())!]
    expect([ranking.height, ranking.width]).toEqual([own.height, own.width])
    const order = Array.from(ranking.data.keys()).sort((a, b) => ranking.data[a]! - ranking.data[b]!)
    for (let i = 1; i < order.length; i++) expect(own.data[order[i]!]!).toBeGreaterThanOrEqual(own.data[order[i - 1]!]!)
  })

  test('nothing of this computer or day is in run.json', () => {
    const text = readFileSync(path.join(run.folder, 'run.json'), 'utf8')
    expect(text).not.toContain(folder)
    expect(text).not.toMatch(/\d{4}-\d\d-\d\dT/)
  })

  test('the summary has the fields that --json prints', () => {
    const summary = summariseRun(run, null)
    expect(summary).toEqual({
      id: '0001-zebra-1-neuromask', image, model: { name: 'tiny', sha256: model.source.sha256 }, method: 'neuromask',
      parameters: expect.objectContaining({ iterations: 30, preset: 'maskscope-plain' }) as object, changes: [], seed: 7,
      target: { index: run.manifest.target.index, label: tinyCard.labels[run.manifest.target.index] },
      score: run.manifest.score, probability: run.manifest.probability, iterations: 30,
      seconds: expect.any(Number) as number, evaluations: run.manifest.evaluations,
      saliency: 'runs/0001-zebra-1-neuromask/saliency.npy', range: [0, 1], signed: false, crop: [12, 2, 35, 35], scale: 1, figure: null,
    })
    expect(summary.seconds).toBeGreaterThan(0)
    expect(summary.evaluations.backward).toBeGreaterThanOrEqual(30)
  })

  test('made again, with the labels gone and the picture gone, every byte is the same', async () => {
    rmSync(image)
    writeTinyModel(path.join(folder, 'tiny'), { card: { range: [0, 255] } })
    const other = path.join(folder, 'again')
    const { runs, study } = await workbench.openRuns(other)
    const source = await openStudy(studyFolder)
    for (const entry of await source.runs()) {
      if (entry.state !== 'finished') continue
      const stored = await source.readRun(entry.id)
      const again = finished(await runs.submit(await orderAgain(stored)).outcome)
      const files = readdirSync(stored.folder).filter((name) => name !== 'record.json').sort()
      expect(files).toEqual(['frames.npy', 'losses.csv', 'own.npy', 'ranking.npy', 'run.json', 'saliency.npy'])
      for (const name of files) {
        expect(readFileSync(path.join(again.folder, name)).equals(readFileSync(path.join(stored.folder, name))), `${entry.id} ${name}`).toBe(true)
      }
    }
    await study.close()
  })

  test('another model under the same path is refused', async () => {
    writeTinyModel(path.join(folder, 'tiny'), { classes: 5 })
    await expect(orderAgain(run)).rejects.toMatchObject({ code: 'input', message: expect.stringContaining('is not the one of run') as string })
  })
})

describe('cancelling', () => {
  test('what runs and what waits ends as cancelled, what is finished stays', async () => {
    const place = path.join(folder, 'cancelled')
    const { runs, study } = await workbench.openRuns(place)
    const first = await runs.submit(await order('scene:2000000', { parameters: { iterations: 2 } })).outcome
    const events: RunEvent[] = []
    const long = { parameters: { iterations: 20000 } }
    const started = new Promise<void>((resolve) => runs.subscribe((event) => {
      events.push(event)
      if (event.type === 'progress') resolve()
    }))
    const tickets = [runs.submit(await order('scene:2000001', long)), runs.submit(await order('scene:2000002', long)), runs.submit(await order('scene:2000003', long))]
    await started
    await runs.cancelAll()
    expect(await Promise.all(tickets.map(async (t) => (await t.outcome).state))).toEqual(['cancelled', 'cancelled', 'cancelled'])
    tickets[0]!.cancel()
    for (const ticket of tickets) {
      expect(events.filter((e) => e.run === ticket.id && ['finished', 'failed', 'cancelled'].includes(e.type))).toHaveLength(1)
    }
    const again = await runs.submit(await order('scene:2000004', { parameters: { iterations: 2 } })).outcome
    expect([first.state, again.state]).toEqual(['finished', 'finished'])
    await study.close()
    const states = (await (await openStudy(place)).runs()).map((r) => r.state)
    expect(states[0]).toBe('finished')
    expect(states.at(-1)).toBe('finished')
    expect(states.slice(1, -1).every((state) => state === 'cancelled')).toBe(true)
  })
})

test('a wrong parameter is refused before anything is queued', async () => {
  const { runs, study } = await workbench.openRuns(path.join(folder, 'wrong'))
  const wrong = await order('scene:2000000', { parameters: { iterations: -1 } })
  expect(() => runs.submit(wrong)).toThrow(expect.objectContaining({ code: 'usage', subject: 'iterations' }) as Error)
  await study.close()
  expect(readdirSync(path.join(folder, 'wrong', 'runs'))).toEqual([])
})

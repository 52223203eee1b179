import { execFile } from 'node:child_process'
import { existsSync, mkdirSync, readFileSync, readdirSync } from 'node:fs'
import path from 'node:path'
import { promisify } from 'node:util'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { encodePng } from '#services/images.ts'
import type { OpenImage, OpenModel } from '#shared/contract/models.ts'
import { cliPath } from '../fixtures/cli.ts'
import { openDesk, watchRuns, type DeskClient, type TestDesk, type Watched } from '../fixtures/desk.ts'

const figure = { widthMm: 88.9, font: 'arimo', colormap: 'viridis', normalisation: 'range', caption: true, dpi: 150 } as const
let at: TestDesk
let client: DeskClient
let watched: Watched
let model: OpenModel
let image: OpenImage

beforeAll(async () => {
  at = await openDesk()
  client = at.connect()
  watched = watchRuns(client)
})
afterAll(async () => {
  await at.end()
})

/** A printed line, as a person's shell runs it. */
async function perform(command: string, cwd: string): Promise<void> {
  expect(command).toMatch(/^maskscope /)
  mkdirSync(cwd, { recursive: true })
  const line = `"${process.execPath}" "${cliPath}"${command.slice('maskscope'.length)}`
  await promisify(execFile)('sh', ['-c', line], { cwd })
}

describe('from nothing to a printed figure of the demo', () => {
  test('what the program is, and its methods', async () => {
    expect(await client.call('system.hello', {})).toMatchObject({ shell: 'web', nativeDialogs: false })
    const [method] = await client.call('methods.list', {})
    expect(method).toMatchObject({ id: 'neuromask', access: 'gradient' })
    expect(method?.presets.length).toBeGreaterThan(1)
    expect(await client.call('settings.get', {})).toMatchObject({ method: 'neuromask', stage: { removed: 'checkerboard' } })
  })

  test('an empty study is shown, and nothing of it is on the disk', async () => {
    await watched.until(() => watched.events.length > 0)
    expect(watched.events[0]).toMatchObject({ type: 'snapshot', rows: [], study: { name: expect.stringMatching(/^Untitled \d{4}-/) } })
    expect(existsSync(path.join(at.folder, 'studies'))).toBe(false)
  })

  test('the demo and a scene: classified as its class', async () => {
    expect((await client.call('models.bundled', {})).map((bundled) => bundled.name)).toEqual(['demo', 'demo-judge'])
    const opened = await client.call('models.open', { from: { bundled: 'demo' }, stated: {} })
    if (opened.state !== 'open') throw new Error(opened.message)
    model = opened
    expect(model).toMatchObject({ bundled: true, cardless: false, place: 'demo', info: { classes: 10, access: 'gradient' } })
    const page = await client.call('scenes.page', { kind: 'scenes', first: 2_000_000, count: 3 })
    expect(page.map((entry) => entry.reference)).toEqual(['scene:2000000', 'scene:2000001', 'scene:2000002'])
    ;[image] = (await client.call('images.open', { from: { scene: page[0]!.reference } })) as [OpenImage]
    expect(image).toMatchObject({ name: 'scene:2000000', kind: 'scene', width: 64, height: 64, label: page[0]!.label })
    const { top, view } = await client.call('images.classify', { model: model.model, image: image.image, top: 3 })
    expect(view.size).toEqual({ width: 64, height: 64 })
    expect(top).toHaveLength(3)
    expect(top[0]).toMatchObject({ label: image.label })
    expect(top[0]!.probability).toBeGreaterThan(0.5)
    expect(top[0]!.logit).toBeGreaterThan(top[1]!.logit)
    const { png } = await client.call('images.picture', { image: image.image })
    expect([...png.subarray(1, 4)]).toEqual([...Buffer.from('PNG')])
  })

  let run: string
  test('a run: every step is told, in order, and its row ends finished', async () => {
    ({ run } = await client.call('runs.submit', {
      model: model.model, image: image.image, method: 'neuromask', parameters: { preset: 'maskscope-plain', iterations: 40 }, seed: 3, target: 'auto',
    }))
    expect(await watched.ended(run)).toMatchObject({ state: 'finished', error: null })
    const steps = watched.events.filter((event) => event.type === 'progress' && event.run === run)
    expect(steps.map((event) => (event.type === 'progress' ? event.iteration : -1))).toEqual(Array.from({ length: 41 }, (_, i) => i))
    const frames = watched.events.filter((event) => event.type === 'frame')
    expect(frames.length).toBeGreaterThan(0)
    const states = watched.events.flatMap((event) => (event.type === 'row' && event.row.run === run ? [event.row.state] : []))
    expect([...new Set(states)]).toEqual(['queued', 'running', 'finished'])
    const row = watched.rows.get(run)!
    // Known from the start on, and not changed by the result.
    const running = watched.events.find((event) => event.type === 'row' && event.row.run === run && event.row.state === 'running')
    expect(running).toMatchObject({ row: { probability: { original: row.probability.original } } })
    expect(row).toMatchObject({
      image: { name: 'scene:2000000', kind: 'scene' }, method: 'neuromask', seed: 3, target: { label: image.label }, iteration: 40, iterations: 40, error: null,
      parameters: { iterations: 40 }, changes: [],
    })
    expect(row.probability.masked).toBeGreaterThan(0)
    expect(row.area).toBeGreaterThan(0)
    expect(row.area).toBeLessThan(1)
    expect(row.thumbnail?.length).toBeGreaterThan(50)
  })

  test('its course, maps, inputs and provenance', async () => {
    const course = await client.call('runs.course', { run })
    expect(course.columns.slice(-2)).toEqual(['total', 'probability'])
    expect(course.iterations).toHaveLength(41)
    expect(course.values).toHaveLength(41 * course.columns.length)
    expect(course.frames.iterations[0]).toBe(0)
    expect(course.frames.data).toHaveLength(course.frames.iterations.length * course.frames.height * course.frames.width)
    const { own, ranking } = await client.call('runs.maps', { run })
    expect([...own.data]).toEqual([...course.frames.data.slice(-own.data.length)])
    expect(ranking?.data).toHaveLength(own.data.length)
    const { seen, fill } = await client.call('runs.inputs', { run })
    expect(seen).toMatchObject({ height: 64, width: 64 })
    expect(seen.data).toHaveLength(64 * 64 * 3)
    expect(fill?.data).toHaveLength(64 * 64 * 3)
    const detail = await client.call('runs.read', { run })
    expect(detail).toMatchObject({ range: [0, 1], signed: false, view: { size: { width: 64, height: 64 } } })
    const facts = detail.provenance.map((entry) => entry.name)
    for (const name of ['SHA-256', 'Seed', 'Fill', 'Executor', 'Backend', 'Maskscope', 'Machine', 'Created', 'Source', 'Range']) expect(facts).toContain(name)
    expect((await client.call('runs.picture', { run })).png.length).toBeGreaterThan(100)
  })

  test('the preview is the very file that is written; the caption comes along', async () => {
    const preview = await client.call('figures.preview', { run, options: figure })
    expect(preview).toMatchObject({ widthMm: 88.9 })
    expect(preview.caption).toMatch(/NeuroMask/)
    const { name, bytes } = await client.call('figures.render', { run, options: figure, format: 'svg' })
    expect(name).toBe(`${run}.svg`)
    expect(new TextDecoder().decode(bytes)).toBe(preview.svg)
    const pdf = await client.call('figures.render', { run, options: figure, format: 'pdf' })
    expect(new TextDecoder().decode(pdf.bytes.subarray(0, 5))).toBe('%PDF-')
  })

  test('another window sees the same table; the study is remembered', async () => {
    const second = watchRuns(at.connect())
    await second.until(() => second.events.length > 0)
    expect(second.events[0]).toMatchObject({ type: 'snapshot', rows: [{ run, state: 'finished' }] })
    expect([...second.rows.values()][0]).toEqual(watched.rows.get(run))
    second.end()
    expect(readdirSync(path.join(at.folder, 'studies'))).toHaveLength(1)
    const { studies } = await client.call('files.recent', {})
    expect(studies).toMatchObject([{ kind: 'study' }])
    expect(await client.call('studies.list', {})).toMatchObject([{ study: studies[0]!.handle, runs: 1 }])
  })

  test.skipIf(process.platform === 'win32')('its command and its figure\'s make the same bytes', async () => {
    const study = path.join(at.folder, 'studies', readdirSync(path.join(at.folder, 'studies'))[0]!)
    const cwd = path.join(at.folder, 'by command')
    await perform(`${(await client.call('runs.command', { run })).command} --out again`, cwd)
    const again = path.join(cwd, 'again', 'runs', run)
    expect(readFileSync(path.join(again, 'run.json'), 'utf8')).toBe(readFileSync(path.join(study, 'runs', run, 'run.json'), 'utf8'))
    await perform((await client.call('figures.command', { run, options: figure, format: 'svg' })).command, cwd)
    expect(readFileSync(path.join(cwd, `${run}.svg`), 'utf8')).toBe((await client.call('figures.preview', { run, options: figure })).svg)
  })

  test.skipIf(process.platform === 'win32')('so does that of a pasted picture, which lies in the study that is open here', async () => {
    const bytes = Uint8Array.from(await encodePng({ width: 12, height: 10, data: Uint8Array.from({ length: 360 }, (_, i) => (i * 31) % 256) }))
    const [pasted] = await client.call('images.open', { from: { name: 'pasted.png', bytes } })
    const order = { model: model.model, image: pasted!.image, method: 'neuromask', parameters: { iterations: 4 }, seed: 1, target: 'auto' } as const
    const { run: copied } = await client.call('runs.submit', order)
    await watched.ended(copied)
    const { command } = await client.call('runs.command', { run: copied })
    expect(command).toMatch(/^maskscope rerun .*-again/)
    await perform(command, at.folder)
    const study = path.join(at.folder, 'studies', readdirSync(path.join(at.folder, 'studies'))[0]!)
    const [again] = readdirSync(path.join(`${study}-again`, 'runs'))
    for (const file of ['run.json', 'own.npy', 'frames.npy', 'losses.csv']) {
      expect(readFileSync(path.join(`${study}-again`, 'runs', again!, file)).equals(readFileSync(path.join(study, 'runs', copied, file))), file).toBe(true)
    }
  })

  test('reopened to run again', async () => {
    const again = await client.call('runs.reopen', { run })
    expect(again).toMatchObject({ message: null, model: { info: { name: 'demo' } }, image: { name: 'scene:2000000', kind: 'scene' } })
  })

  test('nothing was said that breaks the contract', () => {
    expect(at.logged).toEqual([])
  })
})

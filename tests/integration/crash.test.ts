import { spawn, type ChildProcess } from 'node:child_process'
import { mkdtempSync, readFileSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { createInterface } from 'node:readline'
import { build } from 'vite'
import { afterAll, expect, test } from 'vitest'
import { openStudyForWriting } from '#services/study-writer.ts'
import { openStudy } from '#services/studies.ts'
import { createRandom } from '#shared/random/random.ts'
import { packages, requiredPackages } from '../../scripts/build/required-packages.js'
import { tinyCard, writeTinyModel } from '../fixtures/tiny-model.ts'

const folder = mkdtempSync(path.join(tmpdir(), 'maskscope-crash-'))
const studyFolder = path.join(folder, 'study')
// Beside the built program, from where packages are found.
const built = mkdtempSync(path.resolve('out/crash-'))
afterAll(() => [folder, built].forEach((each) => rmSync(each, { recursive: true, force: true })))

const at = (file: string): string => JSON.stringify(path.resolve(file))

/** Loads, waits for a line, then runs one after the other into one study until it is killed; says what happens. */
const program = `
import { createWorkbench } from ${at('src-main/workbench.ts')}
import { resolveData } from ${at('src-main/services/datasets.ts')}
import { loadModel } from ${at('src-main/services/models.ts')}
const { source, file } = await loadModel(${JSON.stringify(path.join(folder, 'tiny'))})
const workbench = createWorkbench({ backend: 'cpu', jobs: 1 })
await workbench.pool.info(source)
await new Promise((resolve) => process.stdin.once('data', resolve))
const { runs } = await workbench.openRuns(${JSON.stringify(studyFolder)})
runs.subscribe((event) => {
  if (event.type === 'started') console.log('started')
  if (event.type === 'finished') console.log('finished ' + event.run)
})
for (let seed = 0; ; seed++) {
  const item = (await resolveData('scene:' + (2000000 + seed)))[0]
  await runs.submit({ model: { source, place: file }, item, method: 'neuromask', parameters: { preset: 'maskscope-plain', iterations: 10 }, seed, target: 'auto' }).outcome
}
`

/** Lets the program run until it is killed, `delay` milliseconds after its first run has started. */
async function killAfter(child: ChildProcess, delay: number): Promise<{ finished: string[]; period: number }> {
  const ended = new Promise((resolve) => child.on('close', resolve))
  const finished: string[] = []
  let begun = false
  child.stdin!.write('go\n')
  for await (const line of createInterface(child.stdout!)) {
    if (line.startsWith('finished ')) finished.push(line.slice('finished '.length))
    if (line === 'started' && !begun) {
      begun = true
      setTimeout(() => child.kill('SIGKILL'), delay)
    }
  }
  await ended
  return { finished, period: delay / Math.max(1, finished.length) }
}

test('killed 20 times at random moments of a run, a study loses no finished run', async () => {
  writeTinyModel(path.join(folder, 'tiny'), { card: tinyCard })
  const script = path.join(folder, 'program.mts')
  writeFileSync(script, program)
  // Built once, since it is started 21 times.
  await build({
    configFile: false, logLevel: 'error', plugins: [requiredPackages()], ssr: { noExternal: packages },
    build: { ssr: script, outDir: built, target: 'node20.19', rolldownOptions: { output: { entryFileNames: 'program.mjs' } } },
  })
  const start = (): ChildProcess => spawn(process.execPath, [path.join(built, 'program.mjs')], { stdio: ['pipe', 'pipe', 'inherit'] })
  const random = createRandom(1, 'crash')
  let child = start()
  // The first second tells how long a run takes here, so that the kills fall anywhere in one.
  const first = await killAfter(child, 1000)
  const { period } = first
  const finished = new Set(first.finished)
  let interrupted = 0
  let next = start()

  for (let round = 0; round < 20; round++) {
    child = next
    if (round < 19) next = start()
    const { finished: told } = await killAfter(child, random.between(0, 2 * period))
    for (const id of told) finished.add(id)

    const entries = await (await openStudy(studyFolder)).runs()
    const states = new Map(entries.map((entry) => [entry.id, entry.state]))
    for (const id of finished) expect(states.get(id), `round ${round}: ${id}`).toBe('finished')
    for (const { id, state } of entries) {
      expect(['finished', 'interrupted'], `round ${round}: ${id}`).toContain(state)
      if (state === 'finished') finished.add(id)
    }
  }

  for (const id of finished) {
    const run = await (await openStudy(studyFolder)).readRun(id)
    const [saliency, own, ranking, frames, losses] = await Promise.all([run.saliency(), run.own(), run.ranking(), run.frames(), run.losses(), run.input()])
    expect([saliency.height, saliency.width]).toEqual([64, 64])
    expect(ranking!.data.length).toBe(own.data.length)
    expect(frames.at(-1)!.iteration).toBe(10)
    expect(losses.rows).toHaveLength(11)
  }
  // Opening it to write marks the others for good and clears what was half written.
  await (await openStudyForWriting(studyFolder)).close()
  for (const { id, state } of await (await openStudy(studyFolder)).runs()) {
    const record = JSON.parse(readFileSync(path.join(studyFolder, 'runs', id, 'record.json'), 'utf8')) as { state: string }
    expect(record.state, id).toBe(state)
    if (state === 'interrupted') interrupted++
  }
  const leftovers = (readdirSync(studyFolder, { recursive: true }) as string[]).filter((name) => path.basename(name).startsWith('.'))
  expect(leftovers).toEqual([])
  // Otherwise the kills did not fall into runs and this test showed nothing.
  expect(interrupted).toBeGreaterThanOrEqual(5)
  expect(finished.size).toBeGreaterThanOrEqual(5)
}, 300_000)

import { execFileSync } from 'node:child_process'
import { once } from 'node:events'
import { readFile, readdir } from 'node:fs/promises'
import path from 'node:path'
import { expect } from 'vitest'
import { browserTest } from '../browser.ts'
import { stepsHeard, tapLink } from './link-tap.ts'
import { finished, grid, openDemo, progressOf, reached, readyToRun, rowOf, setNumber, standOfFile, stepsOf, until } from './steps.ts'

const stand = standOfFile({ executor: 'tfjs' })

/** So long that a reload lies within the run, on an idle machine too. */
const iterations = 900

/** More than anyone waits for. */
const endless = 20_000

/** Processes that a process has started, with the seconds of processor time that each has had. */
function childrenOf(pid: number): Map<number, number> {
  const lines = execFileSync('ps', ['-A', '-o', 'pid=,ppid=,time='], { encoding: 'utf8' }).trim().split('\n').map((line) => line.trim().split(/\s+/))
  return new Map(lines.filter(([, parent]) => Number(parent) === pid).map(([child, , time]) => [Number(child), secondsOf(time!)]))
}

function secondsOf(time: string): number {
  return time.split(/[:-]/).reduce((sum, part) => sum * 60 + Number(part), 0)
}

/** A worker that is computing right now. */
async function busyWorker(shell: number): Promise<number> {
  const before = childrenOf(shell)
  let busy: number | undefined
  await until(() => {
    busy = [...childrenOf(shell)].find(([pid, seconds]) => seconds >= (before.get(pid) ?? Infinity) + 1)?.[0]
    return busy !== undefined
  }, 'a worker computes')
  return busy!
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0)
    return true
  } catch {
    return false
  }
}

browserTest('a reload in the middle of a run loses nothing of it', async () => {
  const { page, shell, window } = stand()
  const connections = tapLink(page)
  await openDemo(page)
  await setNumber(page, 'Iterations', iterations)
  await readyToRun(page).click()
  await reached(page, 1, 20)
  const run = (await rowOf(page, 1).getAttribute('data-run'))!
  await page.reload()
  await progressOf(page, 1).waitFor()
  // The run's model and image are open again.
  await page.getByRole('combobox', { name: 'Target class' }).waitFor()
  // The whole curve is there again while the run goes on.
  await page.getByRole('slider', { name: 'Iteration shown' }).press('Home')
  await page.getByText(`Values at iteration 0 of ${iterations}`).waitFor({ state: 'attached' })
  await finished(page, 1)

  const after = connections.at(-1)!
  const answer = Array.from(after.courses[0]!.iterations)
  expect(answer.length).toBeGreaterThanOrEqual(20)
  expect(answer.length).toBeLessThan(iterations)
  const heard = [...new Set([...answer, ...stepsHeard(after, run)])].sort((a, b) => a - b)
  const all = Array.from({ length: iterations + 1 }, (_, i) => i)
  expect(heard).toEqual(all.slice(answer[0]))
  // The window asks for the course once more when the run has finished; the answer may come after the row says so.
  await until(() => after.courses.length > 1, 'the window asks for the course of the finished run')
  expect(Array.from(after.courses.at(-1)!.iterations)).toEqual(heard)
  const losses = await readFile(path.join(shell.studies, (await readdir(shell.studies))[0]!, 'runs', run, 'losses.csv'), 'utf8')
  expect(losses.trim().split('\n').slice(1).map((line) => Number(line.split(',')[0]))).toEqual(heard)
  expect(window.complaints).toEqual([])
})

browserTest('two runs at once each go on; a worker that dies fails its run alone, and the next run works', async () => {
  const { page, shell, window } = stand()
  // What the run was made of, at hand again.
  await rowOf(page, 1).dblclick()
  await readyToRun(page).waitFor()
  await setNumber(page, 'Iterations', endless)
  for (const run of [2, 3]) {
    await readyToRun(page).click()
    await rowOf(page, run).waitFor()
  }
  await reached(page, 2, 10)
  await reached(page, 3, 10)
  expect(await grid(page).getByRole('progressbar').count()).toBe(2)

  process.kill(await busyWorker(shell.process.pid!), 'SIGKILL')
  const failures = grid(page).getByRole('button', { name: 'failed: why' })
  await failures.waitFor()
  expect(await failures.innerText()).toMatch(/The engine process was ended by SIGKILL/)
  const other = (await progressOf(page, 2).count()) === 1 ? 2 : 3
  await reached(page, other, (await stepsOf(page, other)) + 5)
  await rowOf(page, 5 - other).click()
  await page.getByRole('region', { name: 'Stage' }).getByText(/The engine process .*SIGKILL/).waitFor()

  process.kill(await busyWorker(shell.process.pid!), 'SIGABRT')
  await until(async () => (await failures.count()) === 2, 'the other run fails, too')
  expect(await failures.allInnerTexts()).toContainEqual(expect.stringMatching(/SIGABRT/))

  await setNumber(page, 'Iterations', 20)
  await readyToRun(page).click()
  await finished(page, 4)
  expect(window.complaints).toEqual([])
})

browserTest('settings outlive a reload', async () => {
  const { page } = stand()
  const connection = tapLink(page)
  const theme = page.getByRole('button', { name: /^Theme:/ })
  const splitter = page.getByRole('separator', { name: 'Width of the inputs' })
  await theme.click()
  await theme.click()
  expect(await page.locator('html').getAttribute('data-theme')).toBe('dark')
  const width = Number(await splitter.getAttribute('aria-valuenow'))
  await splitter.press('ArrowRight')
  expect(await splitter.getAttribute('aria-valuenow')).toBe(String(width + 8))
  // At once: what is still to be written is written before the page goes.
  await page.reload()
  await theme.waitFor()
  expect(await theme.getAttribute('aria-label')).toMatch(/^Theme: dark\b/)
  expect(await page.locator('html').getAttribute('data-theme')).toBe('dark')
  expect(await splitter.getAttribute('aria-valuenow')).toBe(String(width + 8))
  expect(connection).toHaveLength(1)
})

browserTest('nothing moves for people who asked for less motion', async () => {
  const { page } = stand()
  const moving = (): Promise<number> => page.evaluate(() => [...document.querySelectorAll('*')].filter((element) => {
    const style = getComputedStyle(element)
    return style.transitionDuration.split(', ').some((time) => Number.parseFloat(time) > 0) || style.animationName !== 'none'
  }).length)
  expect(await moving()).toBe(0)
  await page.emulateMedia({ reducedMotion: 'no-preference' })
  expect(await moving()).toBeGreaterThan(0)
})

browserTest('the end of the program is the end of its workers', async () => {
  const { page, shell } = stand()
  await rowOf(page, 4).dblclick()
  await readyToRun(page).waitFor()
  await setNumber(page, 'Iterations', endless)
  await readyToRun(page).click()
  await reached(page, 5, 5)
  const workers = [...childrenOf(shell.process.pid!).keys()]
  expect(workers.length).toBeGreaterThan(0)
  const ended = once(shell.process, 'exit')
  shell.process.kill('SIGTERM')
  expect((await ended)[0]).toBe(0)
  expect(shell.output()).toContain('stops a run that is not finished')
  await until(() => !workers.some(isAlive), 'the workers end')
})

import type { ElementHandle, Locator, Page } from 'playwright-core'
import { expect } from 'vitest'
import { browserTest } from '../browser.ts'
import { downloadOf, finished, grid, progressOf, readyToRun, rowOf, standOfFile, stepsOf, until } from './steps.ts'

const stand = standOfFile({ executor: 'tfjs' })

/** Of the run that is paused and changed on its way. */
const iterations = 500

/** More stops than the window has. */
const mostStops = 160

/** On with the tab key until it is there. */
async function tabTo(page: Page, wanted: Locator, key: 'Tab' | 'Shift+Tab' = 'Tab'): Promise<void> {
  for (let stop = 0; stop < mostStops; stop++) {
    if (await isFocused(wanted)) return
    await page.keyboard.press(key)
  }
  throw new Error(`The tab key does not lead to ${String(wanted)}.`)
}

async function isFocused(wanted: Locator): Promise<boolean> {
  return (await wanted.count()) === 1 && wanted.evaluate((element) => element === document.activeElement)
}

const number = (page: Page, name: string): Locator => page.getByRole('spinbutton', { name, exact: true })

async function typeNumber(page: Page, name: string, value: number): Promise<void> {
  await tabTo(page, number(page, name))
  await page.keyboard.press('ControlOrMeta+a')
  await page.keyboard.type(String(value))
  await page.keyboard.press('Enter')
}

/** From the line of the palette: every command is a few letters away. */
async function command(page: Page, words: string): Promise<void> {
  await page.keyboard.press('ControlOrMeta+k')
  await page.getByRole('dialog').waitFor()
  await page.keyboard.type(words)
  await page.getByRole('option').first().waitFor()
  await page.keyboard.press('Enter')
  await page.getByRole('dialog').waitFor({ state: 'detached' })
}

browserTest('the whole journey by keys alone', async () => {
  const { page, window } = stand()
  const track = page.getByRole('slider', { name: 'Iteration shown' })

  await tabTo(page, page.getByRole('region', { name: 'Stage' }).getByRole('button', { name: 'Try the demo' }))
  await page.keyboard.press('Enter')
  await readyToRun(page).waitFor()

  const target = page.getByRole('combobox', { name: 'Target class' })
  await page.getByRole('group', { name: 'Other classes the model sees' }).waitFor()
  await tabTo(page, target)
  await page.keyboard.type('star')
  await page.getByRole('option', { name: /^star/ }).waitFor()
  await until(async () => (await target.getAttribute('aria-activedescendant')) !== null, 'a class is pointed at')
  await page.keyboard.press('Enter')
  await until(async () => (await target.getAttribute('aria-description'))?.startsWith('star') === true, 'the target is chosen')

  // The first run is over when the tab key comes to the scrubber; the second begins with the key there, and is paused at once.
  await typeNumber(page, 'Iterations', 20)
  await page.keyboard.press('ControlOrMeta+Enter')
  await finished(page, 1)
  await typeNumber(page, 'Iterations', iterations)
  await tabTo(page, number(page, 'Resolution'))
  const before = Number(await number(page, 'Resolution').inputValue())
  await page.keyboard.press('ArrowDown')
  expect(Number(await number(page, 'Resolution').inputValue())).toBeLessThan(before)

  await tabTo(page, track)
  await page.keyboard.press('ControlOrMeta+Enter')
  await progressOf(page, 2).waitFor()
  expect(await isFocused(track)).toBe(true)
  await page.keyboard.press('Space')
  await rowOf(page, 2).getByText(/^paused/).waitFor()

  await tabTo(page, number(page, 'Sparsity λs'), 'Shift+Tab')
  await page.keyboard.press('ControlOrMeta+a')
  await page.keyboard.type('20')
  await page.keyboard.press('Enter')
  const apply = page.getByRole('button', { name: /^Apply from iteration \d+ on$/ })
  await tabTo(page, apply)
  const stoodAt = await stepsOf(page, 2)
  expect(stoodAt).toBeLessThan(iterations)
  expect(await apply.innerText()).toBe(`Apply from iteration ${stoodAt + 1} on`)
  await page.keyboard.press('Enter')
  await page.getByRole('list', { name: 'Changed on the way' }).getByText(`From iteration ${stoodAt + 1}: λs 20`).waitFor()
  expect(await stepsOf(page, 2)).toBe(stoodAt)
  await tabTo(page, page.getByRole('button', { name: 'Resume', exact: true }))
  await page.keyboard.press('Enter')
  await progressOf(page, 2).waitFor()
  await finished(page, 2)
  expect(await rowOf(page, 2).innerText()).toContain('changed on the way')

  await tabTo(page, track)
  await page.keyboard.press('Home')
  await page.getByText(`Values at iteration 0 of ${iterations}`).waitFor({ state: 'attached' })
  await page.keyboard.press('ArrowRight')
  await page.getByText(`Values at iteration 1 of ${iterations}`).waitFor({ state: 'attached' })
  await page.keyboard.press('End')
  await page.getByText(`Values at iteration ${iterations} of ${iterations}`).waitFor({ state: 'attached' })

  await page.keyboard.press('ControlOrMeta+e')
  const dialog = page.getByRole('dialog', { name: 'Export the figure' })
  await dialog.getByRole('img').waitFor()
  await tabTo(page, dialog.getByRole('button', { name: 'Save', exact: true }))
  await Promise.all([downloadOf(page, '.pdf'), page.keyboard.press('Enter')])
  await dialog.waitFor({ state: 'detached' })

  await command(page, 'Change the theme')
  expect(await page.locator('html').getAttribute('data-theme')).toBe('light')

  await tabTo(page, rowOf(page, 2))
  await page.keyboard.press('Delete')
  await rowOf(page, 2).waitFor({ state: 'detached' })
  await page.keyboard.press('ControlOrMeta+z')
  await rowOf(page, 2).getByText('finished').waitFor()
  expect(window.complaints).toEqual([])
})

browserTest('every stop of the tab key can be seen', async () => {
  const { page } = stand()
  await grid(page).waitFor()
  const unseen: string[] = []
  let stops = 0
  await page.evaluate(() => Object.assign(globalThis, { stopsSeen: new WeakSet() }))
  for (;;) {
    await page.keyboard.press('Tab')
    const at = await page.evaluate(() => {
      const element = document.activeElement
      // Between the last stop and the first.
      if (!element || element === document.body) return 'between'
      const { stopsSeen } = globalThis as unknown as { stopsSeen: WeakSet<Element> }
      if (stopsSeen.has(element)) return 'round'
      stopsSeen.add(element)
      const { x, y, width, height } = element.getBoundingClientRect()
      return { name: `${element.tagName.toLowerCase()} ${element.getAttribute('aria-label') ?? element.textContent ?? ''}`, x, y, width, height }
    })
    if (at === 'between') continue
    if (at === 'round') break
    stops++
    const size = page.viewportSize()!
    const clip = { x: Math.max(0, at.x - 6), y: Math.max(0, at.y - 6), width: 0, height: 0 }
    clip.width = Math.min(size.width, at.x + at.width + 6) - clip.x
    clip.height = Math.min(size.height, at.y + at.height + 6) - clip.y
    if (clip.width < 1 || clip.height < 1) {
      unseen.push(`${at.name}: outside the window`)
      continue
    }
    const focused = await page.screenshot({ clip })
    const element = (await page.evaluateHandle(() => document.activeElement)).asElement() as ElementHandle<HTMLElement>
    await element.evaluate((one) => one.blur())
    if (focused.equals(await page.screenshot({ clip }))) unseen.push(at.name)
    await element.evaluate((one) => one.focus())
  }
  expect(unseen).toEqual([])
  expect(stops).toBeGreaterThan(50)
})

import { execFileSync, spawnSync } from 'node:child_process'
import { readFile } from 'node:fs/promises'
import type { Page } from 'playwright-core'
import { expect } from 'vitest'
import { browserTest } from '../browser.ts'
import { coloursOf, downloadOf, finished, openDemo, patience, readyToRun, rowOf, standOfFile } from './steps.ts'

const stand = standOfFile()

interface Seen {
  iteration: number
  mask: number
  curve: boolean
}

/** The first moment at which the run is on its way and both its mask and its curves are drawn. */
async function seenLive(page: Page): Promise<Seen> {
  const seen = await page.waitForFunction(() => {
    const running = document.querySelector('[role="grid"] [role="progressbar"]')
    const caption = /iteration (\d+) of (\d+)/.exec(document.querySelector('table caption')?.textContent ?? '')
    if (!running || !caption) return null
    const figure = [...document.querySelectorAll('figure')].find((one) => one.textContent?.startsWith('Mask'))
    let mask = 0
    for (const canvas of figure?.querySelectorAll('canvas') ?? []) {
      if (canvas.width === 0 || canvas.height === 0) continue
      const { data } = canvas.getContext('2d')!.getImageData(0, 0, canvas.width, canvas.height)
      mask = Math.max(mask, new Set(new Uint32Array(data.buffer)).size)
    }
    const charts = [...document.querySelectorAll<HTMLCanvasElement>('.uplot canvas')]
    const curve = charts.length >= 2 && charts.every((canvas) => canvas.getContext('2d')!.getImageData(0, 0, canvas.width, canvas.height).data.some((value) => value > 0))
    const iteration = Number(caption[1])
    return mask > 10 && curve && iteration > 0 && iteration < Number(caption[2]) ? { iteration, mask, curve } : null
  }, undefined, { timeout: patience })
  return (await seen.jsonValue())!
}

async function download(page: Page, format: 'PDF' | 'SVG' | 'PNG'): Promise<{ name: string; file: string; bytes: Buffer }> {
  await page.keyboard.press('ControlOrMeta+e')
  const dialog = page.getByRole('dialog', { name: 'Export the figure' })
  await dialog.getByRole('group', { name: 'Format' }).getByRole('button', { name: format }).click()
  const [event] = await Promise.all([downloadOf(page, `.${format.toLowerCase()}`), dialog.getByRole('button', { name: 'Save', exact: true }).click()])
  await dialog.waitFor({ state: 'detached' })
  const file = await event.path()
  return { name: event.suggestedFilename(), file, bytes: await readFile(file) }
}

browserTest('from the empty window to a printed figure of the demo', async () => {
  const { page, window } = stand()
  await page.getByText('Open a classifier and an image to see which parts of the image decide.').waitFor()
  await openDemo(page)
  await page.getByRole('group', { name: 'Other classes the model sees' }).waitFor()

  const live = seenLive(page)
  await readyToRun(page).click()
  expect((await live).mask).toBeGreaterThan(10)
  await finished(page, 1)

  const values = page.getByRole('table', { name: /^Values at iteration/ })
  expect(await values.innerText()).toMatch(/iteration 300 of 300/)
  const atEnd = await values.innerText()
  const track = page.getByRole('slider', { name: 'Iteration shown' })
  const box = (await track.boundingBox())!
  await page.mouse.click(box.x + box.width / 4, box.y + box.height / 2)
  await page.getByText(/^Values at iteration [678]\d of 300$/).waitFor({ state: 'attached' })
  expect(await values.innerText()).not.toBe(atEnd)
  expect(await coloursOf(page, 'Mask')).toBeGreaterThan(10)

  await page.keyboard.press('ControlOrMeta+e')
  const preview = page.getByRole('dialog').getByRole('region', { name: 'Preview of the figure' }).getByRole('img')
  await preview.waitFor({ timeout: patience })
  await expect.poll(() => preview.evaluate((image: HTMLImageElement) => ({ blob: image.src.startsWith('blob:'), drawn: image.complete && image.naturalWidth > 0 })))
    .toEqual({ blob: true, drawn: true })
  const svg = await preview.evaluate(async (image: HTMLImageElement) => {
    const canvas = document.createElement('canvas')
    canvas.width = 200
    canvas.height = 200
    const context = canvas.getContext('2d')!
    context.drawImage(image, 0, 0, 200, 200)
    return new Set(new Uint32Array(context.getImageData(0, 0, 200, 200).data.buffer)).size
  })
  expect(svg).toBeGreaterThan(100)

  await stand().window.context.grantPermissions(['clipboard-read', 'clipboard-write'])
  await page.getByRole('dialog').getByRole('button', { name: 'Copy as command' }).click()
  await page.getByText('Command copied.').waitFor()
  expect(await page.evaluate(() => navigator.clipboard.readText())).toMatch(/^maskscope figure '.*' 0001-\S+ --out \S+\.pdf --font arimo --colormap viridis --normalisation range$/)
  await page.getByRole('dialog').getByRole('button', { name: 'Close', exact: true }).first().click()

  const pdf = await download(page, 'PDF')
  expect(pdf.name).toMatch(/\.pdf$/)
  expect(pdf.bytes.subarray(0, 5).toString('latin1')).toBe('%PDF-')
  expect(pdf.bytes.toString('latin1')).toContain('/FontFile')
  if (spawnSync('pdffonts', ['-v']).error === undefined) {
    const fonts = execFileSync('pdffonts', [pdf.file], { encoding: 'utf8' }).trim().split('\n').slice(2)
    expect(fonts.length).toBeGreaterThan(0)
    for (const font of fonts) expect(font).toMatch(/ yes yes (yes|no) /)
  }
  const vector = await download(page, 'SVG')
  expect(vector.name).toMatch(/\.svg$/)
  expect(vector.bytes.toString('utf8')).toMatch(/^(<\?xml[^>]*>\s*)?<svg[\s\S]*<\/svg>\s*$/)
  const png = await download(page, 'PNG')
  expect(png.name).toMatch(/\.png$/)
  expect([...png.bytes.subarray(0, 8)]).toEqual([0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a])
  // 88.9 mm at 600 dots an inch.
  expect(png.bytes.readUInt32BE(16)).toBe(2100)

  expect(await rowOf(page, 1).getAttribute('aria-selected')).toBe('true')
  expect(window.complaints).toEqual([])
})

import { readFile } from 'node:fs/promises'
import { createRequire } from 'node:module'
import type { AxeResults, RunOptions } from 'axe-core'
import type { Page } from 'playwright-core'
import { until } from './steps.ts'

/** What would keep somebody from working with it, in light and in dark. */
export async function faults(page: Page): Promise<string[]> {
  const found: string[] = []
  for (const theme of ['light', 'dark'] as const) {
    await page.emulateMedia({ colorScheme: theme })
    await until(async () => (await page.locator('html').getAttribute('data-theme')) === theme, `the window is ${theme}`)
    const violations = await page.evaluate(async () => {
      const { axe } = globalThis as unknown as { axe: { run(node: Document, options: RunOptions): Promise<AxeResults> } }
      return (await axe.run(document, { resultTypes: ['violations'], preload: false })).violations
    })
    for (const { id, impact, help, nodes } of violations) {
      if (impact !== 'serious' && impact !== 'critical') continue
      found.push(`${theme}: ${id} (${impact}), ${help}: ${nodes.slice(0, 5).map((node) => `${node.target.join(' ')} ${node.any[0]?.message ?? ''}`).join(' | ')}`)
    }
  }
  return found
}

/** Past the page's own policy, as no page could. */
export async function bringAxe(page: Page): Promise<void> {
  await page.evaluate(await readFile(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8'))
}

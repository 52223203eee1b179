import { readFile } from 'node:fs/promises'
import { createRequire } from 'node:module'
import type { AxeResults, RunOptions } from 'axe-core'
import type { Page } from 'playwright-core'
import { until } from './steps.ts'

/** Rules whose answer depends on colours: a theme changes nothing else, so the others are asked in light alone. */
const rulesOfColour = ['color-contrast', 'link-in-text-block']

/** What would keep somebody from working with it, in light and in dark, or by keys alone. */
export async function faults(page: Page): Promise<string[]> {
  const found = (await page.evaluate(unreachable)).map((name) => `no key leads to it: ${name}`)
  for (const theme of ['light', 'dark'] as const) {
    await page.emulateMedia({ colorScheme: theme })
    await until(async () => (await page.locator('html').getAttribute('data-theme')) === theme, `the window is ${theme}`)
    const violations = await page.evaluate(async (rules) => {
      const { axe } = globalThis as unknown as { axe: { run(node: Document, options: RunOptions): Promise<AxeResults> } }
      const only: RunOptions = rules === null ? {} : { runOnly: { type: 'rule', values: rules } }
      return (await axe.run(document, { ...only, resultTypes: ['violations'], preload: false })).violations
    }, theme === 'dark' ? rulesOfColour : null)
    for (const { id, impact, help, nodes } of violations) {
      if (impact !== 'serious' && impact !== 'critical') continue
      found.push(`${theme}: ${id} (${impact}), ${help}: ${nodes.slice(0, 5).map((node) => `${node.target.join(' ')} ${node.any[0]?.message ?? ''}`).join(' | ')}`)
    }
  }
  return found
}

/** Markers of plots are left out: the table beside a plot has a button for each. Runs in the page: what takes a click and is neither a stop of the tab key nor an entry of what the arrow keys walk through. */
function unreachable(): string[] {
  const widgets = ['grid', 'listbox', 'tablist', 'radiogroup', 'menu', 'toolbar', 'tree', 'group'].map((role) => `[role="${role}"]`).join()
  const isStop = (element: Element): boolean => (element as HTMLElement).tabIndex >= 0
  const listens = (element: Element): boolean => {
    const handlers = Object.getOwnPropertySymbols(element).find(({ description }) => description === '_vei')
    return handlers !== undefined && Boolean((element as unknown as Record<symbol, Record<string, unknown>>)[handlers]!['onClick'])
  }
  const walked = (element: Element): boolean => {
    // What it does the arrow keys do in the field it stands in.
    if (element.parentElement?.querySelector(':scope > [role="combobox"], :scope > [role="spinbutton"]')) return true
    const widget = element.closest(widgets)
    if (!widget) return false
    // Of a row that the arrow keys choose the keys of the row do it.
    const row = element.closest('[role="row"]')
    if (row && row !== element && widget.querySelector('[role="row"][tabindex="0"]')) return true
    const controlled = widget.id !== '' && document.querySelector(`[aria-controls="${CSS.escape(widget.id)}"]`) !== null
    return controlled || isStop(widget) || [...widget.querySelectorAll('[tabindex="0"]')].some((one) => one.getAttribute('role') === element.getAttribute('role') && one.tagName === element.tagName)
  }
  const shown = (element: Element): boolean => element.checkVisibility({ visibilityProperty: true }) && element.getBoundingClientRect().width > 0
    && element.closest('[aria-hidden="true"], [inert]') === null && !element.matches(':disabled, [aria-disabled="true"]')
  return [...document.querySelectorAll('body *')]
    .filter((element) => (element.matches('button, a[href], input, select, textarea') || (element instanceof HTMLElement && listens(element))) && shown(element))
    .filter((element) => !isStop(element) && !walked(element) && !element.matches('label') && ![...element.querySelectorAll('*')].some(isStop) && !element.parentElement?.closest('button, a[href], [tabindex="0"]'))
    .map((element) => `${element.tagName.toLowerCase()}.${element.className} ${element.getAttribute('aria-label') ?? element.textContent.trim().slice(0, 60)}`)
}

/** Past the page's own policy, as no page could. */
export async function bringAxe(page: Page): Promise<void> {
  await page.evaluate(await readFile(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8'))
}

import type { Hand } from './hand.ts'
import type { State } from './journey.ts'

/** Begins the name of a state that shows a view as it is when somebody works in it: these pictures stand in docs/images. */
export const viewPrefix = 'view-'

/** Long enough for a benchmark, a comparison or a training on scenes on a slow machine, ms. */
const patience = 400_000

/** Every view that the rail has, each with its demo. */
export async function* everyView(hand: Hand): AsyncGenerator<State> {
  if (!await exists(hand, 'Explain')) return
  await go(hand, 'Explain')
  await hand.page.locator('tr[data-run]').first().click()
  yield { name: `${viewPrefix}explain`, pose: () => hand.point(0.6, 0.55) }
  if (await exists(hand, 'Compare')) yield* compare(hand)
  if (await exists(hand, 'Reconstruct')) yield* reconstruct(hand)
  if (await exists(hand, 'Figures')) yield* figures(hand)
  if (await exists(hand, 'Benchmark')) yield* benchmark(hand)
  await go(hand, 'Explain')
}

const exists = async (hand: Hand, view: string): Promise<boolean> => (await rail(hand, view).count()) > 0
const go = (hand: Hand, view: string): Promise<void> => rail(hand, view).click()
const rail = (hand: Hand, view: string) => hand.page.getByRole('navigation', { name: 'Views' }).getByRole('button', { name: view })

async function* compare(hand: Hand): AsyncGenerator<State> {
  await go(hand, 'Compare')
  const demo = hand.page.getByRole('button', { name: 'Try the demo' })
  if (await demo.count() === 0) return
  yield 'compare-empty'
  await demo.click()
  await hand.page.getByRole('grid', { name: 'Comparison' }).getByRole('gridcell').first().waitFor()
  await hand.shown('Run all')
  await hand.press('Run all')
  await hand.page.waitForTimeout(4000)
  yield 'compare-running'
  await hand.page.getByText(/^(\d+) of \1 run$/).waitFor({ timeout: patience })
  await hand.press(/^Measure \d/)
  await hand.page.getByRole('progressbar', { name: 'Progress of measuring' }).waitFor()
  await hand.page.getByRole('progressbar', { name: 'Progress of measuring' }).waitFor({ state: 'detached', timeout: patience })
  await hand.page.mouse.move(0, 0)
  yield `${viewPrefix}compare`
}

async function* figures(hand: Hand): AsyncGenerator<State> {
  await go(hand, 'Figures')
  await hand.press(/^Images × methods/)
  await hand.page.getByRole('region', { name: 'The figure as it is printed' }).getByRole('img').waitFor()
  await hand.page.waitForTimeout(2000)
  yield `${viewPrefix}figures`
}

async function* reconstruct(hand: Hand): AsyncGenerator<State> {
  await go(hand, 'Reconstruct')
  const { page } = hand
  if (await page.getByRole('button', { name: /^Try the demo/ }).count() === 0) return
  yield 'reconstruct-empty'
  await page.getByRole('button', { name: /^Try the demo: / }).click()
  // Its objects have come out by then.
  await page.getByRole('group', { name: 'Contact sheet' }).getByText('epoch 6', { exact: true }).waitFor({ timeout: patience })
  yield `${viewPrefix}reconstruct`
  await page.getByRole('grid', { name: 'Reconstructions of this study' }).locator('tbody tr').first().getByText('finished', { exact: true }).waitFor({ timeout: patience })
  for (const tab of ['Variations', 'Classes', 'Report']) {
    await page.getByRole('tab', { name: tab }).click()
    // What it shows is computed when it is opened.
    await page.waitForTimeout(6000)
    yield `reconstruct-${tab.toLowerCase()}`
  }
}

async function* benchmark(hand: Hand): AsyncGenerator<State> {
  await go(hand, 'Benchmark')
  const small = hand.page.getByRole('button', { name: 'Try a small one' })
  if (await small.count() === 0) return
  yield 'benchmark-empty'
  await small.click()
  await hand.page.getByRole('grid', { name: 'Methods by metrics' }).waitFor({ timeout: patience })
  yield 'benchmark-running'
  await hand.page.getByRole('status').filter({ hasText: ': finished' }).waitFor({ state: 'attached', timeout: patience })
  await hand.page.getByText(/^So far\./).waitFor({ state: 'detached', timeout: patience })
  yield `${viewPrefix}benchmark`
  await hand.page.getByRole('button', { name: /^Deletion of Gradient: / }).click()
  await hand.page.getByRole('listbox', { name: 'Images by Deletion' }).getByRole('option').nth(3).waitFor()
  await hand.page.waitForTimeout(1500)
  yield 'benchmark-cells'
  await hand.press('Set up a benchmark')
  await hand.page.getByText(/explanations, about|it is not known how long/).waitFor()
  yield 'benchmark-setup'
}

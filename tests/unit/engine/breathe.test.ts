import { performance } from 'node:perf_hooks'
import { expect, test } from 'vitest'
import { breathe } from '#engine/breathe.ts'

/** As TF.js on WASM does: it computes, and answers at once. */
async function call(milliseconds: number): Promise<void> {
  await breathe()
  const end = performance.now() + milliseconds
  while (performance.now() < end);
}

test('calls in a row that never leave their turn let messages be read, and short ones are not held up', async () => {
  let heard = 0
  const timer = setInterval(() => heard++, 1)
  await breathe()
  for (let i = 0; i < 6; i++) await call(30)
  clearInterval(timer)
  expect(heard).toBeGreaterThanOrEqual(2)
  let turns = 0
  const count = (): void => {
    turns++
    next = setImmediate(count)
  }
  let next = setImmediate(count)
  for (let i = 0; i < 200; i++) await call(0)
  clearImmediate(next)
  expect(turns).toBeLessThan(20)
})

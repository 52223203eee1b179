import { expect, test } from 'vitest'
import { inBatches } from '#services/batches.ts'

test('all items in their order, and never more than 16 at a time', async () => {
  let now = 0
  let most = 0
  const items = Array.from({ length: 50 }, (_, i) => i)
  const results = await inBatches(items, async (item) => {
    most = Math.max(most, ++now)
    await new Promise((resolve) => setTimeout(resolve, item % 3))
    now--
    return item * 2
  })
  expect(results).toEqual(items.map((item) => item * 2))
  expect(most).toBe(16)
  expect(await inBatches([], () => Promise.reject(new Error('never asked')))).toEqual([])
})

test('the first failure ends it', async () => {
  await expect(inBatches([1, 2, 3], (item) => (item === 2 ? Promise.reject(new Error('two')) : Promise.resolve(item)))).rejects.toThrow('two')
})

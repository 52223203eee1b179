import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import type { TimingSubject } from '#pool/timings.ts'
import { createExecutorCache } from '#services/executor-cache.ts'
import { memoryBudget } from '#services/memory-budget.ts'

let folder: string
beforeEach(() => void (folder = mkdtempSync(path.join(tmpdir(), 'maskscope-timings-'))))
afterEach(() => rmSync(folder, { recursive: true, force: true }))

const preprocessing = { fit: 'squash', cropFraction: 1, resizeFilter: 'box', range: [0, 1], mean: [0], std: [1], channelOrder: 'rgb' } as const
const subject: TimingSubject = { source: { sha256: 'a'.repeat(64), preprocessing, head: undefined }, backend: 'wasm', versions: { tfjs: '4', onnxruntime: '1' } }
const timings = { onnxruntime: { forward: 1, gradient: 2.5 }, tfjs: { forward: 3, gradient: null } }

test('what was measured is there in the next session, and for nothing else', async () => {
  const file = path.join(folder, 'deep', 'timings.json')
  const first = createExecutorCache(file, { version: '1.0' })
  expect(await first.find(subject)).toBeNull()
  first.keep(subject, timings)
  expect(await first.find(subject)).toEqual(timings)
  await first.settled()
  // Weights of a source are no part of what is kept.
  const again = createExecutorCache(file, { version: '1.0' })
  const withWeights = { ...subject, source: { ...subject.source, weightData: new Uint8Array(1000) } }
  expect(await again.find(withWeights)).toEqual(timings)
  expect(readFileSync(file).length).toBeLessThan(600)
  const others: TimingSubject[] = [
    { ...subject, source: { ...subject.source, sha256: 'b'.repeat(64) } },
    { ...subject, source: { ...subject.source, preprocessing: { ...preprocessing, mean: [1] } } },
    { ...subject, versions: { tfjs: '4', onnxruntime: '2' } },
    { ...subject, backend: 'cpu' },
  ]
  for (const other of others) expect(await again.find(other)).toBeNull()
  expect(await createExecutorCache(file, { version: '1.1' }).find(subject)).toBeNull()
})

test('which way of using the cores does more is kept beside it', async () => {
  const file = path.join(folder, 'timings.json')
  const ways = { oneWorker: 2, manyWorkers: 1.5 }
  const first = createExecutorCache(file, { version: '1.0' })
  first.keepWays(subject, ways)
  expect(await first.find(subject)).toBeNull()
  first.keep(subject, timings)
  await first.settled()
  const again = createExecutorCache(file, { version: '1.0' })
  expect(await again.findWays(subject)).toEqual(ways)
  expect(await again.find(subject)).toEqual(timings)
})

test('two programs keep what both measured', async () => {
  const file = path.join(folder, 'timings.json')
  const [a, b] = [createExecutorCache(file, { version: '1' }), createExecutorCache(file, { version: '1' })]
  await Promise.all([a.find(subject), b.find(subject)])
  const other = { ...subject, backend: 'cpu' as const }
  a.keep(subject, timings)
  await a.settled()
  b.keep(other, timings)
  await b.settled()
  const fresh = createExecutorCache(file, { version: '1' })
  expect([await fresh.find(subject), await fresh.find(other)]).toEqual([timings, timings])
})

test.each([
  ['cut off', '{"format": "maskscope-ti'], ['of another kind', '{"format": "x"}'], ['with wrong values', '{"format": "maskscope-timings", "version": 1, "models": {"q": 5}}'],
])('a file %s is as if it were not there, said once, and replaced', async (_, text) => {
  const file = path.join(folder, 'timings.json')
  writeFileSync(file, text)
  const said: string[] = []
  const cache = createExecutorCache(file, { version: '1', onProblem: (message) => void said.push(message) })
  expect(await cache.find(subject)).toBeNull()
  cache.keep(subject, timings)
  await cache.settled()
  expect(said).toEqual([expect.stringMatching(/timings\.json .*measured anew/) as unknown])
  expect(await createExecutorCache(file, { version: '1' }).find(subject)).toEqual(timings)
})

test('a place that cannot be written costs nothing but a word', async () => {
  writeFileSync(path.join(folder, 'file'), '')
  const said: string[] = []
  const cache = createExecutorCache(path.join(folder, 'file', 'timings.json'), { version: '1', onProblem: (message) => void said.push(message) })
  cache.keep(subject, timings)
  await cache.settled()
  expect(await cache.find(subject)).toEqual(timings)
  expect(said).toHaveLength(1)
})

test('the usual budget of memory is a quarter of the machine, at least 1 GB', () => {
  expect(memoryBudget(null, 64 * 2 ** 30)).toBe(16 * 2 ** 30)
  expect(memoryBudget(null, 2 ** 30)).toBe(2 ** 30)
  expect(memoryBudget(512, 64 * 2 ** 30)).toBe(512 * 2 ** 20)
})

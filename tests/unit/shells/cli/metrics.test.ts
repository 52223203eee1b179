import { afterEach, expect, test, vi } from 'vitest'
import { metrics } from '#engine/metrics/registry.ts'
import { metricsCommand } from '../../../../src-main/shells/cli/metrics.ts'

afterEach(() => {
  vi.restoreAllMocks()
})

async function printed(...args: string[]): Promise<string> {
  let text = ''
  vi.spyOn(process.stdout, 'write').mockImplementation((chunk) => {
    text += String(chunk)
    return true
  })
  await metricsCommand().parseAsync(args, { from: 'user' })
  vi.restoreAllMocks()
  return text
}

test('every metric with its definition, direction, citation and needs; as a document without infinite numbers', async () => {
  const document = JSON.parse(await printed('--json')) as { metrics: Record<string, unknown>[] }
  expect(document.metrics.map(({ id }) => id)).toEqual(metrics.map(({ id }) => id))
  expect(document.metrics.find(({ id }) => id === 'complexity')).toMatchObject({ better: 'lower', range: [0, null], needs: [], cost: 'map' })
  expect(document.metrics.find(({ id }) => id === 'deletion')).toMatchObject({ presets: [{ id: 'ours' }, { id: 'rise' }, { id: 'xplique' }] })
  const text = await printed()
  for (const { id, title, definition, citation } of metrics) for (const part of [`${id}: ${title} (`, definition, citation]) expect(text).toContain(part)
  expect(text).toContain('iou: Intersection over union (higher is better; from the map alone; needs the true object)')
  expect(text).toContain('neither end is better')
})

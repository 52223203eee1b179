import { readdir, readFile, stat } from 'node:fs/promises'
import path from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { selectBackend } from '#engine/backend/select.ts'
import type { Classifier } from '#engine/classifier/classifier.ts'
import { loadClassifier, plainUse } from '#engine/classifier/load.ts'
import { sceneClasses } from '#engine/scenes/scenes.ts'
import { loadModel } from '#services/models.ts'
import { accuracies, pairedRenders } from '../../scripts/evidence/paired-renders.ts'

const names = ['demo', 'demo-judge'] as const
const folder = (name: string): string => path.resolve(import.meta.dirname, '../../models', name)

beforeAll(async () => {
  await selectBackend('wasm')
})

test('both together have at most 2 MB of weights, one shard each', async () => {
  let bytes = 0
  for (const name of names) {
    const shards = (await readdir(folder(name))).filter((file) => file.endsWith('.bin'))
    expect(shards).toHaveLength(1)
    bytes += (await stat(path.join(folder(name), shards[0]!))).size
  }
  expect(bytes).toBeLessThanOrEqual(2_000_000)
})

test('they differ in their layers and in the scenes they were trained on', async () => {
  const [demo, judge] = await Promise.all(
    names.map(async (name) => ({
      topology: JSON.stringify(JSON.parse(await readFile(path.join(folder(name), 'model.json'), 'utf8')).modelTopology),
      card: JSON.parse(await readFile(path.join(folder(name), 'model-card.json'), 'utf8')) as { training: { seed: number; data: string } },
    })),
  )
  expect(demo!.topology).not.toBe(judge!.topology)
  expect(demo!.card.training.seed).not.toBe(judge!.card.training.seed)
  expect(demo!.card.training.data).toContain('seeds 0 to 499999')
  expect(judge!.card.training.data).toContain('seeds 500000 to 999999')
})

describe('the two of them', () => {
  let classifiers: Classifier[]
  beforeAll(async () => {
    classifiers = await Promise.all(names.map(async (name) => loadClassifier((await loadModel(name)).source, { ...plainUse, executor: 'auto' })))
  })
  afterAll(() => classifiers.forEach((classifier) => classifier.dispose()))

  test('are graphs with logits, the scenes\' labels and the whole picture as their input', () => {
    for (const { info } of classifiers) {
      expect(info).toMatchObject({
        head: 'softmax', access: 'gradient', classes: 10, labels: [...sceneClasses],
        input: { height: 64, width: 64, channels: 3 }, preprocessing: { fit: 'squash', range: [0, 1] },
      })
      expect(info.multiplyAdds).toBeLessThan(12e6)
    }
  })

  test('name the object in 97% of 2,000 evaluation scenes', async () => {
    for (const share of await accuracies(classifiers, 2_000_000, 2000)) expect(share).toBeGreaterThanOrEqual(0.97)
  })

  test('decide by the object: paired renders of 300 scenes', async () => {
    for (const proof of await pairedRenders(classifiers, 2_010_000, 300)) {
      expect(proof.needsObject).toBeGreaterThanOrEqual(0.95)
      expect(proof.keepsOnOtherBackground).toBeGreaterThanOrEqual(0.95)
      expect(proof.distractorsAlone).toBeGreaterThanOrEqual(0.95)
    }
  })
})

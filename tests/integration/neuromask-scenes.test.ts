import { expect, test } from 'vitest'
import { explainAll, keepRates, localise, subjectsFrom } from '../../scripts/evidence/mask-measures.ts'
import { selectBackend } from '#engine/backend/select.ts'
import { loadClassifier, plainUse } from '#engine/classifier/load.ts'
import { findMethod } from '#engine/methods/registry.ts'
import { loadModel } from '#services/models.ts'
import { hasOnnxruntime } from '../onnx.ts'

/** What docs/evidence/neuromask.md reports at length: our preset on the first 200 evaluation scenes, its own-class part. */
test('our preset keeps the class of 200 evaluation scenes and finds their objects', async () => {
  await selectBackend('wasm')
  // A busy machine may find the slower one the faster.
  const executor = hasOnnxruntime ? 'onnxruntime' : 'tfjs'
  const demo = await loadClassifier((await loadModel('demo')).source, { ...plainUse, executor })
  const subjects = await subjectsFrom(demo, 2_000_000, 200)
  const explanations = await explainAll(findMethod('neuromask'), demo, subjects, {})
  const kept = await keepRates(demo, subjects, explanations, 'drawn', 10)
  const { energyRatio } = localise(subjects, explanations)
  demo.dispose()
  expect(kept.own).toBeGreaterThanOrEqual(0.95)
  expect(kept.unseenMean).toBeGreaterThanOrEqual(0.85)
  expect(energyRatio).toBeGreaterThanOrEqual(3)
}, 300_000)

import { expect } from 'vitest'
import { selectBackend } from '#engine/backend/select.ts'
import { createOnnxruntimeExecutor } from '#engine/graph/onnxruntime/executor.ts'
import { createTfjsExecutor } from '#engine/graph/tfjs/executor.ts'
import type { Score } from '#shared/domain/score.ts'
import { operationCases } from '../../../../fixtures/operation-graphs.ts'
import { onnxruntimeTest } from '../../../../onnx.ts'
import { worst } from '../models.ts'

const cases = operationCases()

onnxruntimeTest('the gradient of every operation is that of the other executor', async () => {
  await selectBackend('cpu')
  const off: string[] = []
  for (const { name, projected, images, count, flat } of cases) {
    const other = createTfjsExecutor(projected, 'none')
    const own = await createOnnxruntimeExecutor(projected, 'none')
    const scores = Array.from({ length: count }, (_, i): Score => ({ kind: 'logit', target: i % 3 }))
    const expected = await other.gradient(images, count, scores, 'exact')
    const found = await own.gradient(images, count, scores, 'exact')
    const difference = flat ? Math.max(...found.gradient.map(Math.abs)) : worst(found.gradient, expected.gradient)
    if (!(difference < 1e-4)) off.push(`${name}: ${difference}`)
    if (!(worst(found.logits, expected.logits) < 1e-4)) off.push(`${name}: logits`)
    other.dispose()
    own.dispose()
  }
  expect(off).toEqual([])
  expect(cases.length).toBeGreaterThan(250)
}, 60_000)

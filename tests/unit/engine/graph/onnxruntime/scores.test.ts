import { expect } from 'vitest'
import { checkScores, scoresAndSeeds } from '#engine/classifier/scores.ts'
import { createBuilder } from '#engine/graph/build.ts'
import type { Graph } from '#engine/graph/graph.ts'
import { createOnnxruntimeExecutor } from '#engine/graph/onnxruntime/executor.ts'
import type { Head, Score } from '#shared/domain/score.ts'
import { heads, scoreKinds } from '#shared/domain/score.ts'
import { onnxruntimeTest } from '../../../../onnx.ts'

/** The images are the logits. */
function logitsGraph(classes: number): Graph {
  const builder = createBuilder()
  const x = builder.add('input', { op: 'input' }, [], [-1, 1, 1, classes])
  return builder.finish(x, builder.add('logits', { op: 'reshape' }, [x], [-1, classes]))
}

const rows: readonly (readonly number[])[] = [
  [0, 0, 0, 0], [1, -2, 0.5, 3], [100, -100, 50, 99], [-100, -100, -100, -100], [100, 100, 100, 100], [30, 0, 0, 0], [-30, 0, 0, 0],
  [2, 5, 5, 5], [5, 5, 2, 5], [1e4, -1e4, 0, 9999], [88, 89, 90, 91], [1e-6, -1e-6, 0, 0], [12, -5, -6, -7],
]

function offered(head: Head, classes: number): Score['kind'][] {
  return scoreKinds.filter((kind) => {
    try {
      checkScores([{ kind, target: 0 }], classes, head)
      return true
    } catch {
      return false
    }
  })
}

/** Equal to six digits, or to a size that float32 cannot tell from 1. */
function expectClose(found: Float32Array, expected: Float32Array, what: string): void {
  expect(found.length).toBe(expected.length)
  expected.forEach((v, i) => expect(Math.abs(found[i]! - v), `${what}, element ${i}: ${found[i]} for ${v}`).toBeLessThanOrEqual(2e-6 * Math.abs(v) + 1e-37))
}

for (const head of heads) {
  onnxruntimeTest(`scores and seeds of the head ${head}, for logits of any size`, async () => {
    const executor = await createOnnxruntimeExecutor(logitsGraph(4), head)
    const images = Float32Array.from(rows.flat())
    for (const kind of offered(head, 4)) {
      for (const shift of [0, 1, 2, 3]) {
        const scores = rows.map((_, i): Score => ({ kind, target: (i + shift) % 4 }))
        const expected = scoresAndSeeds(images, 4, scores, head)
        const found = await executor.gradient(images, rows.length, scores, 'exact')
        expect(found.logits).toEqual(images)
        expectClose(found.scores, expected.scores, `${kind} of ${shift}`)
        expectClose(found.gradient, expected.seeds, `seed of ${kind} of ${shift}`)
      }
    }
    executor.dispose()
  })
}

onnxruntimeTest('images of one batch may have scores of different kinds', async () => {
  const executor = await createOnnxruntimeExecutor(logitsGraph(3), 'softmax')
  const images = Float32Array.from({ length: 18 }, (_, i) => Math.sin(5 * i))
  const kinds = ['logit', 'margin', 'logit', 'probability', 'margin', 'log-odds'] as const
  const scores = kinds.map((kind, i): Score => ({ kind, target: i % 3 }))
  const expected = scoresAndSeeds(images, 3, scores, 'softmax')
  const found = await executor.gradient(images, 6, scores, 'exact')
  expectClose(found.scores, expected.scores, 'scores')
  expectClose(found.gradient, expected.seeds, 'seeds')
  expect(found.logits).toEqual(images)
  executor.dispose()
})

onnxruntimeTest('one output alone: a plain number, or a sigmoid', async () => {
  for (const head of ['none', 'sigmoid'] as const) {
    const executor = await createOnnxruntimeExecutor(logitsGraph(1), head)
    for (const kind of offered(head, 1)) {
      const scores = [1, 2, 3].map((): Score => ({ kind, target: 0 }))
      const images = Float32Array.of(-40, 0, 2.5)
      const expected = scoresAndSeeds(images, 1, scores, head)
      const found = await executor.gradient(images, 3, scores, 'exact')
      expectClose(found.scores, expected.scores, kind)
      expectClose(found.gradient, expected.seeds, `seed of ${kind}`)
    }
    executor.dispose()
  }
})

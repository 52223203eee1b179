import * as tf from '@tensorflow/tfjs-core'
import { expect, test } from 'vitest'
import { selectBackend } from '#engine/backend/select.ts'
import type { Executor } from '#engine/graph/executor.ts'
import type { Graph, Op } from '#engine/graph/graph.ts'
import { binaries, plainUnaries } from '#engine/graph/graph.ts'
import { createOnnxruntimeExecutor } from '#engine/graph/onnxruntime/executor.ts'
import { createTfjsExecutor } from '#engine/graph/tfjs/executor.ts'
import type { Score } from '#shared/domain/score.ts'
import { operationCases } from '../../../fixtures/operation-graphs.ts'
import { differences, evaluate } from '../../../fixtures/reference-executor.ts'
import { onnxruntimeTest } from '../../../onnx.ts'

const cases = operationCases()
const expected = cases.map((c) => ({
  outputs: evaluate(c.outputs, Float64Array.from(c.images), c.count).value.data,
  gradients: differences(c.projected, c.images, c.count),
}))

/** What the graph can say; missing one is a type error. */
const operations: Record<Exclude<Op, 'input' | 'constant'>, true> = {
  conv2d: true, depthwiseConv2d: true, conv2dTranspose: true, dense: true, affine: true, unary: true, prelu: true, binary: true, where: true,
  normalize: true, matmul: true, softmax: true, pool: true, reduce: true, reshape: true, transpose: true, pad: true, slice: true,
  gather: true, expand: true, reverse: true, concat: true, resize: true, lrn: true,
}

/** Largest difference, over the largest magnitude of what is expected. */
function error(found: ArrayLike<number>, wanted: ArrayLike<number>): number {
  if (found.length !== wanted.length) return Infinity
  let [difference, magnitude] = [0, 1e-3]
  for (let i = 0; i < wanted.length; i++) {
    if (!Number.isFinite(found[i]!)) return Infinity
    difference = Math.max(difference, Math.abs(found[i]! - wanted[i]!))
    magnitude = Math.max(magnitude, Math.abs(wanted[i]!))
  }
  return difference / magnitude
}

type Create = (graph: Graph) => Executor | Promise<Executor>

/** Every output that is further off than it may be, by name. */
async function wrongOutputs(create: Create): Promise<string[]> {
  const failed: string[] = []
  for (const [i, c] of cases.entries()) {
    const executor = await create(c.outputs)
    const off = error(await executor.forward(c.images, c.count), expected[i]!.outputs)
    if (off > 1e-5) failed.push(`${c.name}: outputs differ by ${off}`)
    executor.dispose()
  }
  return failed
}

/** Every gradient that is, likewise. */
async function wrongGradients(create: Create): Promise<string[]> {
  const failed: string[] = []
  for (const [i, c] of cases.entries()) {
    try {
      const projected = await create(c.projected)
      for (const [target, wanted] of expected[i]!.gradients.entries()) {
        const scores = Array.from({ length: c.count }, (): Score => ({ kind: 'logit', target }))
        const { gradient } = await projected.gradient(c.images, c.count, scores, 'exact')
        if (c.flat && gradient.some((v) => v !== 0)) failed.push(`${c.name}: there is a gradient`)
        if (error(gradient, wanted) > 1e-3) failed.push(`${c.name}: the gradient is off by ${error(gradient, wanted)}`)
      }
      projected.dispose()
    } catch (thrown) {
      failed.push(`${c.name}: ${String(thrown)}`)
    }
  }
  return failed
}

test('there are cases of every operation and function', () => {
  for (const op of Object.keys(operations)) expect(cases.some((c) => c.op === op), op).toBe(true)
  for (const kind of plainUnaries) expect(cases.some((c) => c.name === `unary ${kind}`), kind).toBe(true)
  for (const f of binaries) expect(cases.filter((c) => c.name.startsWith(`binary ${f} `)).length, f).toBeGreaterThan(3)
  // and they ask for something: only comparisons are flat
  for (const [i, { gradients }] of expected.entries()) expect(gradients.some((g) => g.some((v) => v !== 0)), cases[i]!.name).toBe(!cases[i]!.flat && cases[i]!.name !== 'binary power to the constant 0')
})

test.each(['wasm', 'cpu'] as const)('on %s every operation and its gradient agree with double precision and its differences', async (backend) => {
  await selectBackend(backend)
  const before = tf.memory().numTensors
  expect(await wrongOutputs((graph) => createTfjsExecutor(graph, 'none'))).toEqual([])
  expect(await wrongGradients((graph) => createTfjsExecutor(graph, 'none'))).toEqual([])
  expect(tf.memory().numTensors).toBe(before)
})

onnxruntimeTest('with ONNX Runtime the gradient of every operation agrees with differences in double precision', async () => {
  expect(await wrongGradients((graph) => createOnnxruntimeExecutor(graph, 'none'))).toEqual([])
})

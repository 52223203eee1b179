import { expect, test } from 'vitest'
import { createBuilder } from '#engine/graph/build.ts'
import type { Stored } from '#engine/graph/onnxruntime/layout.ts'
import { createOnnxruntimeExecutor } from '#engine/graph/onnxruntime/executor.ts'
import { reshapedOrder } from '#engine/graph/onnxruntime/reshaped-order.ts'
import { operationCases } from '../../../../fixtures/operation-graphs.ts'
import { evaluate } from '../../../../fixtures/reference-executor.ts'
import { onnxruntimeTest } from '../../../../onnx.ts'

onnxruntimeTest('every operation of the graph gives what it means', async () => {
  const off: string[] = []
  for (const { name, outputs, images, count } of operationCases()) {
    const executor = await createOnnxruntimeExecutor(outputs, 'none')
    const found = await executor.forward(images, count)
    const { data } = evaluate(outputs, Float64Array.from(images), count).value
    const worst = found.length === data.length ? data.reduce((most, v, i) => Math.max(most, Math.abs(v - found[i]!) / Math.max(1, Math.abs(v))), 0) : Infinity
    if (!(worst < 1e-5)) off.push(`${name}: ${worst}`)
    executor.dispose()
  }
  expect(off).toEqual([])
}, 60_000)

onnxruntimeTest('values in the layout of convolutions pass through reshapes, transposes and shuffles of channels', async () => {
  const b = createBuilder()
  const x = b.add('x', { op: 'input' }, [], [-1, 4, 6, 3])
  const weights = (size: number): Float32Array => Float32Array.from({ length: size }, (_, i) => Math.sin(i * 1.7))
  const geometry = { strides: [1, 1], pads: { top: 1, bottom: 1, left: 1, right: 1 }, dilations: [1, 1], groups: 1, bias: null, activation: null } as const
  const conv = b.add('conv', { op: 'conv2d', filter: { shape: [3, 3, 3, 8], data: weights(216) }, ...geometry }, [x])
  // channels in two groups change places: nothing moves before the transpose is wanted
  const split = b.add('split', { op: 'reshape' }, [conv], [-1, 4, 6, 2, 4])
  const turned = b.add('turned', { op: 'transpose', permutation: [0, 1, 2, 4, 3] }, [split])
  const shuffled = b.add('shuffled', { op: 'reshape' }, [turned], [-1, 4, 6, 8])
  const sum = b.add('sum', { op: 'binary', function: 'add' }, [shuffled, conv])
  const pooled = b.add('pooled', { op: 'pool', kind: 'max', size: [2, 2], strides: [2, 2], pads: { top: 0, bottom: 0, left: 0, right: 0 }, countPadding: false }, [sum])
  const tokens = b.add('tokens', { op: 'reshape' }, [pooled], [-1, 6, 8])
  const flat = b.add('flat', { op: 'reshape' }, [tokens], [-1, 48])
  const graph = b.finish(x, b.add('logits', { op: 'dense', matrix: { shape: [48, 3], data: weights(144) }, bias: null, activation: null }, [flat]))
  const images = Float32Array.from({ length: 3 * 72 }, (_, i) => Math.cos(i * 0.9))
  const executor = await createOnnxruntimeExecutor(graph, 'softmax')
  const found = await executor.forward(images, 3)
  const { data } = evaluate(graph, Float64Array.from(images), 3).value
  data.forEach((v, i) => expect(found[i]).toBeCloseTo(v, 4))
  executor.dispose()
})

test('a reshape leaves the value in memory where it splits axes and joins neighbours that lie together', () => {
  const image = (shape: number[], order = [0, 3, 1, 2]): Stored => ({ name: 'v', shape, order })
  // NCHW: channels split in two stay in front of rows and columns
  expect(reshapedOrder(image([-1, 4, 6, 8]), [-1, 4, 6, 2, 4])).toEqual([0, 3, 4, 1, 2])
  // rows and columns joined
  expect(reshapedOrder(image([-1, 4, 6, 8]), [-1, 24, 8])).toEqual([0, 2, 1])
  // rows joined with channels do not lie together
  expect(reshapedOrder(image([-1, 4, 6, 8]), [-1, 192])).toBeNull()
  // the batch is a factor like any other
  expect(reshapedOrder(image([-1, 4, 6, 8], [0, 1, 2, 3]), [-4, 6, 8])).toEqual([0, 1, 2])
  expect(reshapedOrder(image([6, -2, 8], [1, 0, 2]), [6, -1, 2, 8])).toEqual([1, 2, 0, 3])
})

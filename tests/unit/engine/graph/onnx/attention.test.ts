import '@tensorflow/tfjs-backend-cpu'
import { beforeAll, expect, test } from 'vitest'
import { selectBackend } from '#engine/backend/select.ts'
import type { Graph } from '#engine/graph/graph.ts'
import { simplify } from '#engine/graph/simplify/simplify.ts'
import { createRandom } from '#shared/random/random.ts'
import { plain } from '../models.ts'
import { channelsFirst, fileLogits, imported, logitsOf } from './run-file.ts'
import type { Form } from './vit-model.ts'
import { visionTransformer } from './vit-model.ts'

beforeAll(async () => {
  await selectBackend('cpu')
})

function simplified(form: Form): Graph {
  return simplify(imported(visionTransformer(form)), { preprocessing: plain, head: undefined, labels: null }).graph
}

const forms: readonly Form[] = ['images first', 'images first, batch of one spelled out', 'tokens first']

test.each(forms)('a vision transformer, %s, gives the logits of its file for a batch of three', async (form) => {
  const graph = simplified(form)
  expect(graph.oneByOne).toBeUndefined()
  const random = createRandom(1, 'images')
  const images = Float32Array.from({ length: 3 * 8 * 8 * 3 }, () => random.uniform())
  const logits = await logitsOf(graph, images, 3)
  const expected = await fileLogits(visionTransformer(form), channelsFirst(images, [3, 8, 8, 3]), 3, [1, 3, 8, 8])
  // without ONNX Runtime the three forms are held against each other
  const reference = expected ?? (await logitsOf(simplified('images first'), images, 3))
  expect(logits.length).toBe(reference.length)
  expect(logits.reduce((most, v, i) => Math.max(most, Math.abs(v - reference[i]!)), 0)).toBeLessThan(1e-5)
})

test.each(forms)('normalisations and activations written in steps are one node each, %s', (form) => {
  const { nodes, notes } = simplified(form)
  const count = (op: string): number => nodes.filter((n) => n.op === op).length
  expect(count('normalize')).toBe(3)
  expect(nodes.filter((n) => n.op === 'unary').map((n) => n.function.kind)).toEqual(['gelu'])
  expect(count('matmul')).toBe(2)
  expect(count('softmax')).toBe(1)
  expect(count('reduce')).toBe(0)
  expect(count('transpose')).toBe(form === 'tokens first' ? 5 : 4)
  expect(notes.join(' ')).toMatch(/2 normalisations written in steps are one node each/)
  expect(notes.join(' ')).toMatch(/1 activation written in steps is one node/)
})

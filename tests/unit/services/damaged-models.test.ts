import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { selectBackend } from '#engine/backend/select.ts'
import { loadClassifier } from '#engine/classifier/load.ts'
import { loadModel } from '#services/models.ts'
import { MaskscopeError } from '#shared/domain/errors.ts'
import { createRandom } from '#shared/random/random.ts'
import { tinyCard, writeTinyModel } from '../../fixtures/tiny-model.ts'
import { writeTinyOnnx } from '../../fixtures/tiny-onnx.ts'
import { attribute, graphDef } from '../engine/graph/graph-def.ts'

/** One bit of a model's files is wrong: it loads all the same, or is refused in words; nothing crashes or takes long. */

const folder = mkdtempSync(path.join(tmpdir(), 'maskscope-damaged-'))
beforeAll(async () => void (await selectBackend('cpu')))
afterAll(() => rmSync(folder, { recursive: true, force: true }))

/** A convolution, a mean over the pixels and a product, as tfjs-converter writes them; the path of its model.json. */
function writeTinyGraph(where: string): string {
  const g = graphDef([16, 16, 3])
  const layout = { data_format: attribute.text('NHWC') }
  const sliding = { ...layout, strides: attribute.ints([1, 2, 2, 1]), dilations: attribute.ints([1, 1, 1, 1]), padding: attribute.text('SAME'), explicit_paddings: attribute.ints([]) }
  const conv = g.node('relu', 'Relu', [g.node('conv', 'Conv2D', ['input', g.weight('conv/w', [3, 3, 3, 6])], sliding)])
  const mean = g.node('mean', 'Mean', [conv, g.constant('axes', [1, 2])], { keep_dims: attribute.bool(false) })
  const product = g.node('product', 'MatMul', [mean, g.weight('product/w', [6, 4])], { transpose_a: attribute.bool(false), transpose_b: attribute.bool(false) })
  g.node('logits', 'BiasAdd', [product, g.weight('bias', [4])], layout)
  const { topology, weightSpecs, weightData } = g.source()
  mkdirSync(where, { recursive: true })
  writeFileSync(path.join(where, 'weights.bin'), weightData)
  writeFileSync(path.join(where, 'model-card.json'), JSON.stringify(tinyCard))
  writeFileSync(path.join(where, 'model.json'), JSON.stringify({ format: 'graph-model', modelTopology: topology, weightsManifest: [{ paths: ['weights.bin'], weights: weightSpecs }] }))
  return path.join(where, 'model.json')
}

async function flip(files: readonly string[], times: number): Promise<{ loaded: number; refused: number; strange: unknown[]; longest: number }> {
  const random = createRandom(11, 'bit flips')
  const whole = files.map((file) => readFileSync(file))
  const found = { loaded: 0, refused: 0, strange: [] as unknown[], longest: 0 }
  for (let n = 0; n < times; n++) {
    const which = n % files.length
    const bytes = Buffer.from(whole[which]!)
    bytes[Math.floor(random.uniform() * bytes.length)]! ^= 1 << Math.floor(random.uniform() * 8)
    writeFileSync(files[which]!, bytes)
    const begin = performance.now()
    try {
      const { source } = await loadModel(files[0]!)
      const classifier = await loadClassifier(source)
      classifier.dispose()
      found.loaded++
    } catch (error) {
      if (error instanceof MaskscopeError) found.refused++
      else found.strange.push(error)
    }
    found.longest = Math.max(found.longest, performance.now() - begin)
    writeFileSync(files[which]!, whole[which]!)
  }
  return found
}

test.each([
  ['a TF.js layers model', () => [writeTinyModel(path.join(folder, 'layers'), { card: tinyCard }), path.join(folder, 'layers', 'model-shard1of1.bin')]],
  ['a TF.js graph model', () => [writeTinyGraph(path.join(folder, 'graph')), path.join(folder, 'graph', 'weights.bin')]],
  ['an ONNX model', () => [writeTinyOnnx(path.join(folder, 'onnx'), { external: 'weights.bin' }), path.join(folder, 'onnx', 'weights.bin')]],
])('1,000 flipped bits of %s', async (_, write) => {
  const { loaded, refused, strange, longest } = await flip(write(), 1000)
  expect(strange).toEqual([])
  expect(loaded + refused).toBe(1000)
  expect(loaded).toBeGreaterThan(100)
  expect(refused).toBeGreaterThan(100)
  expect(longest).toBeLessThan(3000)
}, 60_000)

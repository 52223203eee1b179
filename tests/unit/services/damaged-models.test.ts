import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
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

/** One bit of a model's files is wrong: it loads all the same, or is refused in words; nothing crashes or takes long. */

const folder = mkdtempSync(path.join(tmpdir(), 'maskscope-damaged-'))
beforeAll(async () => void (await selectBackend('cpu')))
afterAll(() => rmSync(folder, { recursive: true, force: true }))

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
  ['an ONNX model', () => [writeTinyOnnx(path.join(folder, 'onnx'), { external: 'weights.bin' }), path.join(folder, 'onnx', 'weights.bin')]],
])('1,000 flipped bits of %s', async (_, write) => {
  const { loaded, refused, strange, longest } = await flip(write(), 1000)
  expect(strange).toEqual([])
  expect(loaded + refused).toBe(1000)
  expect(loaded).toBeGreaterThan(100)
  expect(refused).toBeGreaterThan(100)
  expect(longest).toBeLessThan(3000)
}, 60_000)

import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { findMethod } from '#engine/methods/registry.ts'
import { createWorkbench, type Workbench } from '#main/workbench.ts'
import { loadModel, type LoadedModel } from '#services/models.ts'
import { resolveParameters } from '#shared/domain/parameters.ts'
import { onnxruntimeTest } from '../onnx.ts'
import { tinyOnnxClasses, writeTinyOnnx } from '../fixtures/tiny-onnx.ts'

/** Real workers: who runs a model, and what that takes. */

const folder = mkdtempSync(path.join(tmpdir(), 'maskscope-executors-'))
const timingsFile = path.join(folder, 'timings', 'executor-timings.json')
const log: string[] = []
let workbench: Workbench
let model: LoadedModel

beforeAll(async () => {
  model = await loadModel(writeTinyOnnx(path.join(folder, 'tiny'), { size: 24 }))
  workbench = createWorkbench({ backend: 'wasm', jobs: 1, timingsFile, log: (message) => void log.push(message) })
})

afterAll(async () => {
  await workbench.dispose()
  rmSync(folder, { recursive: true, force: true })
})

function pictures(count: number, size: number): { count: number; height: number; width: number; channels: number; data: Float32Array } {
  return { count, height: size, width: size, channels: 3, data: Float32Array.from({ length: count * size * size * 3 }, (_, i) => (i * 7919 % 1000) / 1000) }
}

describe('who runs a model', () => {
  test('TF.js where it is asked for; its layers are told', async () => {
    const info = await workbench.pool.info(model.source, { executor: 'tfjs' })
    expect(info).toMatchObject({ format: 'ONNX model, opset 13', access: 'gradient', head: 'softmax', classes: tinyOnnxClasses, executor: { id: 'tfjs', version: null } })
    const graph = await workbench.pool.describe(model.source, { executor: 'tfjs' })
    expect(graph?.layers.some(({ cam, name }) => cam && name === graph.camLayer)).toBe(true)
  })

  onnxruntimeTest('measured once, kept in a file, and told with figures; both agree', async () => {
    const { pool } = workbench
    const info = await pool.info(model.source)
    expect(info.executor.reason).toMatch(/faster on this machine: one image forward and back took [\d.]+ ms, with .* [\d.]+ ms\.$/)
    expect(info.executor.measured).toMatchObject({ onnxruntime: { forward: expect.any(Number) as unknown }, tfjs: { gradient: expect.any(Number) as unknown } })
    const images = pictures(3, 24)
    const native = await pool.classify(model.source, images, { executor: 'onnxruntime' })
    const plain = await pool.classify(model.source, images, { executor: 'tfjs' })
    expect(native.length).toBe(3 * tinyOnnxClasses)
    native.forEach((value, i) => expect(Math.abs(value - plain[i]!)).toBeLessThan(1e-4))
    await workbench.dispose()
    const kept = JSON.parse(readFileSync(timingsFile, 'utf8')) as { models: object }
    expect(Object.values(kept.models)).toEqual([info.executor.measured])

    workbench = createWorkbench({ backend: 'wasm', jobs: 1, timingsFile, log: (message) => void log.push(message) })
    expect((await workbench.pool.info(model.source)).executor).toEqual(info.executor)
    await workbench.dispose()

    // A damaged file costs a measurement and a word in the log.
    writeFileSync(timingsFile, '{"format": "maskscope-tim')
    workbench = createWorkbench({ backend: 'wasm', jobs: 1, timingsFile, log: (message) => void log.push(message) })
    expect((await workbench.pool.info(model.source)).executor.reason).toContain('faster on this machine')
    expect(log).toEqual([expect.stringMatching(/executor-timings\.json cannot be read; how fast models run is measured anew/) as unknown])
  })

  onnxruntimeTest('an operator that the graph does not have: ONNX Runtime runs the file, outputs only', async () => {
    const { pool } = workbench
    const odd = await loadModel(writeTinyOnnx(path.join(folder, 'odd'), { size: 24, opaque: true, batch: 1 }))
    const info = await pool.info(odd.source)
    expect(info).toMatchObject({ access: 'query', multiplyAdds: null, format: 'ONNX model, opset 13', executor: { id: 'onnxruntime', reason: 'Only ONNX Runtime can run the file as it is.' } })
    expect(info.notes.join('\n')).toMatch(/cannot express node hard \(Hardmax.*ONNX Runtime runs the model's file as it is/)
    expect(await pool.describe(odd.source)).toBeNull()
    // Its softmax came off as logarithms of the probabilities: the same up to a number per image.
    const images = pictures(3, 24)
    const [own, known] = await Promise.all([pool.classify(odd.source, images), pool.classify(model.source, images)])
    for (let i = 0; i < 3; i++) {
      const shift = own[i * tinyOnnxClasses]! - known[i * tinyOnnxClasses]!
      for (let c = 0; c < tinyOnnxClasses; c++) expect(own[i * tinyOnnxClasses + c]! - known[i * tinyOnnxClasses + c]!).toBeCloseTo(shift, 4)
    }
    await expect(pool.info(odd.source, { executor: 'tfjs' })).rejects.toThrow(/only ONNX Runtime runs the file as it is/)
  })

  test('an operator that nobody has is refused with its node', async () => {
    const unknown = await loadModel(writeTinyOnnx(path.join(folder, 'unknown'), { unknown: true }))
    await expect(workbench.pool.info(unknown.source)).rejects.toThrow(/frobnicated \(example\.org\.Frobnicate.*ONNX Runtime/)
  })
})

/** Peak resident memory of a process in MB, where the system tells. */
function peakOf(pid: number): number {
  return Number(/VmHWM:\s+(\d+) kB/.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1]) / 1024
}

describe.runIf(process.platform === 'linux')('the budget of memory', () => {
  // Each image takes some 5 MB forward and 7 MB with its gradient: unlimited, this would be about twice the budget.
  const size = 64
  const images = 128
  const budget = 280

  async function peakAfter(executor: 'onnxruntime' | 'tfjs', work: 'classify' | 'explain'): Promise<number> {
    const big = await loadModel(writeTinyOnnx(path.join(folder, 'big'), { size, channels: 128 }))
    const own = createWorkbench({ backend: 'wasm', jobs: 1, executor: () => executor, memoryMegabytes: () => budget })
    try {
      if (work === 'classify') await own.pool.classify(big.source, pictures(images, size))
      else {
        const parameters = resolveParameters(findMethod('neuromask'), { iterations: 1, resolution: 8 })
        const each = Array.from({ length: 24 }, (_, i) => i)
        await own.pool.explain(big.source, { method: 'neuromask', parameters, images: pictures(24, size), targets: each.map(() => 0), seeds: each })
      }
      return peakOf(own.pool.workers()[0]!.pid!)
    } finally {
      await own.dispose()
    }
  }

  for (const [executor, define] of [['tfjs', test], ['onnxruntime', onnxruntimeTest]] as const) {
    define(`${executor}: batches use it, and stay within 20% of it`, async () => {
      for (const work of ['classify', 'explain'] as const) {
        const peak = await peakAfter(executor, work)
        expect(peak).toBeLessThan(1.2 * budget)
        expect(peak).toBeGreaterThan(0.4 * budget)
      }
    }, 60_000)
  }
})

import { describe, expect, test } from 'vitest'
import { chooseExecutor, type ChoiceFacts, type Contender, type ThreadedExecutor } from '#engine/classifier/choose-executor.ts'
import { fitBatches, liveAtOnce } from '#engine/classifier/limits.ts'
import { noPads, type Graph } from '#engine/graph/graph.ts'
import type { ExecutorId } from '#shared/domain/executor.ts'

/** Time that only the executors of the test spend. */
let clock = 0

interface Fake {
  contender: Contender
  calls: string[]
}

/** @param costs of each call in ms; the last one of the list stays */
function fake(id: ExecutorId, costs: readonly number[], fails?: 'make' | 'run'): Fake {
  const calls: string[] = []
  const spend = async (what: string): Promise<never> => {
    clock += costs[Math.min(calls.filter((c) => c === what).length, costs.length - 1)]!
    calls.push(what)
    if (fails === 'run') throw new Error(`no kernel for it.\nat somewhere`)
    return {} as never
  }
  const executor: ThreadedExecutor = {
    id, forward: () => spend('forward'), gradient: () => spend('gradient'), activations: () => spend('activations'), ablated: () => spend('ablated'),
    dispose: () => void calls.push('dispose'),
  }
  return {
    calls,
    contender: {
      id, version: id === 'onnxruntime' ? '1.2.3' : null, name: id === 'tfjs' ? 'TensorFlow.js on WebAssembly' : 'ONNX Runtime',
      make: async () => {
        if (fails === 'make') throw new Error('it does not load.')
        return executor
      },
    },
  }
}

function facts(native: Fake | null, plain: Fake, more: Partial<ChoiceFacts> = {}): ChoiceFacts {
  return {
    wish: 'auto', tfjs: plain.contender, onnxruntime: native?.contender ?? null, without: 'a GPU is used, and TensorFlow.js computes on it', measured: null,
    image: new Float32Array(3), now: () => clock, ...more,
  }
}

describe('who runs a model', () => {
  test('the faster, measured without its first call, with figures; the other is let go', async () => {
    const native = fake('onnxruntime', [90, 10])
    const plain = fake('tfjs', [200, 15])
    const { choice, executor } = await chooseExecutor(facts(native, plain))
    expect(choice).toEqual({
      id: 'onnxruntime', version: '1.2.3', measured: { onnxruntime: { forward: 10, gradient: 10 }, tfjs: { forward: 15, gradient: 15 } },
      reason: 'It is the faster on this machine: one image forward and back took 10 ms, with TensorFlow.js on WebAssembly 15 ms.',
    })
    expect(executor.id).toBe('onnxruntime')
    expect(plain.calls).toContain('dispose')
    expect(native.calls).not.toContain('dispose')
    // Close as they are, each was called several times.
    expect(plain.calls.filter((c) => c === 'gradient').length).toBe(4)
  })

  test('TF.js where that is the faster', async () => {
    const native = fake('onnxruntime', [30])
    const { choice } = await chooseExecutor(facts(native, fake('tfjs', [2])))
    expect(choice).toMatchObject({ id: 'tfjs', version: null, reason: expect.stringMatching(/took 2\.0 ms, with ONNX Runtime 30 ms/) as unknown })
    expect(native.calls).toContain('dispose')
  })

  test('one that is clearly the faster is measured once, and big networks end the race', async () => {
    const plain = fake('tfjs', [50])
    await chooseExecutor(facts(fake('onnxruntime', [5]), plain))
    expect(plain.calls.filter((c) => c === 'gradient')).toHaveLength(2)
    clock = 0
    const slow = fake('tfjs', [9000])
    const { choice } = await chooseExecutor(facts(fake('onnxruntime', [1500]), slow))
    expect(choice.id).toBe('onnxruntime')
    // Its one call was all the time there is.
    expect(slow.calls.filter((c) => c === 'gradient')).toHaveLength(1)
  })

  test('nothing is run where it was measured before', async () => {
    const native = fake('onnxruntime', [1])
    const plain = fake('tfjs', [1])
    const measured = { onnxruntime: { forward: 1, gradient: 8 }, tfjs: { forward: 9, gradient: 4 } }
    const { choice } = await chooseExecutor(facts(native, plain, { measured }))
    expect(choice).toMatchObject({ id: 'tfjs', measured })
    expect([...native.calls, ...plain.calls]).toEqual(['dispose'])
  })

  test('the one that is asked for, without measuring', async () => {
    for (const id of ['onnxruntime', 'tfjs'] as const) {
      const native = fake('onnxruntime', [1])
      const plain = fake('tfjs', [1])
      const { choice } = await chooseExecutor(facts(native, plain, { wish: id }))
      expect(choice).toMatchObject({ id, reason: 'It was asked for.', measured: {} })
      expect([...native.calls, ...plain.calls]).toEqual([])
    }
  })

  test('TF.js where ONNX Runtime is out of the question or fails, with the reason; asked for, it is refused', async () => {
    const plain = (): Fake => fake('tfjs', [1])
    expect((await chooseExecutor(facts(null, plain()))).choice).toMatchObject({ id: 'tfjs', reason: 'A GPU is used, and TensorFlow.js computes on it.' })
    await expect(chooseExecutor(facts(null, plain(), { wish: 'onnxruntime' }))).rejects.toThrow(/ONNX Runtime was asked for, but a GPU is used/)
    const broken = fake('onnxruntime', [1], 'make')
    expect((await chooseExecutor(facts(broken, plain()))).choice.reason).toBe('ONNX Runtime cannot run this model: it does not load.')
    await expect(chooseExecutor(facts(broken, plain(), { wish: 'onnxruntime' }))).rejects.toThrow(/it cannot run this model: it does not load\. Leave the choice/)
    const failing = fake('onnxruntime', [1], 'run')
    expect((await chooseExecutor(facts(failing, plain()))).choice.reason).toBe('ONNX Runtime cannot run this model: no kernel for it.')
    expect(failing.calls).toContain('dispose')
  })
})

describe('batches', () => {
  const filter = { shape: [1, 1, 3, 8], data: new Float32Array(24) }
  const linear = { filter, bias: null, activation: null, strides: [1, 1] as const, dilations: [1, 1] as const, groups: 1, pads: noPads }
  const graph: Graph = {
    nodes: [
      { op: 'input', name: 'image', inputs: [], shape: [-1, 100, 100, 3], layers: [] },
      { op: 'conv2d', name: 'conv', inputs: ['image'], shape: [-1, 100, 100, 8], layers: [], ...linear },
      { op: 'unary', name: 'exp', inputs: ['conv'], shape: [-1, 100, 100, 8], layers: [], function: { kind: 'exp' } },
      { op: 'reduce', name: 'mean', inputs: ['exp'], shape: [-1, 8], layers: [], function: 'mean', axes: [1, 2], keepDims: false },
    ],
    input: 'image', output: 'mean', notes: [],
  }

  test('the most that is alive at once', () => {
    expect(liveAtOnce(graph)).toBe(160_000)
  })

  test('grow with the budget up to a limit, and follow from nothing else', () => {
    for (const executor of ['tfjs', 'onnxruntime'] as const) {
      const sizes = [200, 400, 4000].map((megabytes) => fitBatches(graph, executor, megabytes * 2 ** 20))
      const forward = sizes.map(({ limits }) => limits.forward)
      expect(forward).toEqual([...forward].sort((a, b) => a - b))
      expect(forward[0]).toBeGreaterThan(1)
      expect(sizes[2]!.limits).toEqual({ forward: 256, gradient: 256 })
      for (const { limits, notes } of sizes) {
        expect(limits.gradient).toBeGreaterThan(1)
        expect(notes).toEqual([])
      }
    }
  })

  test('one at a time, said in words, where the budget is below what one image takes; and where the file is made for one', () => {
    const { limits, notes } = fitBatches(graph, 'tfjs', 100 * 2 ** 20)
    expect(limits).toEqual({ forward: 1, gradient: 1 })
    expect(notes[0]).toMatch(/^One image with its gradient takes about 15\d MB, more than the 100 MB that each engine process may take\..*--memory/)
    expect(fitBatches({ ...graph, oneByOne: true }, 'tfjs', 2 ** 32).limits).toEqual({ forward: 1, gradient: 1 })
  })
})

import type { InferenceSession } from 'onnxruntime-node'
import { expect, test } from 'vitest'
import { createBuilder } from '#engine/graph/build.ts'
import type { Graph } from '#engine/graph/graph.ts'
import { onnxruntimeError } from '#engine/graph/onnxruntime/errors.ts'
import { createOnnxruntimeExecutor } from '#engine/graph/onnxruntime/executor.ts'
import { loadOnnxruntime, unavailableReason, type Onnxruntime } from '#engine/graph/onnxruntime/runtime.ts'
import { createSessions } from '#engine/graph/onnxruntime/sessions.ts'
import { MaskscopeError } from '#shared/domain/errors.ts'
import type { Score } from '#shared/domain/score.ts'
import { onnxruntimeTest } from '../../../../onnx.ts'

const [height, width] = [9, 8]
const perImage = height * width * 3

/** A small network with everything that usual ones have: strides, a pool, a residual sum, a mean and a dense layer. */
function network(units = 5): Graph {
  const b = createBuilder()
  let seed = 1
  const weights = (...shape: number[]): { shape: number[]; data: Float32Array } => {
    const size = shape.reduce((p, n) => p * n, 1)
    return { shape, data: Float32Array.from({ length: size }, () => Math.sin(seed++ * 12.9898) / Math.sqrt(size / shape[shape.length - 1]!)) }
  }
  const around = { top: 1, bottom: 1, left: 1, right: 1 }
  const relu = { kind: 'relu', max: null } as const
  const conv = (name: string, input: string, inner: number, stride: 1 | 2): string => b.add(name, {
    op: 'conv2d', filter: weights(3, 3, inner, 16), bias: weights(16), activation: relu, strides: [stride, stride], pads: around, dilations: [1, 1], groups: 1,
  }, [input])
  const x = b.add('x', { op: 'input' }, [], [-1, height, width, 3])
  const first = conv('first', x, 3, 2)
  const second = conv('second', first, 16, 1)
  const sum = b.add('sum', { op: 'binary', function: 'add' }, [first, second])
  const pooled = b.add('pooled', { op: 'pool', kind: 'max', size: [3, 3], strides: [2, 2], pads: around, countPadding: false }, [sum])
  const mean = b.add('mean', { op: 'reduce', function: 'mean', axes: [1, 2], keepDims: false }, [pooled])
  return b.finish(x, b.add('logits', { op: 'dense', matrix: weights(16, units), bias: weights(units), activation: null }, [mean]))
}

const images = (count: number): Float32Array => Float32Array.from({ length: count * perImage }, (_, i) => (Math.sin(i * 0.7) + 1) / 2)

onnxruntimeTest('a batch gives what its images give one by one, in any mixture of scores, and threads change no bit', async () => {
  const executor = await createOnnxruntimeExecutor(network(), 'softmax')
  const scores: Score[] = [{ kind: 'logit', target: 1 }, { kind: 'probability', target: 0 }, { kind: 'logit', target: 4 }, { kind: 'margin', target: 2 }]
  const x = images(4)
  const whole = await executor.gradient(x, 4, scores, 'exact')
  const kept = whole.gradient.slice()
  for (let i = 0; i < 4; i++) {
    const one = await executor.gradient(x.slice(i * perImage, (i + 1) * perImage), 1, [scores[i]!], 'exact')
    expect(one.scores[0]).toBeCloseTo(whole.scores[i]!, 5)
    one.gradient.forEach((v, k) => expect(v).toBeCloseTo(whole.gradient[i * perImage + k]!, 5))
    one.logits.forEach((v, k) => expect(v).toBeCloseTo(whole.logits[i * 5 + k]!, 5))
  }
  await executor.setThreads(2)
  const again = await executor.gradient(x, 4, scores, 'exact')
  expect(again.gradient).toEqual(whole.gradient)
  // results belong to the caller: later calls do not write into them
  expect(whole.gradient).toEqual(kept)
  executor.dispose()
})

onnxruntimeTest('calls at the same time are answered in turn; a closed model says so', async () => {
  const executor = await createOnnxruntimeExecutor(network(), 'softmax')
  const x = images(2)
  const [both, first] = await Promise.all([executor.forward(x, 2), executor.forward(x.slice(0, perImage), 1)])
  first.forEach((v, i) => expect(v).toBeCloseTo(both[i]!, 5))
  const last = executor.forward(x, 2)
  executor.dispose()
  executor.dispose()
  expect(await last).toEqual(both)
  await expect(executor.forward(x, 2)).rejects.toThrow('closed')
})

onnxruntimeTest('what goes wrong in ONNX Runtime names the node', async () => {
  const graph = network()
  // a filter that does not fit what it is given
  const nodes = graph.nodes.map((node) => (node.name === 'second' && node.op === 'conv2d' ? { ...node, filter: { shape: [3, 3, 7, 16], data: new Float32Array(1008) } } : node))
  const executor = await createOnnxruntimeExecutor({ ...graph, nodes }, 'softmax')
  const failure: unknown = await executor.forward(images(1), 1).catch((error: unknown) => error)
  expect(failure).toBeInstanceOf(MaskscopeError)
  expect(failure).toMatchObject({ code: 'run', subject: 'second' })
  expect((failure as MaskscopeError).message).toContain('the model\'s node second')
  executor.dispose()
})

test('want of memory is said in words', () => {
  expect(onnxruntimeError(new Error('Non-zero status code returned while running Conv node. Name:\'a/Conv1\' Status Message: std::bad_alloc'), 'run').message).toContain('The memory does not suffice')
  const other = onnxruntimeError(new Error('Non-zero status code returned while running Add node. Name:\'block/a (gradient)/Add12\' Status Message: no'), 'run')
  expect(other.subject).toBe('block/a')
})

test('few sessions live at a time, and the one unused the longest goes first', async () => {
  const live = new Set<string>()
  const ort = { InferenceSession: { create: (bytes: Uint8Array, { intraOpNumThreads }: InferenceSession.SessionOptions) => {
    const name = `${new TextDecoder().decode(bytes)}${intraOpNumThreads}`
    live.add(name)
    return Promise.resolve({ release: () => Promise.resolve(void live.delete(name)) })
  } } } as unknown as Onnxruntime
  const sessions = createSessions(ort, 1)
  const get = (key: string): Promise<InferenceSession> => sessions.get(key, () => ({ bytes: new TextEncoder().encode(key), external: [] }))
  for (const key of ['a', 'b', 'c', 'a', 'd']) await get(key)
  expect([...live].sort()).toEqual(['a1', 'c1', 'd1'])
  await sessions.setThreads(2)
  expect(live.size).toBe(0)
  await get('a')
  expect([...live]).toEqual(['a2'])
  await sessions.dispose()
  expect(live.size).toBe(0)
})

test('why ONNX Runtime cannot serve', () => {
  const missing = new Error('Cannot find module \'../bin/napi-v6/darwin/x64/onnxruntime_binding.node\'\nRequire stack:')
  expect(unavailableReason(missing, 'darwin', 'x64')).toBe('ONNX Runtime is not made for Macs with an Intel processor.')
  expect(unavailableReason(missing, 'freebsd', 'x64')).toBe('ONNX Runtime is not made for this system (freebsd, x64).')
  expect(unavailableReason(new Error('Cannot find package \'onnxruntime-node\' imported from x.js'), 'linux', 'x64')).toContain('not installed')
  expect(unavailableReason(new Error('libstdc++.so.6: version GLIBCXX_3.4.30 not found\nmore'), 'linux', 'x64')).toBe(
    'ONNX Runtime does not load on this machine: libstdc++.so.6: version GLIBCXX_3.4.30 not found.',
  )
})

onnxruntimeTest('its version is known', async () => {
  const loaded = await loadOnnxruntime()
  expect(loaded.ort === null ? loaded.reason : loaded.version).toMatch(/^\d+\.\d+\.\d+/)
})

import fc from 'fast-check'
import { afterEach, describe, expect, test } from 'vitest'
import { UnsupportedNode } from '#engine/graph/build.ts'
import { importOnnx } from '#engine/graph/import/onnx/onnx-model.ts'
import { externalLocations } from '#engine/graph/onnx-format/external.ts'
import type { OnnxModel, OnnxTensor } from '#engine/graph/onnx-format/schema.ts'
import { floatTensor, int64Tensor, onnxNode, writeOnnx } from '#engine/graph/onnx-format/write.ts'
import { MaskscopeError } from '#shared/domain/errors.ts'
import { CLASSES, randomTensor, smallModel } from './small-model.ts'

/** Limits of one attempt on a small file: what may be allocated beside it, and how long it may take. */
const MOST_BYTES = 300e6
const MOST_MILLISECONDS = 2_000

type Outcome = 'imported' | 'refused'

const most = { bytes: 0, milliseconds: 0 }

/** Imports, or says why not in words for people; anything else fails. */
function attempt(bytes: Uint8Array): Outcome {
  const start = performance.now()
  const before = process.memoryUsage()
  try {
    importOnnx({ bytes, external: {} })
    return 'imported'
  } catch (error) {
    if (!(error instanceof MaskscopeError || error instanceof UnsupportedNode)) throw error
    return 'refused'
  } finally {
    const after = process.memoryUsage()
    most.milliseconds = Math.max(most.milliseconds, performance.now() - start)
    most.bytes = Math.max(most.bytes, after.heapUsed + after.arrayBuffers - before.heapUsed - before.arrayBuffers)
  }
}

/** The small model with something else in place of a part of it. */
function changed(change: (model: OnnxModel) => void): Uint8Array {
  const model = smallModel()
  change(model)
  return writeOnnx(model)
}

function refusal(bytes: Uint8Array, external: Record<string, Uint8Array> = {}): Error {
  try {
    importOnnx({ bytes, external })
  } catch (error) {
    return error as Error
  }
  throw new Error('it was imported')
}

function outside(name: string, location: string, more: readonly (readonly [string, string])[] = []): OnnxTensor {
  const entries = [['location', location], ...more].map(([key, value]) => ({ key: key!, value: value! }))
  return { ...floatTensor(name, [4], new Float32Array(0)), rawData: undefined, dataLocation: 1, externalData: entries }
}

afterEach(() => {
  expect(most.milliseconds).toBeLessThan(MOST_MILLISECONDS)
  expect(most.bytes).toBeLessThan(MOST_BYTES)
})

describe('damaged files', () => {
  test('1,000 flipped bits end in a model or a refusal, in bounded time and memory', () => {
    const bytes = writeOnnx(smallModel())
    const outcomes = { imported: 0, refused: 0 }
    fc.assert(fc.property(fc.nat(bytes.length * 8 - 1), (bit) => {
      const damaged = bytes.slice()
      damaged[bit >> 3]! ^= 1 << (bit & 7)
      outcomes[attempt(damaged)]++
    }), { numRuns: 1000 })
    expect(outcomes.imported).toBeGreaterThan(0)
    expect(outcomes.refused).toBeGreaterThan(0)
  })

  test('several flipped bits outside of the weights', () => {
    const model = smallModel()
    const bytes = writeOnnx({ ...model, graph: { ...model.graph, initializers: [] } })
    fc.assert(fc.property(fc.array(fc.nat(bytes.length * 8 - 1), { minLength: 2, maxLength: 20 }), (bits) => {
      const damaged = bytes.slice()
      for (const bit of bits) damaged[bit >> 3]! ^= 1 << (bit & 7)
      attempt(damaged)
    }), { numRuns: 300 })
  })

  test('a file that ends too early', () => {
    const bytes = writeOnnx(smallModel())
    for (let length = 0; length < bytes.length; length += 41) expect(attempt(bytes.subarray(0, length))).toBe('refused')
    expect(refusal(bytes.subarray(0, 1000)).message).toMatch(/damaged at byte \d+ of 1000/)
  })

  test('random bytes', () => {
    fc.assert(fc.property(fc.uint8Array({ maxLength: 300 }), (bytes) => attempt(bytes) === 'refused'), { numRuns: 300 })
  })
})

describe('files that contradict themselves', () => {
  test('a node that reads what nothing computes', () => {
    expect(refusal(changed((m) => (m.graph.nodes[1]!.inputs[0] = 'nowhere'))).message).toMatch(/Node relu-1 \(Relu\) .* reads nowhere, which nothing computes/)
  })

  test('nodes in a circle', () => {
    expect(refusal(changed((m) => (m.graph.nodes[0]!.inputs[0] = 'relu-2'))).message).toMatch(/reads .*, which is computed from the node's own output/)
    expect(refusal(changed((m) => (m.graph.nodes[1]!.inputs[0] = 'relu-1'))).message).toMatch(/Node relu-1/)
  })

  test('a value that two nodes compute', () => {
    expect(refusal(changed((m) => (m.graph.nodes[4]!.outputs[0] = 'relu-1'))).message).toMatch(/relu-1 .*gives as well/)
    expect(refusal(changed((m) => (m.graph.nodes[4]!.outputs[0] = 'image'))).message).toMatch(/an input or weight gives as well/)
  })

  test('an output that nothing computes, or none', () => {
    expect(refusal(changed((m) => (m.graph.outputs[0]!.name = 'nowhere'))).message).toMatch(/No node of the model computes its output nowhere/)
    expect(refusal(changed((m) => (m.graph.outputs = []))).message).toMatch(/states no output/)
  })

  test('nodes out of order are put in order', () => {
    expect(attempt(changed((m) => m.graph.nodes.reverse()))).toBe('imported')
  })

  test('a weight with a NaN, of an impossible shape, or twice', () => {
    expect(refusal(changed((m) => (m.graph.initializers[0] = floatTensor('filter-1', [4, 3, 3, 3], new Float32Array(108).fill(NaN))))).message).toMatch(/filter-1 .*NaN/)
    expect(refusal(changed((m) => (m.graph.initializers[0]!.dims = [4, -3, 3, 3]))).message).toMatch(/filter-1 .*impossible shape/)
    expect(refusal(changed((m) => m.graph.initializers.push(randomTensor('shift', [4, 1, 1])))).message).toMatch(/two weights named shift/)
  })

  test('weights that are infinite, as they are or computed', () => {
    const infinite = new Float32Array(CLASSES * 16).fill(1)
    infinite[7] = Infinity
    expect(refusal(changed((m) => (m.graph.initializers[4] = floatTensor('matrix', [CLASSES, 16], infinite)))).message).toMatch(/Node logits .* has the weight Infinity/)
    const computed = changed((m) => {
      m.graph.nodes.unshift(onnxNode('Sqrt', ['shift'], ['root']))
      m.graph.nodes.find((n) => n.opType === 'Add')!.inputs[1] = 'root'
      m.graph.initializers[3] = floatTensor('shift', [4, 1, 1], Float32Array.of(1, -1, 1, 1))
    })
    expect(refusal(computed).message).toMatch(/Node .* has the weight NaN/)
  })

  test('a huge shape is refused before anything is allocated', () => {
    const huge = changed((m) => (m.graph.initializers[0]!.dims = [4, 3, 2 ** 20, 2 ** 20]))
    expect(attempt(huge)).toBe('refused')
    expect(refusal(huge).message).toMatch(/filter-1 .*4, 3, 1048576, 1048576.*files hold/)
  })

  test('what a small file makes at import is limited', () => {
    const made = (node: ReturnType<typeof onnxNode>, ...dims: number[]): Uint8Array => changed((m) => {
      m.graph.nodes.unshift(node)
      m.graph.nodes.find((n) => n.opType === 'Add')!.inputs[1] = 'made'
      m.graph.initializers.push(int64Tensor('dims', [dims.length], dims), int64Tensor('from', [], [0]), int64Tensor('to', [], [2 ** 40]), int64Tensor('step', [], [1]))
    })
    expect(refusal(made(onnxNode('ConstantOfShape', ['dims'], ['made']), 2 ** 20, 2 ** 12)).message).toMatch(/Node made \(ConstantOfShape\) .*4294967296 elements/)
    expect(refusal(made(onnxNode('Range', ['from', 'to', 'step'], ['made']))).message).toMatch(/Node made \(Range\)/)
    expect(refusal(made(onnxNode('Expand', ['shift', 'dims'], ['made']), 2 ** 20, 2 ** 20, 1, 1, 1)).message).toMatch(/Node made \(Expand\)/)
    expect(refusal(made(onnxNode('Tile', ['shift', 'dims'], ['made']), 2 ** 20, 2 ** 20, 2 ** 20)).message).toMatch(/Node made \(Tile\)/)
    expect(refusal(made(onnxNode('Pad', ['shift', 'dims'], ['made']), 0, 0, 0, 2 ** 40, 2 ** 9, 0)).message).toMatch(/Node made \(Pad\)/)
    expect(refusal(made(onnxNode('ConstantOfShape', ['dims'], ['made']), -1, 3)).message).toMatch(/made \(ConstantOfShape/)
  })

  test('an image of impossible size at a node', () => {
    const padded = changed((m) => {
      m.graph.nodes[1]!.inputs[0] = 'padded'
      m.graph.nodes.splice(1, 0, onnxNode('Pad', ['conv-1', 'dims'], ['padded']))
      m.graph.initializers.push(int64Tensor('dims', [8], [0, 0, 2 ** 20, 2 ** 20, 0, 0, 0, 0]))
    })
    expect(refusal(padded).message).toMatch(/Node padded \(Pad\) .*would be/)
  })

  test('functions that call themselves or each other many times', () => {
    const call = (name: string, body: readonly string[]): OnnxModel['functions'][number] => ({
      name, domain: 'own', inputs: ['x'], outputs: ['y'], attributes: [], opsets: [],
      nodes: body.map((f, i) => ({ ...onnxNode(f, [i === 0 ? 'x' : `v${i - 1}`], [i === body.length - 1 ? 'y' : `v${i}`]), domain: 'own' })),
    })
    const calling = (functions: OnnxModel['functions']): Uint8Array => changed((m) => {
      m.functions = functions
      m.graph.nodes[1] = { ...onnxNode('f0', ['conv-1'], ['relu-1']), domain: 'own' }
    })
    expect(refusal(calling([call('f0', ['f0'])])).message).toMatch(/levels deep/)
    const doubling = Array.from({ length: 18 }, (_, k) => call(`f${k}`, new Array<string>(10).fill(`f${k + 1}`)))
    const bomb = calling([...doubling, { ...call('f18', ['Relu']), nodes: [onnxNode('Relu', ['x'], ['y'])] }])
    expect(attempt(bomb)).toBe('refused')
    expect(refusal(bomb).message).toMatch(/more than 50000 nodes/)
  })

  test('weights in sparse form, unknown types, other operator sets and versions', () => {
    expect(refusal(changed((m) => m.graph.sparseInitializers.push({ values: randomTensor('holes', [2]) }))).message).toMatch(/holes in sparse form/)
    expect(refusal(changed((m) => (m.graph.initializers[0]!.dataType = 8))).message).toMatch(/filter-1 .*type string/)
    expect(refusal(changed((m) => (m.opsets[0]!.version = 6))).message).toMatch(/operator set 6, .*7 and later/)
    expect(refusal(changed((m) => (m.graph.nodes[1] = { ...onnxNode('FusedConv', ['conv-1'], ['relu-1']), domain: 'com.microsoft' }))).message).toMatch(/relu-1 \(com\.microsoft\.FusedConv\)/)
    expect(refusal(changed((m) => (m.graph.nodes[1] = onnxNode('Einsum', ['conv-1'], ['relu-1'])))).message).toMatch(/relu-1 \(Einsum\)/)
    expect(refusal(changed((m) => (m.graph.nodes[1] = onnxNode('constructor', ['conv-1'], ['relu-1'])))).message).toMatch(/relu-1 \(constructor\)/)
  })
})

describe('weights in files of their own', () => {
  const kept = (tensor: OnnxTensor): Uint8Array => changed((m) => {
    m.graph.initializers[m.graph.initializers.findIndex((t) => t.name === tensor.name)] = tensor
  })

  test('a location that leads elsewhere is refused by tensor and file', () => {
    const elsewhere = ['/etc/passwd', '../secret.bin', 'a/../../b', 'C:\\data.bin', '..\\up.bin', 'file:///x', '~/x', '', 'a//b', 'nul\u0000.bin', '.']
    for (const location of elsewhere.filter((l) => l !== '' && l !== '.')) {
      const error = refusal(kept(outside('bias-1', location)))
      expect(error).toBeInstanceOf(MaskscopeError)
      expect(error.message).toContain('Tensor bias-1')
      expect(error.message).toContain(location)
    }
    expect(refusal(kept(outside('bias-1', ''))).message).toMatch(/names none/)
  })

  test('tensors in attributes are looked at too', () => {
    const model = smallModel()
    model.graph.nodes.unshift(onnxNode('Constant', [], ['unused'], { value: { tensor: outside('hidden', '/dev/zero') } }))
    expect(() => externalLocations(model)).toThrow(/hidden .*\/dev\/zero/)
  })

  test('data beside the model is read by offset, and must be there', () => {
    const model = smallModel()
    model.graph.initializers[1] = outside('bias-1', 'data/w.bin', [['offset', '8'], ['length', '16']])
    expect(externalLocations(model)).toEqual(['data/w.bin'])
    const bytes = writeOnnx(model)
    const file = new Uint8Array(Float32Array.of(0, 0, 1, 2, 3, 4).buffer)
    const graph = importOnnx({ bytes, external: { 'data/w.bin': file } })
    const conv = graph.nodes.find((n) => n.op === 'conv2d')
    expect(conv?.op === 'conv2d' && [...conv.bias!.data]).toEqual([1, 2, 3, 4])
    expect(refusal(bytes).message).toMatch(/bias-1 .*data\/w\.bin, which is missing/)
    expect(refusal(bytes, { 'data/w.bin': file.subarray(0, 20) }).message).toMatch(/bias-1 .*bytes 8 to 24 of data\/w\.bin, which has 20/)
    expect(refusal(kept(outside('bias-1', 'w', [['length', '15']])), { w: file }).message).toMatch(/states 15 of w/)
    expect(refusal(kept(outside('bias-1', 'w', [['offset', '-4']])), { w: file }).message).toMatch(/impossible offset -4/)
    expect(refusal(kept(outside('bias-1', 'toString')), {}).message).toMatch(/toString, which is missing/)
  })

  test('many weights cannot share one file to fill the memory', () => {
    const model = smallModel()
    for (let i = 0; i < 100; i++) model.graph.initializers.push({ ...outside(`copy-${i}`, 'w'), dims: [250] })
    expect(refusal(writeOnnx(model), { w: new Uint8Array(1000) }).message).toMatch(/copy-\d+ .*files hold/)
  })
})

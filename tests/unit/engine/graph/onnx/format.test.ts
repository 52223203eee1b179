import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { readLimits, readOnnx, readTensor } from '#engine/graph/onnx-format/read.ts'
import type { OnnxAttribute, OnnxNode, OnnxTensor, ValueInfo } from '#engine/graph/onnx-format/schema.ts'
import { elementTypes } from '#engine/graph/onnx-format/schema.ts'
import { tensorValues } from '#engine/graph/onnx-format/tensor.ts'
import { floatTensor, int64Tensor, onnxAttribute, onnxModel, onnxNode, valueInfo, writeOnnx, writeTensor } from '#engine/graph/onnx-format/write.ts'
import { smallModel } from './small-model.ts'

const name = fc.string({ maxLength: 12, unit: 'grapheme' })
const float = fc.float({ noNaN: true })
const whole = fc.maxSafeInteger()

const tensor: fc.Arbitrary<OnnxTensor> = fc.oneof(
  fc.tuple(name, fc.array(float, { maxLength: 5 })).map(([n, values]) => floatTensor(n, [values.length], Float32Array.from(values))),
  fc.tuple(name, fc.array(whole, { maxLength: 5 })).map(([n, values]) => int64Tensor(n, [values.length], values)),
)

const attribute: fc.Arbitrary<OnnxAttribute> = fc.tuple(name, fc.oneof(
  whole, name, float.map((f) => ({ float: f })), fc.array(whole, { maxLength: 4 }), fc.array(float, { maxLength: 4 }).map((floats) => ({ floats })),
  tensor.map((t) => ({ tensor: t })),
)).map(([n, value]) => onnxAttribute(n, value))

const node: fc.Arbitrary<OnnxNode> = fc.record({
  name, opType: name, domain: name, inputs: fc.array(name, { maxLength: 3 }), outputs: fc.array(name, { maxLength: 3 }),
  attributes: fc.array(attribute, { maxLength: 3 }),
})

const value: fc.Arbitrary<ValueInfo> = fc.tuple(name, fc.array(fc.oneof(fc.nat(), name.filter((n) => n !== '')), { maxLength: 5 })).map(([n, dims]) => valueInfo(n, dims))

const model = fc.record({
  nodes: fc.array(node, { minLength: 1, maxLength: 4 }), inputs: fc.array(value, { maxLength: 2 }), outputs: fc.array(value, { maxLength: 2 }),
  initializers: fc.array(tensor, { maxLength: 3 }),
}).map((graph) => onnxModel(graph, 17))

describe('the ONNX file format', () => {
  test('random models come back as they were written', () => {
    fc.assert(fc.property(model, (given) => {
      expect(readOnnx(writeOnnx(given))).toEqual(given)
    }), { numRuns: 200 })
  })

  test('fields that are not known are skipped', () => {
    const bytes = writeOnnx(smallModel())
    // field 99: a varint, four bytes, eight bytes, and a length with two bytes
    const unknown = [0x98, 0x06, 0x05, 0x9d, 0x06, 1, 2, 3, 4, 0x99, 0x06, 1, 2, 3, 4, 5, 6, 7, 8, 0x9a, 0x06, 2, 1, 1]
    expect(readOnnx(Uint8Array.from([...unknown, ...bytes, ...unknown]))).toEqual(smallModel())
  })

  test('lists of numbers are read packed and one by one', () => {
    const none = { ...floatTensor('t', [3], new Float32Array(0)), rawData: undefined }
    const packed = { ...none, dataType: elementTypes.int64, int64Data: [Uint8Array.of(1, 2, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 1)] }
    expect([...tensorValues(packed).data]).toEqual([1, 2, -1])
    // dims (field 1) packed, int64_data (field 7) one by one
    const single = Uint8Array.of(0x0a, 1, 3, 0x10, 7, 0x38, 1, 0x38, 2, 0x38, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 1)
    expect([...tensorValues(readTensor(single)).data]).toEqual([1, 2, -1])
  })

  test('every element type becomes numbers', () => {
    const raw = (type: number, bytes: readonly number[], dims: readonly number[]): OnnxTensor => ({
      ...floatTensor('t', dims, new Float32Array(0)), dataType: type, rawData: Uint8Array.from(bytes),
    })
    const read = (given: OnnxTensor): number[] => [...tensorValues(readTensor(writeTensor(given))).data]
    expect(read(raw(elementTypes.float16, [0x00, 0x3c, 0x00, 0xc0, 0x01, 0x00, 0xff, 0x7b], [4]))).toEqual([1, -2, 2 ** -24, 65504])
    expect(read(raw(elementTypes.float16, [0x00, 0x7c], [1]))).toEqual([Infinity])
    expect(read(raw(elementTypes.bfloat16, [0x80, 0x3f, 0x20, 0xc0], [2]))).toEqual([1, -2.5])
    expect(read(raw(elementTypes.double, [0, 0, 0, 0, 0, 0, 0xf8, 0x3f], []))).toEqual([1.5])
    expect(read(raw(elementTypes.int64, [0xfe, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0, 0, 0, 0, 1, 0, 0, 0], [2]))).toEqual([-2, 2 ** 32])
    expect(read(raw(elementTypes.uint64, [0, 0, 0, 0, 0, 0, 0, 0x80], [1]))).toEqual([2 ** 63])
    expect(read(raw(elementTypes.int32, [0xff, 0xff, 0xff, 0xff], [1]))).toEqual([-1])
    expect(read(raw(elementTypes.uint32, [0xff, 0xff, 0xff, 0xff], [1]))).toEqual([2 ** 32 - 1])
    expect(read(raw(elementTypes.int16, [0xff, 0x7f, 0, 0x80], [2]))).toEqual([32767, -32768])
    expect(read(raw(elementTypes.uint16, [0xff, 0xff], [1]))).toEqual([65535])
    expect(read(raw(elementTypes.int8, [0x80, 0x7f], [2]))).toEqual([-128, 127])
    expect(read(raw(elementTypes.uint8, [0x80], [1]))).toEqual([128])
    expect(read(raw(elementTypes.bool, [1, 0], [2]))).toEqual([1, 0])
    const halves = { ...raw(elementTypes.float16, [], [2]), rawData: undefined, int32Data: [Uint8Array.of(0x80, 0x78, 0x80, 0x80, 0x03)] }
    expect(read(halves)).toEqual([1, -2])
    const doubles = { ...raw(elementTypes.double, [], []), rawData: undefined, doubleData: [Uint8Array.of(0, 0, 0, 0, 0, 0, 0xf8, 0x3f)] }
    expect(read(doubles)).toEqual([1.5])
    expect(() => read(raw(elementTypes.string, [], [0]))).toThrow(/type string/)
    expect(() => read(raw(elementTypes.float8e5m2, [1], [1]))).toThrow(/float8e5m2/)
  })

  test('data that does not fit its shape is refused by name', () => {
    const t = floatTensor('weights.3', [2, 2], Float32Array.of(1, 2, 3))
    expect(() => tensorValues(t)).toThrow(/weights\.3 .* needs 16 bytes .* has 12/)
    expect(() => tensorValues({ ...t, dims: [-1, -3] })).toThrow(/weights\.3 .*impossible shape/)
    expect(() => tensorValues({ ...t, dims: [2 ** 40, 2 ** 40] })).toThrow(/weights\.3 .*impossible shape/)
    expect(() => tensorValues(floatTensor('w', [2], Float32Array.of(1, NaN)))).toThrow(/w of the model holds NaN at position 1/)
    expect(() => tensorValues({ ...t, rawData: undefined, floatData: [new Uint8Array(12)] })).toThrow(/needs 4 numbers/)
    expect(() => tensorValues({ ...t, rawData: undefined, dataType: elementTypes.int64, int64Data: [Uint8Array.of(1, 2, 3)] })).toThrow(/fewer or more/)
    expect(() => tensorValues({ ...t, dims: [1], rawData: undefined, dataType: elementTypes.int64, int64Data: [Uint8Array.of(0xff)] })).toThrow(/damaged/)
  })

  test('files that are no models are refused', () => {
    expect(() => readOnnx(new Uint8Array())).toThrow(/it is empty/)
    expect(() => readOnnx(new TextEncoder().encode('<!DOCTYPE html><html>'))).toThrow(/damaged|no graph/)
    expect(() => readOnnx(writeOnnx(onnxModel({ nodes: [], inputs: [], outputs: [], initializers: [] }, 17)))).toThrow(/no graph/)
  })

  test('a file of many small things is refused before it fills the memory', () => {
    const many = new Uint8Array(2 * readLimits.items + 100)
    // operator sets (field 8) of no bytes
    for (let i = 0; i < many.length; i += 2) many[i] = 0x42
    expect(() => readOnnx(many)).toThrow(/more than 500000/)
  })

  test('graphs inside of graphs end somewhere', () => {
    let inner = new Uint8Array(0)
    const wrapped = (field: number, content: Uint8Array): Uint8Array<ArrayBuffer> => {
      const length = [(content.length & 127) | 128, ((content.length >> 7) & 127) | 128, content.length >> 14]
      return Uint8Array.from([(field << 3) | 2, ...length, ...content])
    }
    for (let i = 0; i < 60; i++) inner = wrapped(1, wrapped(5, wrapped(6, inner)))
    expect(() => readOnnx(wrapped(7, inner))).toThrow(/nested more than/)
  })

  test('a node is named by its first output where it has no name', () => {
    expect(onnxNode('Relu', ['x'], ['y']).name).toBe('y')
  })
})

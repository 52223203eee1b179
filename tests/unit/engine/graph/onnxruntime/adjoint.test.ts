import { expect } from 'vitest'
import type { Ref } from '#engine/graph/build.ts'
import { createBuilder, pads, weight } from '#engine/graph/build.ts'
import type { Graph, Operation, Shape, Weight } from '#engine/graph/graph.ts'
import { sizeOf, sizePerImage } from '#engine/graph/graph.ts'
import { createOnnxruntimeExecutor } from '#engine/graph/onnxruntime/executor.ts'
import type { Random } from '#shared/random/random.ts'
import { createRandom } from '#shared/random/random.ts'
import { onnxruntimeTest } from '../../../../onnx.ts'

/** The description of a graph that is linear in its image, with random attributes. */
interface Linear {
  size: [number, number, number]
  operation: Operation
  /** Where the operation states it. */
  shape?: Shape
}

const from = (random: Random, low: number, high: number): number => low + random.below(high - low + 1)

function weights(random: Random, shape: number[]): Weight {
  return weight(shape, Array.from({ length: sizeOf(shape) }, () => random.normal()))
}

/** A window with strides, dilations and pads, and an image that it fits. */
function window(random: Random, mostDilation: number): { size: [number, number]; kernel: [number, number]; strides: [number, number]; dilations: [number, number]; around: ReturnType<typeof pads> } {
  const kernel: [number, number] = [from(random, 1, 4), from(random, 1, 4)]
  const stride = from(random, 1, 3)
  const strides: [number, number] = random.below(3) === 0 ? [stride, from(random, 1, 3)] : [stride, stride]
  const dilations: [number, number] = [from(random, 1, mostDilation), from(random, 1, mostDilation)]
  const reach = kernel.map((k, i) => (k - 1) * dilations[i]! + 1)
  const pad = (axis: 0 | 1): [number, number] => [from(random, 0, reach[axis]!), from(random, 0, reach[axis]!)]
  const size: [number, number] = [from(random, reach[0]!, reach[0]! + 6), from(random, reach[1]!, reach[1]! + 6)]
  return { size, kernel, strides, dilations, around: pads(pad(0), pad(1)) }
}

const makers: Record<string, (random: Random) => Linear> = {
  conv2d(random) {
    const { size, kernel, strides, dilations, around } = window(random, 2)
    const groups = from(random, 1, 3)
    const [inner, outer] = [from(random, 1, 5), from(random, 1, 5)]
    const filter = weights(random, [...kernel, inner, outer * groups])
    return { size: [...size, inner * groups], operation: { op: 'conv2d', filter, bias: null, activation: null, strides, dilations, groups, pads: around } }
  },
  depthwiseConv2d(random) {
    const { size, kernel, strides, dilations, around } = window(random, 2)
    // a full block of channels takes another way through ONNX Runtime
    const [inner, multiplier] = [[3, 5, 16, 32][random.below(4)]!, from(random, 1, 2)]
    const filter = weights(random, [...kernel, inner, multiplier])
    return { size: [...size, inner], operation: { op: 'depthwiseConv2d', filter, bias: null, activation: null, strides, dilations, pads: around } }
  },
  averagePool(random) {
    const { size, kernel, strides, around } = window(random, 1)
    // a window on padding alone would have no mean
    const inside = { top: Math.min(around.top, kernel[0] - 1), bottom: Math.min(around.bottom, kernel[0] - 1), left: Math.min(around.left, kernel[1] - 1), right: Math.min(around.right, kernel[1] - 1) }
    return { size: [...size, from(random, 1, 17)], operation: { op: 'pool', kind: 'average', size: kernel, strides, pads: inside, countPadding: random.below(2) === 0 } }
  },
  resize(random) {
    const size: [number, number, number] = [from(random, 1, 6), from(random, 1, 6), from(random, 1, 3)]
    const convention = random.below(3)
    const operation = { op: 'resize', method: random.below(2) === 0 ? 'bilinear' : 'nearest', alignCorners: convention === 1, halfPixelCenters: convention === 2 } as const
    return { size, operation, shape: [-1, from(random, 1, 12), from(random, 1, 12), size[2]] }
  },
  pad(random) {
    const size: [number, number, number] = [from(random, 2, 6), from(random, 2, 6), from(random, 2, 3)]
    const mode = (['constant', 'reflect', 'symmetric'] as const)[random.below(3)]!
    const paddings = [[0, 0], ...size.map((n): [number, number] => [from(random, 0, n - 1), from(random, 0, n - 1)])] as [number, number][]
    return { size, operation: { op: 'pad', mode, paddings, value: 0 } }
  },
  gather(random) {
    const size: [number, number, number] = [from(random, 1, 5), from(random, 1, 5), from(random, 1, 5)]
    const axis = from(random, 1, 3)
    const indices = Array.from({ length: from(random, 1, 40) }, () => random.below(size[axis - 1]!))
    return { size, operation: { op: 'gather', axis, indices } }
  },
}

function graphOf({ size, operation, shape }: Linear, random: Random): Graph {
  const builder = createBuilder()
  const x = builder.add('input', { op: 'input' }, [], [-1, ...size])
  const y: Ref = builder.add('linear', operation, [x], shape)
  const length = sizePerImage(builder.shapeOf(y))
  const flat = builder.add('flat', { op: 'reshape' }, [y], [-1, length])
  const matrix = weight([length, 1], Array.from({ length }, () => random.normal() / Math.sqrt(length)))
  return builder.finish(x, builder.add('logit', { op: 'dense', matrix, bias: null, activation: null }, [flat]))
}

for (const [name, make] of Object.entries(makers)) {
  onnxruntimeTest(`${name} of random attributes: a linear map is its own gradient times the image`, async () => {
    const random = createRandom(17, name)
    let tried = 0
    while (tried < 25) {
      const linear = make(random)
      let graph: Graph
      try {
        graph = graphOf(linear, random)
      } catch {
        // the window does not fit
        continue
      }
      tried++
      const executor = await createOnnxruntimeExecutor(graph, 'none')
      const images = Float32Array.from({ length: 2 * sizeOf(linear.size) }, () => random.normal())
      const { logits, gradient } = await executor.gradient(images, 2, [{ kind: 'logit', target: 0 }, { kind: 'logit', target: 0 }], 'exact')
      executor.dispose()
      for (const n of [0, 1]) {
        const [begin, end] = [n * sizeOf(linear.size), (n + 1) * sizeOf(linear.size)]
        const terms = images.subarray(begin, end).map((v, i) => v * gradient[begin + i]!)
        const scale = terms.reduce((sum, v) => sum + Math.abs(v), 1e-3)
        const { filter: _filter, ...told } = linear.operation as Operation & { filter?: Weight }
        expect(Math.abs(terms.reduce((sum, v) => sum + v, 0) - logits[n]!) / scale, JSON.stringify({ size: linear.size, filter: _filter?.shape, ...told })).toBeLessThan(1e-5)
      }
    }
  }, 30_000)
}

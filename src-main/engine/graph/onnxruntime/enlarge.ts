import type { Shape, Size2 } from '../graph.ts'
import type { Emitter } from './emitter.ts'
import type { Stored } from './layout.ts'
import { imagesOrder, sameOrder } from './layout.ts'

/** Every pixel of an NCHW batch becomes a block of equal ones. */
export function enlarged(x: string, factors: Size2, emitter: Emitter): string {
  const attributes = { mode: 'nearest', coordinate_transformation_mode: 'asymmetric', nearest_mode: 'floor' }
  return emitter.op('Resize', [x, '', emitter.floats([4], [1, 1, ...factors])], attributes)
}

/**
 * Every pixel of an NCHW batch becomes a block with it in the upper left and zeros else. Enlarging and selecting is faster
 * than padding or transposing every pixel.
 * @param size [height, width] before
 */
export function spreadByZeros(x: string, size: Size2, factors: Size2, emitter: Emitter): string {
  const [down, across] = factors
  if (down === 1 && across === 1) return x
  const [height, width] = [size[0] * down, size[1] * across]
  const corners = Float32Array.from({ length: height * width }, (_, i) => (Math.floor(i / width) % down === 0 && (i % width) % across === 0 ? 1 : 0))
  return emitter.op('Mul', [enlarged(x, factors, emitter), emitter.floats([1, 1, height, width], corners)])
}

/**
 * One value per image and channel, on all pixels: ONNX Runtime then multiplies and adds in the inner layout of its
 * convolutions, which it leaves to broadcast.
 * @param name of the value, in the order of the result
 * @returns the name where it is none, or the result is no image batch
 */
export function onAllPixels(name: string, { shape }: Pick<Stored, 'shape'>, result: Pick<Stored, 'shape' | 'order'>, emitter: Emitter): string {
  const isOnePerChannel = (from: Shape, to: Shape): boolean => from.length === 4 && from[0]! < 0 && from[0] === to[0] && from[1] === 1 && from[2] === 1 && from[3] === to[3]
  if (!sameOrder(result.order, imagesOrder) || !isOnePerChannel(shape, result.shape)) return name
  const everywhere = { name: enlarged(name, [result.shape[1]!, result.shape[2]!], emitter), shape: result.shape, order: result.order }
  emitter.declare(everywhere)
  return everywhere.name
}

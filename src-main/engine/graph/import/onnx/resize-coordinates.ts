import type { OnnxNode } from '../../onnx-format/schema.ts'
import { unsupported } from './attributes.ts'

/** How one axis is resized. */
export interface AxisResize {
  readonly input: number
  readonly output: number
  /** Output ÷ input as stated; where sizes are stated, as they give it. */
  readonly scale: number
  /** The part of the axis that `tf_crop_and_resize` shows, 0 to 1. */
  readonly region: readonly [start: number, end: number]
}

/** Single precision, as runtimes compute coordinates: halves must fall on the same side. */
const f = Math.fround

/** The input coordinate of each output element, by ONNX's coordinate_transformation_mode. */
export function coordinatesOf(node: OnnxNode, mode: string, axis: AxisResize): number[] {
  return Array.from({ length: axis.output }, (_, x) => coordinate(node, mode, axis, x))
}

function coordinate(node: OnnxNode, mode: string, { input, output, scale, region }: AxisResize, x: number): number {
  const centre = f(f(x + 0.5) / f(scale))
  switch (mode) {
    case 'asymmetric':
      return f(x / f(scale))
    case 'half_pixel':
      return f(centre - 0.5)
    case 'pytorch_half_pixel':
      return output > 1 ? f(centre - 0.5) : 0
    case 'half_pixel_symmetric': {
      // the part of the output that a size rounded down leaves out is left out on both sides
      const adjustment = f(output / f(f(scale) * input))
      return f(f(f(input / 2) * f(1 - adjustment)) + f(centre - 0.5))
    }
    case 'tf_half_pixel_for_nn':
      return centre
    case 'align_corners':
      // by the size before it is rounded down, as ONNX's own cases have it; only scales that give no whole size tell the difference
      return output > 1 ? f(f(x * (input - 1)) / f(f(scale * input) - 1)) : 0
    case 'tf_crop_and_resize': {
      const [start, end] = region
      if (output === 1) return f(f(0.5 * f(start + end)) * (input - 1))
      return f(f(start * (input - 1)) + f(f(x * f(end - start) * (input - 1)) / (output - 1)))
    }
    default:
      throw unsupported(node, `coordinates ${mode}`)
  }
}

/** The nearest element to a coordinate. @param shrinking the axis becomes smaller */
export function nearest(node: OnnxNode, mode: string, at: number, input: number, shrinking: boolean): number {
  const rounded = (): number => {
    switch (mode) {
      case 'round_prefer_floor':
        return at === Math.floor(at) + 0.5 ? Math.floor(at) : Math.round(at)
      case 'round_prefer_ceil':
        return Math.round(at)
      case 'floor':
        return Math.floor(at)
      case 'ceil':
        return Math.ceil(at)
      // operator sets before 11 do not say; this is how they are run
      case 'simple':
        return shrinking ? Math.ceil(at) : Math.trunc(at)
      default:
        throw unsupported(node, `nearest mode ${mode}`)
    }
  }
  return Math.min(input - 1, Math.max(0, rounded()))
}

import type { Ref } from '../../build.ts'
import { pads } from '../../build.ts'
import type { Pads, Size2 } from '../../graph.ts'
import type { OnnxNode } from '../../onnx-format/schema.ts'
import { unsupported } from './attributes.ts'
import type { OnnxContext } from './context.ts'
import type { OnnxValue } from './value.ts'
import { BATCH } from './value.ts'
import type { Slide } from './windows.ts'

/** A batch of images as the graph's convolutions and pools read it; signals are images of one row. */
export interface Images {
  /** [n, height, width, channels] */
  readonly ref: Ref
  readonly batch: number
  readonly channels: number
  /** [height, width], or [length] */
  readonly sizes: readonly number[]
}

/** @throws UnsupportedNode where the value is no batch of images or signals */
export function imagesOf(node: OnnxNode, value: OnnxValue, context: OnnxContext): Images {
  const [batch, channels, ...sizes] = context.shape(value)
  if (sizes.length !== 1 && sizes.length !== 2) throw unsupported(node, `on ${sizes.length + 2} axes`)
  if ([channels!, ...sizes].some((n) => n % BATCH === 0)) throw unsupported(node, 'over the batch')
  if (sizes.length === 2) return { ref: context.images(value), batch: batch!, channels: channels!, sizes }
  const ref = context.part(node, 'as-image', { op: 'reshape' }, [context.stored(value, [0, 2, 1])], [batch!, 1, sizes[0]!, channels!])
  return { ref, batch: batch!, channels: channels!, sizes }
}

/**
 * The result of a node, images or signals as its input was.
 * @param make adds the last operation, either as the node itself or as a step inside of it
 */
export function asImages(node: OnnxNode, images: Images, context: OnnxContext, make: (add: OnnxContext['add']) => Ref): OnnxValue {
  if (images.sizes.length === 2) return context.value(make((...given) => context.add(...given)), [0, 2, 3, 1])
  const ref = make((of, operation, refs, shape) => context.part(of, 'image', operation, refs, shape))
  const [n, , width, channels] = context.builder.shapeOf(ref)
  return context.value(context.add(node, { op: 'reshape' }, [ref], [n! < 0 ? -n! * BATCH : n!, width!, channels!]), [0, 2, 1])
}

/** A number per axis as height and width; signals have one row. */
export function size2(values: readonly number[]): Size2 {
  return values.length === 2 ? [values[0]!, values[1]!] : [1, values[0]!]
}

/** The padding of slides, and what they reach beyond it. */
export function padsOfSlides(slides: readonly Slide[]): Pads {
  const [vertical, horizontal] = (slides.length === 2 ? slides : [null, slides[0]!]).map((s): [number, number] => (s ? [s.before, s.after + s.overhang] : [0, 0]))
  return pads(vertical!, horizontal!)
}

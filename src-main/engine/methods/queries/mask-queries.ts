import { upsample } from '#shared/imaging/interpolation.ts'
import type { Classifier } from '../../classifier/classifier.ts'
import { classifyAll, imagesPerCall } from '../masks/calls.ts'
import { compose, inPlace, type Frame, type Side } from '../masks/compose.ts'

/**
 * Questions of the form "what does the classifier answer where this mask covers the image", asked in large numbers. Masks
 * stay in the small form in which a method draws them until they are laid over the image, so that they can be sent to other
 * workers.
 */

/** Masks over one image, values in [0, 1]; 1 shows a pixel and 0 hides it. */
export type Masks =
  /** Cells, enlarged by exact half-pixel interpolation. */
  | {
      form: 'grid'
      count: number
      height: number
      width: number
      /** [count, height, width] */
      cells: Float32Array
      /** Enlarged to this size instead of the image's; of it the part from each mask's own offset covers the image. */
      window?: { height: number; width: number; /** [count, 2]: down, right */ offsets: Int32Array }
    }
  /** One value per segment. */
  | { form: 'segments'; count: number; segments: number; /** H·W, each below `segments` */ labels: Int32Array; /** [count, segments] */ values: Float32Array }
  /** 0 inside a box, 1 elsewhere. */
  | { form: 'boxes'; count: number; /** [count, 4]: top, left, height, width in pixels; may reach outside */ boxes: Int32Array }

export interface MaskQuestion {
  masks: Masks
  /** Default `preserve`. */
  side?: Side
  /** H·W·C, what stands where the image is hidden. The same array means the same fill: it is sent to other workers once. */
  fill: Float32Array
}

/** Questions about one image. */
export interface MaskQueries {
  /** @returns logits, one row per mask; the same whoever computes them */
  ask(question: MaskQuestion): Promise<Float32Array[]>
  /** Images sent through the classifier so far. */
  readonly forward: number
}

/** What lends a run other workers. */
export interface Spread {
  /** How many others compute at present, 0 and up. */
  readonly helpers: number
}

/** @param image H·W·C in [0, 1] */
export function createMaskQueries(classifier: Classifier, frame: Frame, image: Float32Array, spread?: Spread): MaskQueries {
  void spread
  const size = image.length
  let forward = 0
  return {
    get forward() {
      return forward
    },
    async ask({ masks, side = 'preserve', fill }) {
      const rows: Float32Array[] = []
      const chunk = imagesPerCall(frame)
      for (let from = 0; from < masks.count; from += chunk) {
        const count = Math.min(chunk, masks.count - from)
        const data = new Float32Array(count * size)
        for (let i = 0; i < count; i++) {
          compose(frame, image, enlarge(masks, from + i, frame), fill, side, inPlace, data.subarray(i * size, (i + 1) * size))
        }
        rows.push(...(await classifyAll(classifier, frame, data, count)))
      }
      forward += masks.count
      return rows
    },
  }
}

/** One mask at the image's size, H·W. */
export function enlarge(masks: Masks, index: number, { height, width }: Frame): Float32Array {
  switch (masks.form) {
    case 'grid': {
      const cells = masks.height * masks.width
      const small = { height: masks.height, width: masks.width, data: masks.cells.subarray(index * cells, (index + 1) * cells) }
      if (!masks.window) return upsample(small, height, width).data
      const { window } = masks
      const large = upsample(small, window.height, window.width).data
      const [down, right] = [window.offsets[2 * index]!, window.offsets[2 * index + 1]!]
      const out = new Float32Array(height * width)
      for (let y = 0; y < height; y++) out.set(large.subarray((y + down) * window.width + right, (y + down) * window.width + right + width), y * width)
      return out
    }
    case 'segments': {
      const values = masks.values.subarray(index * masks.segments, (index + 1) * masks.segments)
      return Float32Array.from(masks.labels, (label) => values[label]!)
    }
    case 'boxes': {
      const [top, left, down, across] = [0, 1, 2, 3].map((k) => masks.boxes[4 * index + k]!) as [number, number, number, number]
      const out = new Float32Array(height * width).fill(1)
      for (let y = Math.max(0, top); y < Math.min(height, top + down); y++) out.fill(0, y * width + Math.max(0, left), y * width + Math.min(width, left + across))
      return out
    }
  }
}

import { readFile } from 'node:fs/promises'
import path from 'node:path'
import type { DrawnTruth, TruthShape } from '#shared/contract/comparison.ts'
import { MaskscopeError } from '#shared/domain/errors.ts'
import { inputPath } from '#storage/layout.ts'
import { readBoxes } from '../datasets/box-files.ts'
import { badFile } from '../datasets/item.ts'
import { readMask } from '../datasets/mask-png.ts'
import type { Truth } from '../datasets.ts'
import type { ComparisonPlace } from './comparisons.ts'

interface Size {
  width: number
  height: number
}

/**
 * A list of boxes (`class left top right bottom`, or a Pascal VOC annotation) or a segmentation as PNG, in which all that is not 0
 * is the object.
 * @throws MaskscopeError 'input' naming the file where it does not fit the picture
 */
export async function importTruth({ opened, file: comparison }: Pick<ComparisonPlace, 'opened' | 'file'>, image: string, file: string): Promise<DrawnTruth> {
  const size = sizeOf(comparison.images[image])
  const source = path.basename(file)
  if (/\.(txt|xml)$/i.test(file)) {
    const { boxes, size: stated } = await readBoxes(file)
    if (stated && (stated.width !== size.width || stated.height !== size.height)) {
      throw badFile('annotation', file, `states ${stated.width} × ${stated.height} pixels, but the picture has ${size.width} × ${size.height}; the two do not belong together`)
    }
    const shapes = boxes.map(({ left, top, right, bottom }): TruthShape => ({ type: 'box', left: left - 1, top: top - 1, width: right - left + 1, height: bottom - top + 1 }))
    if (shapes.length === 0) throw badFile('list of boxes', file, 'holds no box')
    return { shapes, mask: null, source }
  }
  const { width, height, values } = await readMask(file)
  if (width !== size.width || height !== size.height) {
    throw badFile('mask', file, `has ${width} × ${height} pixels, but the picture has ${size.width} × ${size.height}; the two do not belong together`)
  }
  if (!values.some((value) => value !== 0)) throw badFile('mask', file, 'is 0 everywhere; what is not 0 is the object')
  const { file: mask } = await opened.study.storeInput(await readFile(file), 'png')
  return { shapes: [], mask, source }
}

function sizeOf(image: Size | undefined): Size {
  if (image) return image
  throw new MaskscopeError('usage', 'This comparison has no such image any more; add it again.', { subject: 'image' })
}

/** Shapes and mask together, in the picture's own pixels; null where nothing of it lies on the picture. */
export async function truthMask(study: string, { shapes, mask }: DrawnTruth, size: Size): Promise<Truth | null> {
  const { width, height } = size
  const filled = new Uint8Array(width * height)
  for (const shape of shapes) fillShape(filled, size, shape)
  if (mask !== null) {
    const { values, ...own } = await readMask(inputPath(study, mask))
    if (own.width !== width || own.height !== height) throw new MaskscopeError('storage', `The mask ${mask} does not fit its picture; import it again.`, { subject: mask })
    for (let i = 0; i < values.length; i++) if (values[i] !== 0) filled[i] = 1
  }
  return filled.includes(1) ? { kind: mask === null && shapes.every(({ type }) => type === 'box') ? 'boxes' : 'segmentation', width, height, mask: filled } : null
}

/** A pixel belongs to a shape where its centre does. */
export function fillShape(mask: Uint8Array, { width, height }: Size, shape: TruthShape): void {
  const edges = edgesOf(shape)
  for (let y = 0; y < height; y++) {
    const crossings = edges.flatMap(([x0, y0, x1, y1]) => {
      const inside = (y0 <= y + 0.5) !== (y1 <= y + 0.5)
      return inside ? [x0 + ((y + 0.5 - y0) / (y1 - y0)) * (x1 - x0)] : []
    }).sort((a, b) => a - b)
    for (let i = 0; i + 1 < crossings.length; i += 2) {
      const from = Math.max(0, Math.ceil(crossings[i]! - 0.5))
      const to = Math.min(width, Math.ceil(crossings[i + 1]! - 0.5))
      if (to > from) mask.fill(1, y * width + from, y * width + to)
    }
  }
}

type Edge = [x0: number, y0: number, x1: number, y1: number]

function edgesOf(shape: TruthShape): Edge[] {
  const corners: readonly (readonly [number, number])[] = shape.type === 'outline' ? shape.points : [
    [shape.left, shape.top], [shape.left + shape.width, shape.top], [shape.left + shape.width, shape.top + shape.height], [shape.left, shape.top + shape.height],
  ]
  return corners.map(([x, y], i) => {
    const [nx, ny] = corners[(i + 1) % corners.length]!
    return [x, y, nx, ny]
  })
}

/** The truth that counts, shrunk so that its longer side is at most `side`: the drawn one, else the data set's. */
export async function drawnMask(
  { opened, sources, file }: ComparisonPlace, image: string, drawn: DrawnTruth | null, side: number,
): Promise<{ width: number; height: number; data: Float32Array<ArrayBuffer> } | null> {
  const truth = drawn ? await truthMask(opened.study.folder, drawn, sizeOf(file.images[image])) : (await (await sources.item(file, image)).load()).truth ?? null
  if (!truth) return null
  const scale = Math.min(1, side / Math.max(truth.width, truth.height))
  const width = Math.max(1, Math.round(truth.width * scale))
  const height = Math.max(1, Math.round(truth.height * scale))
  const data = new Float32Array(width * height)
  for (let y = 0; y < height; y++) {
    const row = Math.min(truth.height - 1, Math.floor(((y + 0.5) / height) * truth.height))
    for (let x = 0; x < width; x++) data[y * width + x] = truth.mask[row * truth.width + Math.min(truth.width - 1, Math.floor(((x + 0.5) / width) * truth.width))]!
  }
  return { width, height, data }
}

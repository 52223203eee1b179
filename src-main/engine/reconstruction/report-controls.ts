import { upsample } from '#shared/imaging/interpolation.ts'
import type { Random } from '#shared/random/random.ts'
import { weighted, type ReportData } from './report-subjects.ts'

/**
 * What a generator is given instead of a salient input. How often the outcome is kept even so tells how much of its accuracy comes from
 * the salient pixels (docs/reconstruction.md).
 */
export interface ControlInput {
  /** [n, height, width, channels] */
  salient: Float32Array
  /** [n, height, width] */
  masks: Float32Array
}

/** Cells of the random field whose hills are the random masks, on the shorter side. */
const fieldCells = 5

/** Nothing at all: black under a mask of zeros. */
export function emptyInput(images: Float32Array, channels: number): ControlInput {
  return { salient: new Float32Array(images.length), masks: new Float32Array(images.length / channels) }
}

/**
 * A mask with the very values of another, and so with its area, in the order of a smooth random field: blobs that know nothing of the
 * image.
 * @param mask [height, width]
 */
export function randomMask(mask: Float32Array, height: number, width: number, random: Random): Float32Array {
  const shorter = Math.min(height, width)
  const cells = { height: Math.max(2, Math.round((fieldCells * height) / shorter)), width: Math.max(2, Math.round((fieldCells * width) / shorter)) }
  const field = upsample({ ...cells, data: Float32Array.from({ length: cells.height * cells.width }, () => random.normal()) }, height, width).data
  const order = Array.from(field.keys()).sort((a, b) => field[a]! - field[b]! || a - b)
  const values = mask.slice().sort()
  const drawn = new Float32Array(mask.length)
  order.forEach((pixel, rank) => (drawn[pixel] = values[rank]!))
  return drawn
}

/** The images under random masks of equal area. */
export function randomInput(images: Float32Array, masks: Float32Array, { height, width, channels }: Pick<ReportData, 'height' | 'width' | 'channels'>, randomOf: (i: number) => Random): ControlInput {
  const pixels = height * width
  const drawn = new Float32Array(masks.length)
  for (let i = 0; i * pixels < masks.length; i++) drawn.set(randomMask(masks.subarray(i * pixels, (i + 1) * pixels), height, width, randomOf(i)), i * pixels)
  return { salient: weighted(images, drawn, channels), masks: drawn }
}

/** Masks alone: every pixel has the same colour under them. @param colour the mean one of salient pixels, see salientColour */
export function maskInput(masks: Float32Array, colour: readonly number[]): ControlInput {
  const channels = colour.length
  const plain = Float32Array.from({ length: masks.length * channels }, (_, i) => colour[i % channels]!)
  return { salient: weighted(plain, masks, channels), masks }
}

/** Per channel, the mean over all images where each pixel counts as much as its mask lets through. */
export function salientColour(images: Float32Array, masks: Float32Array, channels: number): number[] {
  const sums = new Float64Array(channels)
  let weight = 0
  for (let p = 0; p < masks.length; p++) {
    weight += masks[p]!
    for (let c = 0; c < channels; c++) sums[c]! += masks[p]! * images[p * channels + c]!
  }
  return Array.from(sums, (sum) => (weight > 0 ? sum / weight : 0))
}

/**
 * Whose salient input each image gets instead of its own: one with another outcome, drawn at random.
 * @returns an index per image, −1 for all where there is one outcome only
 */
export function swapPartners(outcomes: Int32Array, random: Random): Int32Array {
  const others = new Map<number, number[]>()
  for (const outcome of new Set(outcomes)) others.set(outcome, Array.from(outcomes.keys()).filter((j) => outcomes[j] !== outcome))
  return Int32Array.from(outcomes, (outcome) => {
    const possible = others.get(outcome)!
    return possible.length === 0 ? -1 : possible[random.below(possible.length)]!
  })
}

/** A real image of each class wanted, drawn at random; −1 where the class has none. */
export function realOfClass(classes: Int32Array, wanted: Int32Array, random: Random): Int32Array {
  const members = new Map<number, number[]>()
  classes.forEach((own, i) => {
    const known = members.get(own)
    if (known) known.push(i)
    else members.set(own, [i])
  })
  return Int32Array.from(wanted, (own) => {
    const possible = members.get(own)
    return possible ? possible[random.below(possible.length)]! : -1
  })
}

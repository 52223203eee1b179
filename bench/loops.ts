import type { Classifier } from '#engine/classifier/classifier.ts'
import { compose, inPlace } from '#engine/methods/masks/compose.ts'
import { applyFast } from '#engine/methods/masks/separable.ts'
import type { BandedMatrix } from '#shared/imaging/banded.ts'
import { interpolationMatrix } from '#shared/imaging/interpolation.ts'
import { createRandom } from '#shared/random/random.ts'

/** What two methods to come will cost, as plain loops. Images are one picture of the classifier's size, H·W·C. */

const cells = 7

/**
 * RISE (Petsiuk et al., 2018): random 7×7 grids, half of them open, enlarged by interpolation to a little more than the
 * image and shifted, multiplied onto it; the map is the mean of the masks weighted with the target's probability.
 * @param batch masked images in one call
 */
export async function rise(classifier: Classifier, image: Float32Array, target: number, count: number, batch: number): Promise<Float32Array> {
  const { height, width, channels } = classifier.info.input
  const frame = { height, width, channels }
  const random = createRandom(1, 'rise')
  const [cellHeight, cellWidth] = [Math.ceil(height / cells), Math.ceil(width / cells)]
  const vertical = interpolationMatrix(cells + 1, (cells + 1) * cellHeight)
  const horizontal = interpolationMatrix(cells + 1, (cells + 1) * cellWidth)
  const black = new Float32Array(image.length)
  const data = new Float32Array(batch * image.length)
  const map = new Float32Array(height * width)
  const grid = new Float32Array((cells + 1) ** 2)
  for (let from = 0; from < count; from += batch) {
    const part = Math.min(batch, count - from)
    const masks: Float32Array[] = []
    for (let i = 0; i < part; i++) {
      for (let k = 0; k < grid.length; k++) grid[k] = random.uniform() < 0.5 ? 1 : 0
      const mask = applyFast(rowsOf(vertical, random.below(cellHeight), height), rowsOf(horizontal, random.below(cellWidth), width), grid)
      compose(frame, image, mask, black, 'preserve', inPlace, data.subarray(i * image.length, (i + 1) * image.length))
      masks.push(mask)
    }
    const logits = await classifier.logits({ ...frame, count: part, data: data.subarray(0, part * image.length) })
    const classes = logits.length / part
    masks.forEach((mask, i) => {
      const weight = probability(logits.subarray(i * classes, (i + 1) * classes), target) / (count * 0.5)
      for (let k = 0; k < map.length; k++) map[k]! += weight * mask[k]!
    })
  }
  return map
}

/** Some rows of a matrix, which share its weights. */
function rowsOf(matrix: BandedMatrix, first: number, rows: number): BandedMatrix {
  return { ...matrix, rows, begin: matrix.begin.subarray(first, first + rows), offset: matrix.offset.subarray(first, first + rows + 1) }
}

function probability(logits: Float32Array, target: number): number {
  const most = logits.reduce((a, b) => Math.max(a, b), -Infinity)
  return Math.exp(logits[target]! - most) / logits.reduce((sum, z) => sum + Math.exp(z - most), 0)
}

/**
 * Integrated gradients (Sundararajan et al., 2017) of the target's logit from black, at the middles of `steps` equal parts.
 * @returns H·W·C; sums to the logit's difference
 */
export async function integratedGradients(classifier: Classifier, image: Float32Array, target: number, steps: number, batch: number): Promise<Float32Array> {
  const { height, width, channels } = classifier.info.input
  const data = new Float32Array(batch * image.length)
  const map = new Float32Array(image.length)
  for (let from = 0; from < steps; from += batch) {
    const part = Math.min(batch, steps - from)
    for (let i = 0; i < part; i++) {
      const share = (from + i + 0.5) / steps
      for (let k = 0, to = i * image.length; k < image.length; k++, to++) data[to] = share * image[k]!
    }
    const images = { count: part, height, width, channels, data: data.subarray(0, part * image.length) }
    const { gradient } = await classifier.scoreGradient(images, new Array(part).fill({ kind: 'logit', target }))
    for (let i = 0; i < part; i++) for (let k = 0, at = i * image.length; k < image.length; k++, at++) map[k]! += gradient[at]!
  }
  for (let k = 0; k < map.length; k++) map[k]! *= image[k]! / steps
  return map
}

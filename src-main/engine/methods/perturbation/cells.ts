import { bandedMatrix, transpose } from '#shared/imaging/banded.ts'
import { interpolationMatrix } from '#shared/imaging/interpolation.ts'
import { applyFast } from '../masks/separable.ts'
import { createSmoothing } from '../masks/smoothing.ts'

/** From cells to a mask over the image, and the way back. */
export interface Cells {
  height: number
  width: number
  enlarge(cells: Float32Array): Float32Array
  /** From the gradient with respect to the mask to that with respect to the cells; always a new array. */
  shrink(gradient: Float32Array): Float32Array
}

export interface CellOptions {
  /** Along the shorter side; 0 means one per pixel. */
  resolution: number
  /** Exact interpolation, or every pixel its cell's value and then a Gaussian. */
  enlargement: 'bilinear' | 'blurred'
  /** σ of that Gaussian in pixels. */
  sigma: number
  /** Whether the gradient goes through the Gaussian; the authors of meaningful perturbation leave it out. */
  throughBlur: boolean
}

export function createCells(image: { height: number; width: number }, { resolution, enlargement, sigma, throughBlur }: CellOptions): Cells {
  const shorter = Math.min(image.height, image.width)
  const count = resolution === 0 ? shorter : Math.min(resolution, shorter)
  const height = Math.round((image.height * count) / shorter)
  const width = Math.round((image.width * count) / shorter)
  const matrix = enlargement === 'bilinear' ? interpolationMatrix : nearestMatrix
  const [vertical, horizontal] = [matrix(height, image.height), matrix(width, image.width)]
  const [verticalT, horizontalT] = [transpose(vertical), transpose(horizontal)]
  const gaussian = createSmoothing(image.height, image.width, enlargement === 'blurred' ? sigma : 0)
  return {
    height, width,
    enlarge: (cells) => gaussian.apply(applyFast(vertical, horizontal, cells)),
    shrink: (gradient) => applyFast(verticalT, horizontalT, throughBlur ? gaussian.adjoint(gradient) : gradient),
  }
}

/** [to × from]: every pixel takes the value of the cell it lies in. */
function nearestMatrix(from: number, to: number): ReturnType<typeof bandedMatrix> {
  return bandedMatrix(from, Array.from({ length: to }, (_, i) => ({ begin: Math.floor(((i + 0.5) * from) / to), weights: [1] })))
}

import type { MapData } from '../domain/image.ts'
import { applySeparable, bandedMatrix, transpose, type BandedMatrix } from './banded.ts'

/**
 * Exact half-pixel bilinear interpolation as two fixed matrices, U_h·M·U_wᵀ: the centre of output pixel i lies at
 * (i + ½)·in/out − ½ of the input, and beyond the outermost centres the border value continues. This is cv2.resize and
 * torch's align_corners=False; TF.js `resizeBilinear` by default is not, and its gradient is wrong for half pixels.
 */

/** Maps of either size, up or down, without antialiasing. Where the size is the same, a copy. */
export function upsample(map: MapData, height: number, width: number): MapData {
  checkSize(map)
  const data =
    map.height === height && map.width === width
      ? map.data.slice()
      : applySeparable(interpolationMatrix(map.height, height), interpolationMatrix(map.width, width), map.data)
  return { height, width, data }
}

/**
 * The adjoint: from the gradient with respect to the upsampled map to the gradient with respect to the map that was
 * upsampled, U_hᵀ·G·U_w.
 * @param height height of the map that was upsampled
 * @param width its width
 */
export function upsampleAdjoint(gradient: MapData, height: number, width: number): MapData {
  checkSize(gradient)
  const data =
    gradient.height === height && gradient.width === width
      ? gradient.data.slice()
      : applySeparable(adjointMatrix(height, gradient.height), adjointMatrix(width, gradient.width), gradient.data)
  return { height, width, data }
}

const matrices = new Map<string, BandedMatrix>()
const adjoints = new Map<string, BandedMatrix>()

/** [to × from]; its rows sum to 1. */
export function interpolationMatrix(from: number, to: number): BandedMatrix {
  return remembered(matrices, `${from} ${to}`, () =>
    bandedMatrix(
      from,
      Array.from({ length: to }, (_, i) => {
        const position = Math.min(Math.max(((i + 0.5) * from) / to - 0.5, 0), from - 1)
        const begin = Math.min(Math.floor(position), Math.max(0, from - 2))
        const weight = position - begin
        return { begin, weights: from === 1 ? [1] : [1 - weight, weight] }
      }),
    ),
  )
}

function adjointMatrix(from: number, to: number): BandedMatrix {
  return remembered(adjoints, `${from} ${to}`, () => transpose(interpolationMatrix(from, to)))
}

/** Sizes come from the person (crops, pictures), so what is kept is bounded. */
function remembered<T>(store: Map<string, T>, key: string, make: () => T): T {
  const known = store.get(key)
  if (known !== undefined) return known
  if (store.size >= 64) store.clear()
  const made = make()
  store.set(key, made)
  return made
}

function checkSize(map: MapData): void {
  if (map.height < 1 || map.width < 1 || map.data.length !== map.height * map.width) {
    throw new RangeError(`A map of ${map.height}×${map.width} cannot hold ${map.data.length} values.`)
  }
}

import type { Parametrisation } from '../masks/parametrisation.ts'
import { createSmoothing } from '../masks/smoothing.ts'
import type { SensitivityMaskSettings } from './settings.ts'

export interface ComposedMap {
  /** At the mask's own resolution, in [0, 1]. */
  own: Float32Array
  /** v, where the map is the mask as it stands: the values before its sigmoid. A blurred mask is no sigmoid of anything. */
  ranking: Float32Array | null
}

/**
 * The map of a mask m = σ(v) and a sensitivity s: m; s/max s; m·s/max s; (m/max m + s/max s)/2. The blur of the map is
 * applied here, at its own resolution, so that the stored map and its enlargement agree.
 * @param sensitivity as measured
 * @param pixelsPerCell of the shorter side
 */
export function composeMap(
  settings: SensitivityMaskSettings, parametrisation: Parametrisation, v: Float32Array, sensitivity: Float32Array, pixelsPerCell: number,
): ComposedMap {
  const { height, width } = parametrisation
  const mask = parametrisation.squash(v)
  const blur = createSmoothing(height, width, settings.mapBlur / pixelsPerCell)
  if (settings.map === 'mask') return { own: blur.apply(mask), ranking: settings.mapBlur > 0 ? null : v }
  const s = scaled(createSmoothing(height, width, settings.sensitivityBlur).apply(sensitivity))
  switch (settings.map) {
    case 'sensitivity':
      return { own: blur.apply(s), ranking: null }
    case 'product':
      return { own: blur.apply(mask.map((m, i) => m * s[i]!)), ranking: null }
    case 'sum':
      return { own: blur.apply(scaled(mask).map((m, i) => (m + s[i]!) / 2)), ranking: null }
  }
}

/** Divided by the maximum; zeros stay zeros. */
function scaled(map: Float32Array): Float32Array {
  let most = 0
  for (const value of map) if (value > most) most = value
  return most === 0 ? map : map.map((value) => value / most)
}

import { MaskscopeError } from '../domain/errors.ts'
import type { MapData, Picture, View } from '../domain/image.ts'
import type { ColormapId } from '../imaging/colormap.ts'
import type { Normalisation } from '../imaging/normalisation.ts'
import type { FontFamily } from './faces.ts'

/** The course of a run's losses, one value per iteration in each column. */
export interface LossCurves {
  iterations: readonly number[]
  /** In the order in which they are drawn; one may be called `total`. */
  terms: readonly { name: string; values: readonly number[] }[]
  /** Probability of the target under the mask; null where the classifier gives none. */
  probability: readonly number[] | null
}

/** Everything that a run's figure shows. The same data give the same bytes. */
export interface RunFigureData {
  /** As shown: at most 2,048 pixels on the longer side. */
  picture: Picture
  view: View
  /** Raw values at the method's own resolution, over the crop. */
  map: MapData
  signed: boolean
  /** The map's possible limits; infinite where it has none. */
  range: readonly [number, number]
  losses: LossCurves
  /** File name without its folders, or e.g. `scene:7`. */
  image: string
  model: string
  method: string
  target: { index: number; label: string | null }
  probability: { original: number | null; masked: number | null }
  /** The masked image lacks what the mask marks; else it keeps that alone. */
  deletes: boolean
  /** What is explained, e.g. "probability". */
  score: string
  /** In the order in which the caption names them, e.g. ["preset Maskscope", "λs = 2", "black fill"]. */
  settings: readonly string[]
  seed: number
  backend: string
  executor: string
  iterations: number
}

export interface RunFigureOptions {
  /** mm */
  width: number
  family?: FontFamily
  colormap?: ColormapId
  normalisation?: Normalisation
  /** Papers set their own captions; default true. */
  caption?: boolean
}

/**
 * @throws MaskscopeError 'input' naming the field, for sizes that do not fit together and numbers that cannot be drawn.
 */
export function checkRunFigureData(data: RunFigureData): void {
  const { picture, map, losses } = data
  if (picture.data.length !== picture.width * picture.height * 3 || picture.data.length === 0) throw bad('picture', 'is not width × height × 3 bytes')
  if (map.data.length !== map.width * map.height || map.data.length === 0) throw bad('map', 'is not width × height values')
  checkSequence('iterations', losses.iterations, losses.iterations.length)
  const falls = losses.iterations.findIndex((iteration, i) => i > 0 && iteration <= (losses.iterations[i - 1] as number))
  if (falls !== -1) throw bad('iterations', `do not rise in row ${falls}`)
  for (const { name, values } of losses.terms) checkSequence(`loss "${name}"`, values, losses.iterations.length)
  if (losses.probability) checkSequence('probability', losses.probability, losses.iterations.length)
}

function checkSequence(name: string, values: readonly number[], length: number): void {
  if (values.length !== length) throw bad(name, `has ${values.length} values where there are ${length} iterations`)
  const at = values.findIndex((value) => !Number.isFinite(value))
  if (at !== -1) throw bad(name, `is ${values[at]} in row ${at}; only finite numbers can be drawn`)
}

function bad(field: string, what: string): MaskscopeError {
  return new MaskscopeError('input', `The figure's ${field} ${what}.`, { subject: field })
}

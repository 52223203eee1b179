import { contours } from '../../imaging/contours.ts'
import { colourIndex, colormap, defaultColormap, type Colormap } from '../../imaging/colormap.ts'
import { displayLimits, normalise, sharedLimits, type Limits, type Normalisation } from '../../imaging/normalisation.ts'
import { colourMap, composeOverlay } from '../../imaging/overlay.ts'
import type { MapData, Picture, View } from '../../domain/image.ts'
import { MaskscopeError } from '../../domain/errors.ts'
import type { BarScale } from '../colour-bar.ts'
import type { PathCommand, Stroke } from '../display-list.ts'
import type { FigureRun } from '../figure-data.ts'
import { mapTitle, usualNormalisation } from '../map-kind.ts'
import type { MapOptions } from '../spec.ts'
import type { PictureCell } from './picture-grid.ts'

/** One map to be shown: a run's result, or a frame of its course. */
export interface ShownMap {
  run: FigureRun
  map: MapData
  row: number
  column: number
}

export interface MapScale {
  limits: Limits
  /** `several`: the limits hold those of maps that are normalised in different ways. */
  normalisation: Normalisation | 'several'
  colormap: Colormap
}

export interface Scales {
  /** Which maps share their limits. */
  sharing: 'shared' | 'row' | 'column' | 'each'
  of(shown: ShownMap): MapScale
}

/** The limits and colours of all maps of a panel. */
export function chooseScales(shown: readonly ShownMap[], options: MapOptions): Scales {
  const own = new Map(shown.map((one) => [one, ownScale(one, options)]))
  const sharing = options.scale === 'auto' ? usualSharing(shown, own) : options.scale
  const groups = new Map<string, ShownMap[]>()
  const keyOf = (one: ShownMap): string => ({ shared: '', row: `r${one.row}`, column: `c${one.column}`, each: `${one.row} ${one.column}` })[sharing]
  for (const one of shown) groups.set(keyOf(one), [...(groups.get(keyOf(one)) ?? []), one])
  const scales = new Map([...groups].map(([key, members]) => [key, groupScale(members, own, options)]))
  return { sharing, of: (one) => scales.get(keyOf(one))! }
}

function ownScale({ run, map }: ShownMap, { normalisation }: MapOptions): { limits: Limits; normalisation: Normalisation } {
  const kind = normalisation ?? usualNormalisation(run)
  return { limits: displayLimits(map, kind, run), normalisation: kind }
}

/** All on one scale where they mean the same: masks by their stated limits, or all of one run. */
function usualSharing(shown: readonly ShownMap[], own: ReadonlyMap<ShownMap, ReturnType<typeof ownScale>>): 'shared' | 'each' {
  const [first] = shown
  if (!first || shown.every(({ run }) => run.id === first.run.id)) return 'shared'
  const stated = shown.every((one) => own.get(one)!.normalisation === 'range' && !one.run.signed
    && one.run.range[0] === first.run.range[0] && one.run.range[1] === first.run.range[1])
  return stated ? 'shared' : 'each'
}

function groupScale(members: readonly ShownMap[], own: ReadonlyMap<ShownMap, ReturnType<typeof ownScale>>, options: MapOptions): MapScale {
  const signed = members.some(({ run }) => run.signed)
  const limits = sharedLimits(members.map((one) => own.get(one)!.limits))
  const extent = Math.max(Math.abs(limits.low), Math.abs(limits.high))
  const kinds = new Set(members.map((one) => own.get(one)!.normalisation))
  return {
    limits: signed ? { low: -extent, high: extent } : limits,
    normalisation: kinds.size === 1 ? [...kinds][0]! : 'several',
    colormap: colormap(options.colormap ?? defaultColormap(signed)),
  }
}

export function barOf({ limits, colormap: scale }: MapScale, members: readonly ShownMap[], name = true): BarScale {
  const titles = new Set(members.map(({ run }) => mapTitle(run).toLowerCase()))
  return { limits, colormap: scale, name: !name ? '' : titles.size === 1 ? [...titles][0]! : 'map' }
}

/** All of the picture is seen: it was cut to what the classifier sees. */
function wholeView({ width, height }: Picture): View {
  return { picture: { width, height }, crop: { left: 0, top: 0, width, height }, size: { width, height } }
}

const plain = { grey: 128, white: 255 } as const

/** The picture of a map as the panel shows it. */
export function mapCell({ run, map }: Pick<ShownMap, 'run' | 'map'>, { limits, colormap: scale }: MapScale, { show, levels, removed }: Pick<MapOptions, 'show' | 'levels' | 'removed'>): Omit<PictureCell, 'above' | 'below'> {
  const { picture } = run
  switch (show) {
    case 'map': return { picture: colourMap(map, limits, scale), pixelated: true, lines: [], framed: scale.diverging }
    case 'overlay': return { picture: composeOverlay(picture, map, { view: wholeView(picture), limits, colormap: scale }), pixelated: false, lines: [], framed: false }
    case 'masked': {
      if (run.signed) throw new MaskscopeError('usage', `The map of run ${run.id} is signed and cannot mask the input. Show it as overlay, map or contour.`, { subject: 'show' })
      return { picture: maskedPicture(picture, map, limits, removed === 'fill' ? run.fill?.picture ?? plain.grey : plain[removed]), pixelated: false, lines: [], framed: false }
    }
    case 'contour': {
      const quiet = composeOverlay(picture, { width: 1, height: 1, data: Float32Array.of(0) }, { view: wholeView(picture), limits: { low: 0, high: 1 }, colormap: scale, lighten: 0.35 })
      return { picture: quiet, pixelated: false, lines: levels.flatMap((level) => contourLines(map, limits, scale, level, run.signed)), framed: false }
    }
  }
}

/** What the map keeps of the picture. @param removed stands for what it takes away: a picture of the same size, or one value of all channels */
export function maskedPicture(picture: Picture, map: MapData, limits: Limits, removed: Picture | number): Picture {
  const data = new Uint8Array(picture.data.length)
  for (let y = 0, at = 0; y < picture.height; y++) {
    const row = Math.min(map.height - 1, Math.floor(((y + 0.5) / picture.height) * map.height))
    for (let x = 0; x < picture.width; x++, at += 3) {
      const column = Math.min(map.width - 1, Math.floor(((x + 0.5) / picture.width) * map.width))
      const kept = normalise(map.data[row * map.width + column]!, limits)
      for (let c = 0; c < 3; c++) {
        const fill = typeof removed === 'number' ? removed : removed.data[at + c]!
        data[at + c] = Math.round(fill + (picture.data[at + c]! - fill) * kept)
      }
    }
  }
  return { width: picture.width, height: picture.height, data }
}

/** A white line under one in the scale's colour; of a signed map also the negative level, dashed. */
function contourLines(map: MapData, { low, high }: Limits, scale: Colormap, share: number, signed: boolean): PictureCell['lines'] {
  const levels = signed ? [{ value: share * high, dash: false }, { value: -share * high, dash: true }] : [{ value: low + share * (high - low), dash: false }]
  return levels.flatMap(({ value, dash }) => {
    const commands = contours(map, value).flatMap(({ points, closed }): PathCommand[] => {
      const line: PathCommand[] = []
      for (let i = 0; i < points.length; i += 2) line.push([i === 0 ? 'M' : 'L', points[i]! / map.width, points[i + 1]! / map.height])
      return closed ? [...line, ['Z']] : line
    })
    if (commands.length === 0) return []
    const entry = colourIndex(normalise(value, { low, high })) * 3
    const colour = `#${[0, 1, 2].map((c) => scale.table[entry + c]!.toString(16).padStart(2, '0')).join('')}`
    const stroke: Stroke = { colour, width: 0.75, ...(dash ? { dash: [2.2, 1.4] } : {}) }
    return [{ commands, stroke: { colour: '#ffffff', width: 1.5 } }, { commands, stroke }]
  })
}

/** What the caption says of how maps are shown. */
export function scaleSentence(shown: readonly ShownMap[], scales: Scales, { show, levels, removed }: Pick<MapOptions, 'show' | 'levels' | 'removed'>): string {
  const used = shown.map((one) => scales.of(one))
  const maps = new Set(used.map(({ colormap: { title } }) => title))
  const how = {
    overlay: `over the desaturated input: colour (${[...maps].join(' and ')}) and opacity by value`,
    map: `at their own resolution (${[...maps].join(' and ')})`,
    masked: `times the input; what they remove is ${removed === 'fill' ? fillsText(shown) : removed}`,
    contour: `as lines at ${levels.map((level) => `${Math.round(level * 100)}%`).join(', ')} of their scale over the desaturated input`,
  }[show]
  const kinds = [...new Set(used.map(({ normalisation }) => ({ range: 'limits as stated by the method', map: 'from least to greatest value', 'percentile-99': 'up to the 99th percentile, values beyond clipped', several: 'limits that hold those of all its maps' })[normalisation]))]
  const whose = { shared: 'one scale for all', row: 'one scale per row', column: 'one scale per column', each: 'each its own scale' }[scales.sharing]
  return `Maps ${how}; ${whose}, ${kinds.join(' or ')}.`
}

/** E.g. "filled as in the run (blurred input)". */
function fillsText(shown: readonly ShownMap[]): string {
  const names = [...new Set(shown.flatMap(({ run }) => (run.fill ? [run.fill.name.toLowerCase()] : [])))]
  const greys = shown.some(({ run }) => run.fill === null)
  if (names.length === 0) return 'grey'
  return `filled as in the run (${names.join(', ')})${greys ? ', grey where a method fills nothing' : ''}`
}

import {
  interpolateCividis, interpolateGreys, interpolateInferno, interpolateMagma, interpolatePuOr, interpolateRdBu, interpolateTurbo,
  interpolateViridis,
} from 'd3-scale-chromatic'

/** Sequential scales run from the map's lower limit to its upper one; diverging scales are centred on zero. */
export const sequentialColormaps = ['viridis', 'magma', 'inferno', 'cividis', 'grey', 'turbo'] as const
export const divergingColormaps = ['rdbu', 'puor'] as const
export const colormapIds = [...sequentialColormaps, ...divergingColormaps] as const
export type ColormapId = (typeof colormapIds)[number]

export interface Colormap {
  id: ColormapId
  title: string
  diverging: boolean
  /** 256 RGB triples, low to high. */
  table: Uint8Array
}

/** Diverging scales run from the cool end to the warm one, which means for the class; d3's RdBu runs the other way. */
const definitions: Record<ColormapId, { title: string; colour: (t: number) => string }> = {
  viridis: { title: 'viridis', colour: interpolateViridis },
  magma: { title: 'magma', colour: interpolateMagma },
  inferno: { title: 'inferno', colour: interpolateInferno },
  cividis: { title: 'cividis', colour: interpolateCividis },
  grey: { title: 'grey', colour: (t) => interpolateGreys(1 - t) },
  turbo: { title: 'turbo', colour: interpolateTurbo },
  rdbu: { title: 'RdBu', colour: (t) => interpolateRdBu(1 - t) },
  puor: { title: 'PuOr', colour: interpolatePuOr },
}

const built = new Map<ColormapId, Colormap>()

/** A colormap as a table of 256 colours, from d3-scale-chromatic. */
export function colormap(id: ColormapId): Colormap {
  let map = built.get(id)
  if (!map) {
    const { title, colour } = definitions[id]
    const table = new Uint8Array(256 * 3)
    for (let i = 0; i < 256; i++) table.set(parseColour(colour(i / 255)), i * 3)
    map = { id, title, diverging: (divergingColormaps as readonly string[]).includes(id), table }
    built.set(id, map)
  }
  return map
}

/** The scale for a map where the person has not chosen one. */
export function defaultColormap(signed: boolean): ColormapId {
  return signed ? 'rdbu' : 'viridis'
}

/** Index into a colormap's table for a normalised value in [0, 1]. */
export function colourIndex(t: number): number {
  return Math.min(255, Math.max(0, Math.round(t * 255)))
}

/** "#rrggbb" and "rgb(r, g, b)", the two forms that d3's interpolators return. */
function parseColour(text: string): [number, number, number] {
  const parts = text.startsWith('#')
    ? [1, 3, 5].map((i) => Number.parseInt(text.slice(i, i + 2), 16))
    : (text.match(/\d+(\.\d+)?/g) ?? []).slice(0, 3).map(Number)
  const [r, g, b] = parts
  if (r === undefined || g === undefined || b === undefined) throw new Error(`not a colour: ${text}`)
  return [r, g, b]
}

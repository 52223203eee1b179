import type { FontFamily } from './faces.ts'
import type { Stroke } from './display-list.ts'

/** What all figures share: sizes in pt, lengths in mm. */
export const ink = '#1b1b1b'
export const mutedInk = '#5c5c5c'
export const hairline: Stroke = { colour: '#8a8a8a', width: 0.35 }
export const axisStroke: Stroke = { colour: ink, width: 0.5 }
export const tickLength = 0.8

export interface TypeSizes {
  /** Heads of panels. */
  head: number
  /** Captions, labels of lines. */
  text: number
  tick: number
}

/** Times and STIX look a size smaller than Arial at the same size; none goes under 7 pt. */
export const typeSizes: Record<FontFamily, TypeSizes> = {
  arimo: { head: 7.5, text: 7, tick: 7 },
  tinos: { head: 8, text: 8, tick: 7.5 },
  stix: { head: 8, text: 7.75, tick: 7.25 },
}

/**
 * Lines of the terms of a loss: Okabe–Ito colours crossed with dashes, so that they differ in greyscale too. The total
 * is thick and black.
 */
export const totalStroke: Stroke = { colour: '#000000', width: 1.25 }
const termStrokes: readonly Stroke[] = [
  { colour: '#0072b2', width: 0.75 },
  { colour: '#d55e00', width: 0.75, dash: [4, 1.6] },
  { colour: '#009e73', width: 0.75, dash: [1.1, 1.1] },
  { colour: '#cc79a7', width: 0.75, dash: [5, 1.5, 1.1, 1.5] },
  { colour: '#56b4e9', width: 0.75, dash: [7, 2] },
  { colour: '#e69f00', width: 0.75, dash: [2.2, 1.4] },
]

export function termStroke(index: number): Stroke {
  return termStrokes[index % termStrokes.length] as Stroke
}

/** The line of the n-th method of a study: colours crossed with dashes, different for 36 of them. */
export function methodStroke(index: number): Stroke {
  const { colour } = termStroke(index)
  const { dash } = termStroke(index + Math.floor(index / termStrokes.length))
  return { colour, width: 0.75, ...(dash ? { dash } : {}) }
}

/** A little under half of the way to white, as a colour of its own: nothing is transparent. */
export function pale(colour: string): string {
  return `#${[1, 3, 5].map((i) => Number.parseInt(colour.slice(i, i + 2), 16)).map((c) => Math.round(c + (255 - c) * 0.45).toString(16).padStart(2, '0')).join('')}`
}

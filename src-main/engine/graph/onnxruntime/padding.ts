import type { Pads } from '../graph.ts'
import type { Emitter } from './emitter.ts'

/**
 * Pads, or crops where a number is negative. All axes are written: ONNX Runtime moves transposes past a Pad of some axes
 * wrongly.
 * @param amounts one [before, after] per axis as the value is stored
 * @param fill what the pads hold, or how they mirror
 */
export function emitPad(x: string, amounts: readonly (readonly [number, number])[], fill: number | 'reflect', { op, ints, scalar }: Emitter): string {
  if (amounts.every(([before, after]) => before === 0 && after === 0)) return x
  const written = ints([...amounts.map(([before]) => before), ...amounts.map(([, after]) => after)])
  return fill === 'reflect' ? op('Pad', [x, written], { mode: 'reflect' }) : op('Pad', [x, written, scalar(fill)])
}

/** Around the rows and columns of an NCHW batch. */
export function aroundImages({ top, bottom, left, right }: Pads): (readonly [number, number])[] {
  return [[0, 0], [0, 0], [top, bottom], [left, right]]
}

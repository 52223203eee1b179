import { findMethod } from '#engine/methods/registry.ts'
import { judgedMapOf } from '#engine/metrics/judged-map.ts'
import { maskOf } from '#engine/metrics/shown.ts'
import type { ModelInfo } from '#shared/domain/model.ts'
import { resolveParameters, type ParameterValues } from '#shared/domain/parameters.ts'
import type { Explanation } from '#shared/domain/run.ts'

/** `black`: pictures of things on black, where hiding by anything but black would show something; `any`: all other pictures. */
export type Ground = 'black' | 'any'

/** One start, and masks as they are, not averaged over segments of the image. */
const plain = { starts: 1, edges: 0, smoothing: 1 }

/**
 * Values that make masks over a whole data set affordable, where a method's own defaults are meant for one image at a time: few steps at a
 * large rate, on a coarse grid. What they cost in quality stands in docs/reconstruction.md.
 */
const quick: Readonly<Record<Ground, Readonly<Record<string, ParameterValues>>>> = {
  any: {
    'neuromask': { 'iterations': 40, 'learning-rate': 0.6, 'resolution': 20, 'shift': 3, 'sparsity-weight': 70, ...plain },
    'sensitivity-mask': { 'queries': 1600, 'resolution': 14, 'noise-smoothing': 0.7, ...plain },
  },
  black: {
    // At the usual temperature a dimmed image keeps its class, and the mask marks nothing.
    'neuromask': { 'iterations': 20, 'learning-rate': 1, 'resolution': 14, 'shift': 1, 'fill': 'zero', 'temperature': 0.3, 'offset': 1, 'sparsity-weight': 100, ...plain },
    'sensitivity-mask': { 'queries': 1600, 'resolution': 14, 'noise-smoothing': 0.7, 'fill': 'zero', 'shift': 1, ...plain },
  },
}

/** The method that salient sets are computed with unless another is asked for: NeuroMask, or with outputs alone the sensitivity-weighted mask. */
export function defaultSalientMethod({ access }: Pick<ModelInfo, 'access'>): string {
  return access === 'gradient' ? 'neuromask' : 'sensitivity-mask'
}

/**
 * A method's parameters for a whole data set: the quick ones where it has them, unless a person names a preset; then what the person gives.
 * @param ground of the pictures, see `groundOf`
 * @throws MaskscopeError 'usage' naming the method or parameter
 */
export function salientParameters(method: string, given: ParameterValues = {}, ground: Ground = 'any'): ParameterValues {
  return resolveParameters(findMethod(method), { ...('preset' in given ? {} : quick[ground][method]), ...given })
}

/**
 * An explanation as a mask in [0, 1], as the metrics show an image through it.
 * @returns [height, width]; null where nothing speaks for the class
 */
export function salientMask(explanation: Explanation): Float32Array | null {
  const mask = maskOf(judgedMapOf(explanation))
  return mask.some((value) => value > 0) ? mask : null
}

import { MaskscopeError } from '#shared/domain/errors.ts'
import type { MapData } from '#shared/domain/image.ts'
import type { Evaluations, Explanation, Fact, MapPart } from '#shared/domain/run.ts'
import type { Head, ScoreKind } from '#shared/domain/score.ts'
import { logProbabilities } from '../masks/prediction.ts'
import { constantValue, finishMap } from './finished-map.ts'

/** A map that is no mask, as a method found it. */
export interface PlainResult {
  /** At the method's resolution, before any blur. */
  map: MapData
  signed: boolean
  /** Default: all numbers for a signed map, those from 0 otherwise. */
  range?: readonly [number, number]
  score: ScoreKind
  target: number
  /** Of the clean image. */
  logits: Float32Array
  iterations: number
  evaluations: Evaluations
  /** Why a map of this method is the same everywhere and what to do about it, as the end of a sentence. */
  whyConstant: string
  notes?: readonly string[]
  facts?: readonly Fact[]
  parts?: readonly MapPart[]
}

/**
 * The explanation that a map without a mask makes. One that says nothing is explained, never stretched.
 * @param frame of the image
 * @param blur σ in pixels of the image
 * @throws MaskscopeError 'run' where a value is no number
 */
export function plainExplanation(frame: { height: number; width: number }, head: Head, blur: number, found: PlainResult): Explanation {
  const { map, signed, score, target, logits, iterations, evaluations, whyConstant, notes = [], facts, parts } = found
  const bad = map.data.findIndex((value) => !Number.isFinite(value))
  if (bad >= 0) {
    throw new MaskscopeError('run', `The map holds ${map.data[bad]} where a number should be: the model's answer to this image cannot be differentiated or is too large. Choose another score, layer or method.`)
  }
  const constant = constantValue(map.data)
  return {
    ...finishMap(map, frame, blur),
    range: found.range ?? [signed ? -Infinity : 0, Infinity],
    signed, score, target, iterations, evaluations,
    probability: { original: clearProbability(logits, target, head), masked: NaN },
    notes: constant === null ? notes : [...notes, `The map is ${constant === 0 ? '0' : constant.toPrecision(3)} everywhere: ${whyConstant}`],
    ...(facts ? { facts } : {}),
    ...(parts ? { parts } : {}),
  }
}

/** NaN where the outputs are no probabilities. */
export function clearProbability(logits: Float32Array, target: number, head: Head): number {
  return head === 'none' ? NaN : Math.exp(logProbabilities(logits, target, head).hit)
}

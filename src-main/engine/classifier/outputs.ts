import type { Head } from '#shared/domain/score.ts'

/** What the outputs of a model that runs as it is are. */
export type Outputs = 'logits' | 'softmax' | 'sigmoid'

/**
 * What a model's outputs on a grey image tell of its head, where the card says nothing.
 * @param values at least those of one image
 */
export function headOf(values: Float32Array, classes: number, stated: Head | undefined): { head: Head; outputs: Outputs } {
  const inUnit = values.every((v) => v >= 0 && v <= 1)
  let sum = 0
  for (let c = 0; c < classes; c++) sum += values[c]!
  const sumsToOne = classes > 1 && inUnit && Math.abs(sum - 1) < 1e-3
  if (stated === 'none') return { head: 'none', outputs: 'logits' }
  if (stated === 'sigmoid') return { head: 'sigmoid', outputs: inUnit ? 'sigmoid' : 'logits' }
  if (classes === 1) return stated ? { head: stated, outputs: 'logits' } : { head: inUnit ? 'sigmoid' : 'none', outputs: inUnit ? 'sigmoid' : 'logits' }
  return { head: 'softmax', outputs: sumsToOne ? 'softmax' : 'logits' }
}

/** For people, where there is something to tell. */
export function outputNote(outputs: Outputs): string[] {
  if (outputs === 'logits') return []
  return [`The outputs are ${outputs} probabilities; their ${outputs === 'softmax' ? 'logarithms' : 'log-odds'} stand for the logits.`]
}

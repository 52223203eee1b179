import { MaskscopeError } from '#shared/domain/errors.ts'
import type { Head } from '#shared/domain/score.ts'
import { weight } from '../build.ts'
import { sizePerImage } from '../graph.ts'
import type { Draft } from './draft.ts'
import { find, insertAfter, onlyConsumer, remove, replace } from './draft.ts'

/**
 * Takes a final softmax or sigmoid off, so that the graph ends in logits [n, classes], and tells the head.
 * @param stated by the model card
 * @param labels how many the card names
 * @throws MaskscopeError 'input' where the output is no vector of classes or card and file contradict each other.
 */
export function takeHeadOff(draft: Draft, stated: Head | undefined, labels: number | null): Head {
  flattenOutput(draft)
  const found = removeFinalActivation(draft)
  if (found && stated && stated !== found) {
    throw new MaskscopeError('input', `The model card says the head is ${stated}, but the file ends in a ${found}. Correct "head" in the card or leave it out.`, { subject: 'head' })
  }
  const classes = find(draft, draft.output).shape[1]!
  if (classes === 1 && found === 'sigmoid' && labels !== 1) return splitSingleSigmoid(draft)
  if (classes === 1 && stated === 'sigmoid' && labels !== 1) return splitSingleSigmoid(draft)
  if (found) {
    draft.notes.push(`The final ${found} is taken off: logits are its inputs.`)
    return found
  }
  if (stated) return stated
  if (classes === 1) {
    draft.notes.push('The model has a single linear output, taken as a plain number: only the logit score exists.')
    return 'none'
  }
  draft.notes.push('The model ends in linear outputs, taken as the logits of a softmax. If that is wrong, state "head" in the model card.')
  return 'softmax'
}

/** [n, 1, 1, classes] and the like become [n, classes]. */
function flattenOutput(draft: Draft): void {
  const output = find(draft, draft.output)
  const classes = output.shape[output.shape.length - 1]
  if (output.shape.length < 2 || sizePerImage(output.shape) !== classes || output.shape[0] !== batchOf(draft)) {
    throw new MaskscopeError('input', `The model's output has the shape [${output.shape.map((n) => (n < 0 ? 'n' : n)).join(', ')}]; one number per class is needed. Choose an image classifier.`, { subject: output.name })
  }
  if (output.shape.length > 2) insertAfter(draft, output.name, `${output.name}/flat`, { op: 'reshape' }, [batchOf(draft), classes])
}

function batchOf(draft: Draft): number {
  return draft.oneByOne ? 1 : -1
}

function removeFinalActivation(draft: Draft): Head | null {
  const output = find(draft, draft.output)
  // an activation may be followed by a reshape that only drops dimensions of one
  const last = output.op === 'reshape' ? find(draft, output.inputs[0]!) : output
  if (last !== output && (onlyConsumer(draft, last.name) !== output || last.shape[last.shape.length - 1] !== output.shape[1])) return null
  const head: Head | null = last.op === 'softmax' ? 'softmax' : last.op === 'unary' && last.function.kind === 'sigmoid' ? 'sigmoid' : null
  if (!head) return null
  const before = last.inputs[0]!
  if (last === output) draft.output = before
  else replace(draft, { ...output, inputs: [before] })
  remove(draft, last.name)
  return head
}

/** One sigmoid output p is a softmax over the logits 0 and z. */
function splitSingleSigmoid(draft: Draft): Head {
  const { output } = draft
  insertAfter(draft, output, `${output}/two classes`, { op: 'dense', matrix: weight([1, 2], [0, 1]), bias: null, activation: null }, [batchOf(draft), 2])
  draft.notes.push('The single sigmoid output is taken as two classes, 0 (no) and 1 (yes), with a softmax.')
  return 'softmax'
}

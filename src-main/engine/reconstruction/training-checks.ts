import { MaskscopeError } from '#shared/domain/errors.ts'
import { generatorSchema, generatorSizes, valuesOf, type GeneratorSettings, type SalientSet } from '#shared/domain/reconstruction.ts'
import { resolveParameters } from '#shared/domain/parameters.ts'
import type { Classifier } from '../classifier/classifier.ts'
import { checkSet } from './salient.ts'

/** @throws MaskscopeError 'usage' naming the setting, 'unavailable' where gamma > 0 needs gradients that the classifier does not give */
export function checkTraining({ settings, set, validation, classifier, classes }: {
  settings: GeneratorSettings; set: SalientSet; validation: SalientSet | null; classifier: Classifier | null; classes: number
}): void {
  checkSettings(settings)
  if (set.count < 2) throw refused('set', `There are ${set.count} images to train on; a generator needs at least two.`)
  for (const part of validation ? [set, validation] : [set]) {
    checkSet(part, settings.size)
    const wrong = part.outcomes.find((outcome) => outcome < 0 || outcome >= classes)
    if (wrong !== undefined) throw refused('set', `An image has the outcome ${wrong}, and the classifier has the classes 0 to ${classes - 1}.`)
  }
  if (settings.gamma === 0) return
  if (!classifier) throw refused('gamma', 'With gamma above 0 training asks the explained classifier; name the model.')
  const { access, head, name, input } = classifier.info
  if (access !== 'gradient' || head === 'none') {
    throw new MaskscopeError('unavailable', `gamma needs gradients of log-probabilities, which ${name} does not give. Set gamma to 0, or choose another model.`, { subject: 'gamma' })
  }
  if (input.channels !== settings.size.channels) throw refused('size', `${name} takes pictures of ${input.channels} channels, and the generator makes ${settings.size.channels}.`)
}

function checkSettings(settings: GeneratorSettings): void {
  const { size, seed } = settings
  if (!generatorSizes.some(({ height, width, channels }) => height === size.height && width === size.width && channels === size.channels)) {
    const known = generatorSizes.map(({ height, width, channels }) => `${height}×${width}×${channels}`).join(', ')
    throw refused('size', `There is no generator for ${size.height}×${size.width}×${size.channels}; choose one of ${known}.`)
  }
  if (!Number.isSafeInteger(seed) || seed < 0) throw refused('seed', `The seed is ${seed}; it must be a whole number from 0.`)
  resolveParameters(generatorSchema(size), valuesOf(settings))
}

function refused(subject: string, message: string): MaskscopeError {
  return new MaskscopeError('usage', message, { subject })
}

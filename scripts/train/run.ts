import { parseArgs } from 'node:util'
import { selectBackend } from '#engine/backend/select.ts'
import { readLabels } from '#services/labels.ts'
import { MaskscopeError } from '#shared/domain/errors.ts'
import { readTrainingData } from './data.ts'
import { networks } from './networks.ts'
import { performTraining } from './perform.ts'

/**
 * npm run train -- --data idx:DIR|cifar10:DIR --out DIR [classifier|judge] [--epochs N] [--seed N] [--labels FILE]
 *
 * Trains a classifier on the training images of even number and a judge, of another architecture, on those of odd number
 * (both where none is named; in two processes they take half the time), and writes DIR/classifier and DIR/judge, which
 * `--model` opens. After every epoch all is written that it takes to go on; the same command goes on after an interruption,
 * to the same weights.
 */
async function main(): Promise<void> {
  const { values, positionals } = parseArgs({
    allowPositionals: true,
    options: { data: { type: 'string' }, out: { type: 'string' }, epochs: { type: 'string' }, seed: { type: 'string' }, labels: { type: 'string' } },
  })
  const { data: spec, out } = values
  if (spec === undefined || out === undefined) throw wrong('Say what to train on and where to write: --data idx:DIR --out DIR.', spec === undefined ? '--data' : '--out')
  const epochs = wholeNumber('--epochs', values.epochs ?? '8', 1)
  const seed = wholeNumber('--seed', values.seed ?? '1', 0)
  const unknown = positionals.find((name) => !networks.some((network) => network.name === name))
  if (unknown !== undefined) throw wrong(`There is no network "${unknown}"; name classifier or judge, or neither for both.`, unknown)
  const data = await readTrainingData(spec)
  const labels = values.labels === undefined ? undefined : await readLabels(values.labels)
  if (labels && labels.length !== data.classes) throw wrong(`${values.labels} names ${labels.length} classes and ${spec} has ${data.classes}; write one label per line, in the order of the classes.`, '--labels')
  const { id } = await selectBackend()
  for (const network of networks) {
    if (positionals.length > 0 && !positionals.includes(network.name)) continue
    await performTraining(network, data, { spec, out, epochs, seed, backend: id, ...(labels && { labels }) }, (line) => console.log(line))
  }
}

function wholeNumber(option: string, text: string, least: number): number {
  const value = Number(text)
  if (/^\d+$/.test(text) && value >= least && Number.isSafeInteger(value)) return value
  throw wrong(`${option} is "${text}"; it must be a whole number from ${least} on.`, option)
}

function wrong(message: string, subject: string): MaskscopeError {
  return new MaskscopeError('usage', message, { subject })
}

try {
  await main()
} catch (error) {
  if (!(error instanceof MaskscopeError)) throw error
  console.error(error.message)
  process.exitCode = error.code === 'usage' ? 2 : 1
}

import path from 'node:path'
import { Command, InvalidArgumentError } from 'commander'
import { MaskscopeError } from '#shared/domain/errors.ts'
import type { VariationRequest } from '#shared/domain/reconstruction.ts'
import { print, printJson, type Context } from './context.ts'
import { backendOption, engineOptions, memoryOption, type EngineOptions } from './engine-options.ts'
import { wholeNumber } from './options.ts'

interface VaryOptions extends EngineOptions {
  generator: string
  count: number
  temperature: number
  pin: boolean
  margin?: number
  seed: number
  out?: string
  json: boolean
}

export function varyCommand(context: Context): Command {
  return new Command('vary')
    .description('Draw variations of what a classifier finds salient in an image, and tell which of them it gives the same class.')
    .argument('<image>', 'a file, scene:SEED, or an image of a data set, e.g. idx:DIR#7')
    .requiredOption('--generator <folder>', 'of a generator that "maskscope reconstruct" trained, or of its reconstruction')
    .option('--count <n>', 'how many', wholeNumber(1), 16)
    .option('--temperature <t>', 'spread of the samples; 0 gives the likeliest alone', number(0, 10), 1)
    .option('--pin', 'keep the salient pixels as they are, and vary the rest', false)
    .option('--margin <p>', 'accept only where the probability of the class falls by at most so much', number(0, 1))
    .option('--seed <n>', 'of the samples', wholeNumber(0), 0)
    .addOption(backendOption())
    .addOption(memoryOption())
    .option('--out <folder>', 'where the pictures go; in ./maskscope-variations where left out')
    .option('--json', 'print one JSON document and nothing else', false)
    .action(async (image: string, options: VaryOptions) => {
      context.exitCode = await vary(image, options)
    })
}

async function vary(image: string, options: VaryOptions): Promise<number> {
  const [{ resolveData }, { openGenerator, varyImage }, { createWorkbench }, { watchForInterrupt }, { encodePng }, { drawSheet, pictureOf }, { createFiles }, { slug }, { shortName }] = await Promise.all([
    import('#services/datasets.ts'), import('#services/reconstruction/vary.ts'), import('#main/workbench.ts'), import('./interruption.ts'), import('#services/images.ts'),
    import('#services/reconstruction/sheet.ts'), import('#storage/files.ts'), import('#storage/layout.ts'), import('#services/run-result.ts'),
  ])
  const generator = await openGenerator(options.generator)
  const items = await resolveData(image)
  const [item] = items
  if (items.length !== 1 || !item) throw new MaskscopeError('usage', `${image} means ${items.length} images; name one of them, e.g. ${image}#0.`, { subject: image })
  const { count, temperature, pin, margin, seed } = options
  const request: VariationRequest = { kind: 'posterior', count, temperature, seed, pinned: pin, ...(margin === undefined ? {} : { margin }) }
  const interruption = watchForInterrupt()
  const workbench = createWorkbench({ ...engineOptions(options), jobs: 1 })
  try {
    const { info, set } = await interruption.race(varyImage(workbench.pool, generator, item, request, interruption.signal))
    const { size, outcome, variations, acceptance } = set
    const folder = path.resolve(options.out ?? path.join('maskscope-variations', slug(shortName(item))))
    const files = createFiles()
    await files.makeFolder(folder)
    const digits = String(count).length
    const names = variations.map((_, i) => `variation-${String(i + 1).padStart(digits, '0')}.png`)
    for (const [i, { image: made }] of variations.entries()) await files.write(path.join(folder, names[i]!), await encodePng(pictureOf(made, size)))
    const nameOf = (index: number): string => info.labels?.[index] ?? `class ${index}`
    const cells = [
      { image: set.image, below: nameOf(outcome.class) }, { image: set.salient, below: `p ${outcome.probability.toFixed(3)}` },
      ...variations.map((one) => ({ image: one.image, below: one.accepted ? `p ${one.probability.toFixed(3)}` : nameOf(one.top), accepted: one.accepted })),
    ]
    const perRow = 9
    const rows = Array.from({ length: Math.ceil(cells.length / perRow) }, (_, r) => ({ label: '', cells: cells.slice(r * perRow, (r + 1) * perRow) }))
    await files.write(path.join(folder, 'sheet.png'), await drawSheet({ title: `Variations of ${item.reference}`, heads: ['Image', 'Salient', 'Variations'], rows }, size))
    const document = {
      image: item.reference, outcome: { class: outcome.class, label: info.labels?.[outcome.class] ?? null, probability: outcome.probability }, count, temperature, pinned: pin, margin: margin ?? null, seed, acceptance,
      folder, sheet: 'sheet.png',
      variations: variations.map((one, i) => ({ file: names[i]!, accepted: one.accepted, probability: one.probability, class: one.top, label: info.labels?.[one.top] ?? null, classProbability: one.topProbability })),
    }
    if (options.json) printJson(document)
    else {
      print(`${item.reference}: ${nameOf(outcome.class)}, ${outcome.probability.toFixed(3)}; ${variations.filter(({ accepted }) => accepted).length} of ${count} variations keep it`)
      for (const one of document.variations) print(`  ${one.file}  ${one.accepted ? 'kept' : `${nameOf(one.class)} ${one.classProbability.toFixed(3)}`.padEnd(4)}  p ${one.probability.toFixed(3)}`)
      print(path.join(folder, 'sheet.png'))
    }
    await workbench.dispose()
    return 0
  } finally {
    await workbench.dispose()
    interruption.end()
  }
}

function number(low: number, high: number): (text: string) => number {
  return (text) => {
    const value = Number(text)
    if (text.trim() === '' || !Number.isFinite(value) || value < low || value > high) throw new InvalidArgumentError(`It must be a number from ${low} to ${high}.`)
    return value
  }
}

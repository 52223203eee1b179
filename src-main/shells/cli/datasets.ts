import { Command } from 'commander'
import type { DataDescription, ItemDescription } from '#services/datasets/describe.ts'
import type { TruthKind } from '#services/datasets.ts'
import { print, printJson } from './context.ts'

const truths: Record<TruthKind, string> = {
  object: 'the pixels of the object', boxes: 'boxes, filled', segmentation: 'a segmentation', cell: 'the cell of the mosaic',
}

export function datasetsCommand(): Command {
  return new Command('datasets')
    .description('Tell what is in a data set: how many images, which classes, what is known to be where.')
    .argument('<data>', 'a folder, scenes:COUNT@SEED, idx:DIR[:train], cifar10:DIR[:train], folder:DIR, list:FILE.csv, boxes:DIR, segmentation:DIR, mosaic:N(DATA)')
    .option('--json', 'print one JSON document and nothing else', false)
    .action(async (spec: string, { json }: { json: boolean }) => {
      const [{ resolveData }, { describeData }] = await Promise.all([import('#services/datasets.ts'), import('#services/datasets/describe.ts')])
      const described = await describeData(spec, await resolveData(spec))
      if (json) printJson(described)
      else print(text(described))
    })
}

const mostClasses = 20

function text({ spec, images, labelled, classes, truth, first }: DataDescription): string {
  const known = labelled === 0 ? 'no classes' : `${classes.length} classes${labelled < images ? ` (known of ${labelled} images)` : ''}`
  const shown = classes.slice(0, mostClasses).map(({ index, label, images: count }) => `${label ?? `class ${index}`} ${count}`).join(', ')
  return [
    `${spec}: ${images} ${images === 1 ? 'image' : 'images'}, ${known}`,
    ...(classes.length === 0 ? [] : [`Classes: ${shown}${classes.length > mostClasses ? ', …' : ''}`]),
    `Truth: ${truth === null ? 'none' : truths[truth]}`,
    ...first.map(line),
    ...(images > first.length ? ['  …'] : []),
  ].join('\n')
}

function line({ reference, width, height, index, label, truth, others }: ItemDescription): string {
  const name = label ?? (index === null ? 'no class' : `class ${index}`)
  const where = truth === null ? '' : `, ${(100 * truth.share).toFixed(1)}% of the picture`
  return `  ${reference}  ${width} × ${height}  ${name}${where}${others.length === 0 ? '' : `; also ${others.join(', ')}`}`
}

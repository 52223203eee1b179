import path from 'node:path'
import { Command } from 'commander'
import { MaskscopeError } from '#shared/domain/errors.ts'
import { widthPresets } from '#shared/figure/presets.ts'
import { print } from './context.ts'
import { positiveNumber } from './options.ts'

interface FigureCommandOptions {
  out: string
  width?: number
  dpi?: number
}

export function figureCommand(): Command {
  return new Command('figure')
    .description('Draw the figure of a run: input, mask, overlay, losses, caption.')
    .argument('<study>', 'the study\'s folder or its .maskscope file')
    .argument('<run>', 'the run\'s id, or the number it begins with')
    .requiredOption('--out <file>', 'its ending chooses the format: .png, .svg or .pdf')
    .option('--width <mm>', 'width in mm (88.9, one IEEE column, where left out)', positiveNumber)
    .option('--dpi <n>', 'resolution of a PNG (300 where left out)', positiveNumber)
    .addHelpText('after', `\nWidths of the usual places, in mm:\n${widthPresets.map(({ title, width }) => `  ${title.padEnd(24)}${width}`).join('\n')}`)
    .action(async (study: string, run: string, options: FigureCommandOptions) => {
      await figure(study, run, options)
    })
}

async function figure(place: string, name: string, { out, width, dpi }: FigureCommandOptions): Promise<void> {
  const [{ figureFormats, figureOfStoredRun }, { openStudy }, { createFiles }] = await Promise.all([
    import('#services/figures.ts'), import('#services/studies.ts'), import('#storage/files.ts'),
  ])
  const ending = path.extname(out).slice(1).toLowerCase()
  const format = figureFormats.find((f) => f === ending)
  if (format === undefined) {
    throw new MaskscopeError('usage', `The figure ${out} must end in .${figureFormats.join(', .')}; that chooses its format.`, { subject: '--out' })
  }
  const run = await (await openStudy(place)).readRun(name)
  const bytes = await figureOfStoredRun(run, { format, ...(width === undefined ? {} : { widthMm: width }), ...(dpi === undefined ? {} : { dpi }) })
  const files = createFiles()
  await files.makeFolder(path.dirname(path.resolve(out)))
  await files.write(path.resolve(out), bytes)
  print(out)
}

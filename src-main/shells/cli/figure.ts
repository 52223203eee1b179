import path from 'node:path'
import { Command, Option } from 'commander'
import { MaskscopeError } from '#shared/domain/errors.ts'
import { fontFamilies, type FontFamily } from '#shared/figure/faces.ts'
import { widthPresets } from '#shared/figure/presets.ts'
import { colormapIds, type ColormapId } from '#shared/imaging/colormap.ts'
import { normalisations, type Normalisation } from '#shared/imaging/normalisation.ts'
import { print } from './context.ts'
import { positiveNumber } from './options.ts'

interface FigureCommandOptions {
  out: string
  width?: number
  dpi?: number
  font?: FontFamily
  colormap?: ColormapId
  normalisation?: Normalisation
  caption: boolean
}

export function figureCommand(): Command {
  return new Command('figure')
    .description('Draw the figure of a run: input, mask, overlay, losses, caption.')
    .argument('<study>', 'the study\'s folder or its .maskscope file')
    .argument('<run>', 'the run\'s id, or the number it begins with')
    .requiredOption('--out <file>', 'its ending chooses the format: .png, .svg or .pdf')
    .option('--width <mm>', 'width in mm (88.9, one IEEE column, where left out)', positiveNumber)
    .option('--dpi <n>', 'resolution of a PNG (300 where left out)', positiveNumber)
    .addOption(new Option('--font <family>', 'arimo like Helvetica, tinos like Times, stix for papers set in STIX (arimo where left out)').choices(fontFamilies))
    .addOption(new Option('--colormap <id>', 'of the map (by its sign where left out)').choices(colormapIds))
    .addOption(new Option('--normalisation <how>', 'which values have the first and last colour: the possible limits, the map\'s own, or its 99th percentile').choices(normalisations))
    .option('--no-caption', 'leave the caption out')
    .addHelpText('after', `\nWidths of the usual places, in mm:\n${widthPresets.map(({ title, width }) => `  ${title.padEnd(24)}${width}`).join('\n')}`)
    .action(async (study: string, run: string, options: FigureCommandOptions) => {
      await figure(study, run, options)
    })
}

async function figure(place: string, name: string, { out, width, dpi, font, colormap, normalisation, caption }: FigureCommandOptions): Promise<void> {
  const [{ figureFormats, figureOfStoredRun }, { openStudy }, { createFiles }] = await Promise.all([
    import('#services/figures.ts'), import('#services/studies.ts'), import('#storage/files.ts'),
  ])
  const ending = path.extname(out).slice(1).toLowerCase()
  const format = figureFormats.find((f) => f === ending)
  if (format === undefined) {
    throw new MaskscopeError('usage', `The figure ${out} must end in .${figureFormats.join(', .')}; that chooses its format.`, { subject: '--out' })
  }
  const run = await (await openStudy(place)).readRun(name)
  const bytes = await figureOfStoredRun(run, {
    format, caption, ...(width === undefined ? {} : { widthMm: width }), ...(dpi === undefined ? {} : { dpi }), ...(font === undefined ? {} : { font }),
    ...(colormap === undefined ? {} : { colormap }), ...(normalisation === undefined ? {} : { normalisation }),
  })
  const files = createFiles()
  await files.makeFolder(path.dirname(path.resolve(out)))
  await files.write(path.resolve(out), bytes)
  print(out)
}

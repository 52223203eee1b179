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
  spec?: string
  width?: number
  dpi?: number
  font?: FontFamily
  colormap?: ColormapId
  normalisation?: Normalisation
  caption: boolean
}

export function figureCommand(): Command {
  return new Command('figure')
    .description('Draw the figure of a run (input, mask, overlay, losses, caption), or one of several runs that a spec describes.')
    .argument('<study>', 'the study\'s folder or its .maskscope file')
    .argument('[run]', 'the run\'s id, or the number it begins with; with --spec left out')
    .requiredOption('--out <file>', 'its ending chooses the format: .pdf, .svg or .png, with --spec also .tiff, .tex, .csv or .npz')
    .option('--spec <file>', 'a figure as JSON, see docs/figures.md; or the name of one that the study keeps')
    .option('--width <mm>', 'width in mm (88.9, one IEEE column, where left out)', positiveNumber)
    .option('--dpi <n>', 'resolution of a PNG or TIFF (300 where left out)', positiveNumber)
    .addOption(new Option('--font <family>', 'arimo like Helvetica, tinos like Times, stix for papers set in STIX (arimo where left out)').choices(fontFamilies))
    .addOption(new Option('--colormap <id>', 'of the map (by its sign where left out)').choices(colormapIds))
    .addOption(new Option('--normalisation <how>', 'which values have the first and last colour: the possible limits, the map\'s own, or its 99th percentile').choices(normalisations))
    .option('--no-caption', 'leave the caption out')
    .addHelpText('after', `\nWidths of the usual places, in mm:\n${widthPresets.map(({ title, width }) => `  ${title.padEnd(24)}${width}`).join('\n')}`)
    .action(async (study: string, run: string | undefined, options: FigureCommandOptions) => {
      if ((run === undefined) === (options.spec === undefined)) {
        throw new MaskscopeError('usage', 'Name a run, or give a figure by --spec FILE; one of the two.', { subject: '--spec' })
      }
      await (run === undefined ? specFigure(study, options) : figure(study, run, options))
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

/** The same bytes as the window writes, and beside them what they were made of. */
async function specFigure(place: string, { out, spec: given, dpi, caption, ...rest }: FigureCommandOptions): Promise<void> {
  const told = Object.entries({ ...rest, caption: caption ? undefined : caption }).find(([, value]) => value !== undefined)
  if (told) throw new MaskscopeError('usage', `With --spec the figure's own file says this: take --${told[0] === 'caption' ? 'no-caption' : told[0]} away, or change the spec.`, { subject: `--${told[0]}` })
  const [{ prepareFigure, readSpecFile, sidecarName, sidecarOf, specFormats, writeFigure }, { openStudy }, { createFiles }, { listFigures, figurePath }] = await Promise.all([
    import('#services/figures/spec-figure.ts'), import('#services/studies.ts'), import('#storage/files.ts'), import('#storage/figures.ts'),
  ])
  const ending = path.extname(out).slice(1).toLowerCase()
  const format = specFormats.find((f) => f === (ending === 'tif' ? 'tiff' : ending))
  if (format === undefined) {
    throw new MaskscopeError('usage', `The figure ${out} must end in .${specFormats.join(', .')}; that chooses its format.`, { subject: '--out' })
  }
  const study = await openStudy(place)
  const kept = (await listFigures(study.folder)).includes(given!)
  const spec = await readSpecFile(kept ? figurePath(study.folder, given!) : given!)
  const figure = await prepareFigure(spec, study)
  const target = path.resolve(out)
  const bytes = await writeFigure(figure, format, { name: path.basename(out, path.extname(out)), ...(dpi === undefined ? {} : { dpi }) })
  const files = createFiles()
  await files.makeFolder(path.dirname(target))
  await files.write(target, bytes)
  await files.write(sidecarName(target), sidecarOf(figure))
  print(out)
}

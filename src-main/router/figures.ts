import type { FigureChoice } from '#shared/contract/runs.ts'
import { MaskscopeError } from '#shared/domain/errors.ts'
import { colormapIds } from '#shared/imaging/colormap.ts'
import { noSuchRun } from '#services/run-board.ts'
import type { StoredRun } from '#services/studies.ts'
import type { OpenedStudy } from '#services/study-keeper.ts'
import type { FigureFormat, FigureOptions } from '#services/figures.ts'
import type { CallsOf, Parts } from './parts.ts'

export function figureCalls({ keeper, host }: Parts): CallsOf<'figures'> {
  async function shown(run: string): Promise<OpenedStudy> {
    const { opened } = await keeper.current()
    if (!opened) throw noSuchRun(run)
    return opened
  }

  async function stored(run: string): Promise<StoredRun> {
    return (await shown(run)).study.readRun(run)
  }

  async function render(run: string, choice: FigureChoice, format: FigureFormat): Promise<{ name: string; bytes: Uint8Array<ArrayBuffer> }> {
    const { figureOfStoredRun } = await import('#services/figures.ts')
    const bytes = await figureOfStoredRun(await stored(run), { ...optionsOf(choice), format })
    return { name: `${run}.${format}`, bytes: Uint8Array.from(bytes) }
  }

  return {
    'figures.preview': async ({ run, options }) => {
      const { previewOfStoredRun } = await import('#services/figures.ts')
      return previewOfStoredRun(await stored(run), optionsOf(options))
    },
    'figures.render': ({ run, options, format }) => render(run, options, format),
    'figures.command': async ({ run, options, format }) => {
      const { figureCommand } = await import('#services/run-command.ts')
      return { command: figureCommand({ study: (await shown(run)).study.folder, run, file: null, format, options: optionsOf(options) }) }
    },
    'figures.save': async ({ run, options, format }) => {
      if (!host.dialogs) throw new MaskscopeError('unavailable', 'This shell has no dialogs of its own; the page downloads the figure.')
      const { name, bytes } = await render(run, options, format)
      return { file: await host.dialogs.save(name, bytes) }
    },
  }
}

/** @throws MaskscopeError 'usage' for an unknown colormap */
function optionsOf({ widthMm, font, colormap, normalisation, caption, dpi }: FigureChoice): Omit<FigureOptions, 'format'> {
  const known = colormapIds.find((id) => id === colormap)
  if (known === undefined) throw new MaskscopeError('usage', `There is no colormap "${colormap}"; choose one of ${colormapIds.join(', ')}.`, { subject: 'colormap' })
  return { widthMm, font, colormap: known, normalisation, caption, dpi }
}

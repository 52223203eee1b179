import type { SpecFigureFormat } from '#shared/contract/figures.ts'
import type { FigureChoice } from '#shared/contract/runs.ts'
import { MaskscopeError } from '#shared/domain/errors.ts'
import type { FigureSpec } from '#shared/figure/spec.ts'
import { colormapIds } from '#shared/imaging/colormap.ts'
import { createFiles } from '#storage/files.ts'
import { createFigureBook } from '#services/figures/book.ts'
import type { PreparedFigure } from '#services/figures/spec-figure.ts'
import { noSuchRun } from '#services/run-board.ts'
import type { StoredRun } from '#services/studies.ts'
import type { OpenedStudy } from '#services/study-keeper.ts'
import type { FigureFormat, FigureOptions } from '#services/figures.ts'
import type { CallsOf, Parts } from './parts.ts'

export function figureCalls({ keeper, host }: Parts): CallsOf<'figures'> {
  const book = createFigureBook()

  async function folder(): Promise<string> {
    return (await keeper.current()).folder
  }

  async function drawn(spec: FigureSpec): Promise<PreparedFigure> {
    const { opened } = await keeper.current()
    if (!opened) throw new MaskscopeError('usage', 'The study has no runs yet. Explain an image first; a figure is made of finished runs.', { subject: 'panels' })
    const { prepareFigure } = await import('#services/figures/spec-figure.ts')
    return prepareFigure(spec, opened.study)
  }

  async function files(name: string, spec: FigureSpec, format: SpecFigureFormat, dpi: number): Promise<{ name: string; bytes: Uint8Array<ArrayBuffer> }[]> {
    const { sidecarName, sidecarOf, writeFigure } = await import('#services/figures/spec-figure.ts')
    const figure = await drawn(spec)
    const file = `${name}.${format}`
    return [{ name: file, bytes: Uint8Array.from(await writeFigure(figure, format, { name, dpi })) }, { name: sidecarName(file), bytes: Uint8Array.from(sidecarOf(figure)) }]
  }

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
    'figures.list': async () => book.list(await folder()),
    'figures.read': async ({ name }) => ({ spec: await book.read(await folder(), name) }),
    'figures.create': async ({ wish, spec }) => {
      const { study } = await keeper.forWriting()
      const name = await book.freshName(study.folder, wish)
      await book.write(study.folder, name, spec)
      return { name }
    },
    'figures.write': async ({ name, spec }) => {
      await book.write((await keeper.forWriting()).study.folder, name, spec)
      return {}
    },
    'figures.remove': async ({ name }) => {
      await book.remove((await keeper.forWriting()).study.folder, name)
      return {}
    },
    'figures.draw': async ({ spec }) => {
      const { selfContainedSvg } = await import('#services/figures.ts')
      const { laidOut: { list, caption } } = await drawn(spec)
      return { svg: await selfContainedSvg(list), widthMm: list.width, heightMm: list.height, caption }
    },
    'figures.file': async ({ name, spec, format, dpi }) => ({ files: await files(name, spec, format, dpi) }),
    'figures.export': async ({ name, spec, format, dpi }) => {
      if (!host.dialogs) throw new MaskscopeError('unavailable', 'This shell has no dialogs of its own; the page downloads the figure.')
      const [figure, beside] = await files(name, spec, format, dpi)
      const file = await host.dialogs.save(figure!.name, figure!.bytes)
      const { sidecarName } = await import('#services/figures/spec-figure.ts')
      if (file !== null) await createFiles().write(sidecarName(file), beside!.bytes)
      return { file }
    },
    'figures.line': async ({ name, format, dpi }) => {
      const { specFigureCommand } = await import('#services/run-command.ts')
      return { command: specFigureCommand({ study: await folder(), name, format, dpi }) }
    },
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

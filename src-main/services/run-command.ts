import { createHash } from 'node:crypto'
import { existsSync } from 'node:fs'
import { readFile } from 'node:fs/promises'
import path from 'node:path'
import { findMethod } from '#engine/methods/registry.ts'
import type { BackendId } from '#shared/domain/backend.ts'
import { MaskscopeError } from '#shared/domain/errors.ts'
import type { ExecutorId } from '#shared/domain/executor.ts'
import { resolveParameters, type ParameterSchema, type ParameterValues } from '#shared/domain/parameters.ts'
import type { ParameterChange } from '#shared/domain/run.ts'
import { defaultWidth } from '#shared/figure/presets.ts'
import { inputPath } from '#storage/layout.ts'
import type { RunManifest, RunRecord } from '#storage/manifests.ts'
import { memberAgain } from './datasets.ts'
import { defaultDpi, type FigureFormat, type FigureOptions } from './figures.ts'
import type { ModelOptions } from './models.ts'
import { statedOf } from './run-result.ts'
import { commandLine } from './shell-words.ts'

/** Everything that a run is made of, and where it lies. */
export interface CommandFacts {
  /** `scene:SEED`, or an absolute path; null where the picture is in no file, e.g. of one that was pasted. */
  image: string | null
  model: {
    /** A bundled model's name, or an absolute path. */
    place: string
    /** What was stated beside it. */
    stated: ModelOptions
  }
  method: string
  /** Complete or as set by hand. */
  parameters: Record<string, unknown>
  seed: number
  target: number | 'auto'
  changes: readonly ParameterChange[]
  /** null: the best there is. */
  backend: BackendId | null
  /** null: the faster. */
  executor: ExecutorId | null
  /** A finished run that is the same, made again where there is no file to name. */
  finished: { study: string; run: string } | null
}

/**
 * The line that makes the same bytes: `maskscope explain`, or `maskscope rerun` where there is no file to name; the new run
 * goes to a study beside the run's own then.
 * @throws MaskscopeError 'usage' where there is neither a file nor a finished run
 */
export function explainCommand(facts: CommandFacts, platform: NodeJS.Platform = process.platform): string {
  const { image, model, method, seed, target, changes, backend, executor, finished } = facts
  if (image === null) {
    // Whoever copies the line has the study open, and only one program writes a study at a time.
    if (finished) return commandLine(['maskscope', 'rerun', finished.study, finished.run, '--out', `${finished.study}-again`], platform)
    throw new MaskscopeError('usage', 'The image lies in no file that a command could name. Run it first; the finished run has a command.', { subject: 'image' })
  }
  const schema = findMethod(method)
  return commandLine([
    'maskscope', 'explain', image, '--model', model.place, ...statedWords(model.stated),
    ...(target === 'auto' ? [] : ['--target', String(target)]),
    '--method', method, ...parameterWords(schema, resolveParameters(schema, facts.parameters)),
    ...(seed === 0 ? [] : ['--seed', String(seed)]),
    ...changes.flatMap(({ iteration, parameters }) =>
      Object.entries(parameters).flatMap(([name, value]) => ['--change', `${iteration}:${name}=${value}`])),
    ...(backend === null ? [] : ['--backend', backend]),
    ...(executor === null ? [] : ['--executor', executor]),
  ], platform)
}

/**
 * The facts of a run that the study holds.
 * @param study absolute
 * @param manifest of a finished run, else null
 */
export async function factsOfRun(study: string, record: RunRecord, manifest: RunManifest | null): Promise<CommandFacts> {
  const { found, request, order } = record
  const { model, method, parameters, seed, target, changes, executor } = order ?? request
  const { fit, range } = model.preprocessing
  // Studies of earlier versions do not tell what was stated; bundled models and their cards need nothing.
  const stated = found.stated ? statedOf(found) : path.isAbsolute(found.model) ? { fit, range } : {}
  return {
    image: await findImage(study, record), model: { place: found.model, stated }, method, parameters, seed, target, changes,
    backend: manifest?.backend ?? null,
    executor: executor === 'auto' ? null : executor,
    finished: manifest ? { study, run: record.id } : null,
  }
}

/** The file itself where it still is what it was; of a run without result what the study keeps. */
async function findImage(study: string, { found, request: { image }, order, state }: RunRecord): Promise<string | null> {
  if (image.kind === 'scene') return image.reference
  if (path.isAbsolute(found.image)) {
    if (!order) return existsSync(found.image) ? found.image : null
    const bytes = await readFile(found.image).catch(() => null)
    if (bytes && createHash('sha256').update(bytes).digest('hex') === order.image.sha256) return found.image
  }
  if (order && await memberAgain(found.image, order.image.sha256)) return found.image
  return order && state !== 'finished' ? inputPath(study, order.image.file) : null
}

export interface FigureCommandFacts {
  /** Absolute. */
  study: string
  run: string
  /** null: the file that is written, in the folder in which the command runs, has the run's id. */
  file: string | null
  format: FigureFormat
  options: Omit<FigureOptions, 'format'>
}

/** The line that draws the same figure. */
export function figureCommand({ study, run, file, format, options }: FigureCommandFacts, platform: NodeJS.Platform = process.platform): string {
  const { widthMm, dpi, font, colormap, normalisation, caption } = options
  return commandLine([
    'maskscope', 'figure', study, run, '--out', file ?? `${run}.${format}`,
    ...(widthMm === undefined || widthMm === defaultWidth ? [] : ['--width', String(widthMm)]),
    ...(format !== 'png' || dpi === undefined || dpi === defaultDpi ? [] : ['--dpi', String(dpi)]),
    ...(font === undefined ? [] : ['--font', font]),
    ...(colormap === undefined ? [] : ['--colormap', colormap]),
    ...(normalisation === undefined ? [] : ['--normalisation', normalisation]),
    ...(caption === false ? ['--no-caption'] : []),
  ], platform)
}

/** The line that draws a figure that the study keeps. @param study absolute */
export function specFigureCommand({ study, name, format, dpi }: { study: string; name: string; format: string; dpi: number }, platform: NodeJS.Platform = process.platform): string {
  const raster = format === 'png' || format === 'tiff'
  return commandLine(['maskscope', 'figure', study, '--spec', name, '--out', `${name}.${format}`, ...(raster && dpi !== defaultDpi ? ['--dpi', String(dpi)] : [])], platform)
}

export function statedWords({ card, fit, range, mean, std, labels, inputScale }: ModelOptions): string[] {
  return [
    ...(card === undefined ? [] : ['--model-card', card]),
    ...(fit === undefined ? [] : ['--fit', fit]),
    ...(range === undefined ? [] : ['--range', range.join(',')]),
    ...(mean === undefined ? [] : ['--mean', mean.join(',')]),
    ...(std === undefined ? [] : ['--std', std.join(',')]),
    ...(labels === undefined ? [] : ['--labels', labels]),
    ...(inputScale === undefined ? [] : ['--input-scale', String(inputScale)]),
  ]
}

/** The same of a judge, as far as the command line states it of one: what it sees is the model's. */
export function statedJudgeWords({ card, range, mean, std, labels }: ModelOptions): string[] {
  return statedWords({
    ...(card === undefined ? {} : { card }), ...(range === undefined ? {} : { range }), ...(mean === undefined ? {} : { mean }), ...(std === undefined ? {} : { std }),
    ...(labels === undefined ? {} : { labels }),
  }).map((word) => word.replace(/^--(?:model-)?(?=[a-z])/, '--judge-'))
}

/** Only what the preset does not give anyway. @param before of each name, e.g. `rise.` */
export function parameterWords(schema: ParameterSchema, values: ParameterValues, before = ''): string[] {
  const { preset } = values
  const given = resolveParameters(schema, preset === undefined ? {} : { preset })
  const first = schema.presets[0]?.id
  return [
    ...(preset === undefined || preset === first ? [] : ['--set', `${before}preset=${preset}`]),
    ...schema.parameters.flatMap(({ name }) => (values[name] === given[name] ? [] : ['--set', `${before}${name}=${values[name]}`])),
  ]
}

import { existsSync } from 'node:fs'
import path from 'node:path'
import { MaskscopeError } from '#shared/domain/errors.ts'
import type { ModelSource, Preprocessing } from '#shared/domain/model.ts'
import { findModelFile } from './find-model.ts'
import { inputChannels } from './input-channels.ts'
import { readLabels } from './labels.ts'
import { cardBeside, readModelCard, type ModelCard } from './model-card.ts'
import { readModelFiles, type ModelFiles } from './model-files.ts'
import { isOnnx, onnxError, readOnnxFiles, type OnnxFiles } from './onnx-files.ts'
import { programFolder } from './program.ts'

/** What a person may state beside the model's path; each overrides the model card. */
export interface ModelOptions {
  /** Path of a model card in place of the one beside the model. */
  card?: string
  fit?: Preprocessing['fit']
  range?: readonly [number, number]
  /** One number for all channels, or one per channel. */
  mean?: readonly number[]
  std?: readonly number[]
  /** Path of a file with one label per line. */
  labels?: string
  /** An input so many times as high and wide as the file's own. */
  inputScale?: number
}

export interface LoadedModel {
  source: ModelSource
  /** Absolute path of model.json or of the .onnx file. */
  file: string
  /** The name of a bundled model, e.g. "demo". */
  bundled: string | undefined
  /** Path of the model card that was read, if any. */
  cardFile: string | undefined
  /** Where the labels come from, for messages; undefined where there are none. */
  labelsFile: string | undefined
  /** Which defaults were taken, one sentence each. */
  notes: readonly string[]
}

/** A fact that a card or a person must state. `range` can be stated by hand; the others only by a right card. */
export interface MissingFact {
  field: 'range' | 'mean' | 'std'
  /** What it is and how it is stated on the command line. */
  text: string
}

/** Facts are missing that cannot be inferred from the model's file, all of them at once. */
export class MissingFactsError extends MaskscopeError {
  /** Of the model's file. */
  readonly file: string
  readonly missing: readonly MissingFact[]

  constructor(file: string, missing: readonly MissingFact[], assumed: readonly string[]) {
    const rest = assumed.length === 0 ? '' : `\nAssumed unless the card says otherwise: ${assumed.join(', ')}.`
    super(
      'usage',
      `The model ${file} does not state all that is needed, and it cannot be inferred. Say it by option or in a model-card.json beside it:`
        + `${missing.map((m) => `\n  ${m.text}`).join('')}${rest}`,
      { subject: '--range' },
    )
    this.file = file
    this.missing = missing
  }
}

/**
 * Loads a model: a bundled one by its name (`demo`), the folder of a model.json or an .onnx file, or the model file itself.
 * @throws SeveralModelsError, MissingFactsError, and MaskscopeError 'input' naming file or field for what cannot be read.
 */
export async function loadModel(spec: string, options: ModelOptions = {}): Promise<LoadedModel> {
  const bundled = findBundled(spec)
  const file = await findModelFile(bundled ?? spec)
  const cardFile = options.card ?? cardBeside(file)
  const card = cardFile === undefined ? {} : await readModelCard(cardFile)
  const { files, channels } = await readFiles(file)
  const { preprocessing, notes } = completePreprocessing(file, card, options, channels)
  const { labels, labelsFile } = await findLabels(card, cardFile, options)
  const source: ModelSource = {
    name: card.name ?? nameOf(path.resolve(file)),
    ...files,
    preprocessing,
    labels,
    head: card.head,
  }
  return { source, file: path.resolve(file), bundled: bundled === undefined ? undefined : spec, cardFile, labelsFile, notes }
}

async function readFiles(file: string): Promise<{ files: ModelFiles | Omit<OnnxFiles, 'channels'>; channels: number }> {
  if (isOnnx(file)) {
    const { channels, ...files } = await readOnnxFiles(file)
    return { files, channels }
  }
  const files = await readModelFiles(file)
  return { files, channels: inputChannels(files.topology) }
}

/**
 * The file's name where it says something, else the folder's, with the one above where it only tells the format: "resnet50",
 * "mobilenet_v1_0.25_128/graph". A mere number above says nothing.
 */
export function nameOf(file: string): string {
  const stem = path.basename(file, path.extname(file))
  if (isOnnx(file) && !/^model$/i.test(stem)) return stem
  const folder = path.dirname(file)
  const name = path.basename(folder)
  const parent = path.basename(path.dirname(folder))
  return /^(web|tfjs)?[-_]?(model|layers|graph|saved_model)?([-_]?uint\d+)?$/i.test(name) && !/^\d*$/.test(parent) ? `${parent}/${name}` : name
}

/** Bundled models go by a bare name; a folder of the same name is meant by "./NAME". */
function findBundled(spec: string): string | undefined {
  if (!/^[a-z0-9][a-z0-9-]*$/.test(spec)) return undefined
  const folder = path.join(programFolder(), 'models', spec)
  return existsSync(path.join(folder, 'model.json')) ? folder : undefined
}

/** Whether a word names one of the program's own models. */
export function isBundled(spec: string): boolean {
  return findBundled(spec) !== undefined
}

const usualRanges = '--range 0,1 or --range -1,1 or --range 0,255'

function completePreprocessing(
  file: string, card: ModelCard, options: ModelOptions, channels: number,
): { preprocessing: Preprocessing; notes: string[] } {
  const missing: MissingFact[] = []
  const defaults: string[] = []
  function orDefault<T>(value: T | undefined, fallback: T, words: string): T {
    if (value === undefined) defaults.push(words)
    return value ?? fallback
  }
  const range = options.range ?? card.range
  if (range === undefined) {
    missing.push({ field: 'range', text: `range: the values that black and white become before they enter the network (${usualRanges}, or "range": [A, B] in the card)` })
  }
  const fit = orDefault(options.fit ?? card.fit, 'squash', 'fit squash (--fit)')
  const resizeFilter = orDefault(card.resizeFilter, 'lanczos3', 'resize filter lanczos3')
  const mean = perChannel(orDefault(options.mean ?? card.mean, [0], 'mean 0'), channels, 'mean', missing, options.mean !== undefined)
  const std = perChannel(orDefault(options.std ?? card.std, [1], 'std 1'), channels, 'std', missing, options.std !== undefined)
  const channelOrder = orDefault(card.channelOrder, 'rgb', 'channel order rgb')
  const inputScale = options.inputScale ?? card.inputScale ?? 1
  if (missing.length > 0 || range === undefined) throw new MissingFactsError(file, missing, defaults)
  const notes = defaults.length === 0 ? [] : [`The model does not state, so assumed: ${defaults.join(', ')}.`]
  return { preprocessing: { fit, cropFraction: card.cropFraction ?? 0.875, resizeFilter, range, mean, std, channelOrder, ...(inputScale === 1 ? {} : { inputScale }) }, notes }
}

/** One value stands for all channels. */
function perChannel(values: readonly number[], channels: number, field: 'mean' | 'std', missing: MissingFact[], stated: boolean): number[] {
  if (values.length === channels) return [...values]
  if (values.length !== 1) missing.push({ field, text: `${field}: ${stated ? 'there are' : 'the card gives'} ${values.length} values, the model's input has ${channels} channels` })
  return new Array<number>(channels).fill(values[0]!)
}

async function findLabels(
  card: ModelCard, cardFile: string | undefined, options: ModelOptions,
): Promise<{ labels: readonly string[] | null; labelsFile: string | undefined }> {
  if (options.labels !== undefined) return { labels: await readLabels(options.labels), labelsFile: options.labels }
  if (card.labels === undefined) return { labels: null, labelsFile: undefined }
  if (typeof card.labels !== 'string') return { labels: card.labels, labelsFile: cardFile }
  if (card.labels !== path.basename(card.labels)) {
    throw new MaskscopeError('input', `The model card ${cardFile} names the labels file "${card.labels}"; it must lie beside the card, by its plain name.`, { subject: 'labels' })
  }
  const file = path.join(path.dirname(cardFile!), card.labels)
  return { labels: await readLabels(file), labelsFile: file }
}

/**
 * What the engine found wrong with the labels, told with the name of the file they come from, or with an ONNX model, told with its
 * file; any other error as it is.
 */
export function modelError(error: unknown, { source, labelsFile, file }: Pick<LoadedModel, 'source' | 'labelsFile' | 'file'>): unknown {
  if (!(error instanceof MaskscopeError)) return error
  if (error.subject !== 'labels' || labelsFile === undefined) return source.format === 'onnx' ? onnxError(error, file) : error
  return new MaskscopeError('input', `${labelsFile} does not fit the model ${source.name}. ${error.message}`, { subject: '--labels', cause: error })
}

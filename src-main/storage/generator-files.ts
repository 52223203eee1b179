import { mkdir, readdir, readFile } from 'node:fs/promises'
import path from 'node:path'
import { MaskscopeError } from '#shared/domain/errors.ts'
import type { GeneratorDescription, GeneratorFiles, GeneratorLosses, LayersModelFiles, PictureStack, TrainingCheckpoint, TrainingSamples } from '#shared/domain/reconstruction.ts'
import { storageError, type Files } from './files.ts'
import { formatJson } from './migrations.ts'
import { encodeNpy, readNpy } from './npy.ts'
import { readText, reconstructionFiles } from './reconstructions.ts'

const networks = ['encoder', 'decoder'] as const
const descriptionFile = 'generator.json'
const weightsFile = 'weights.bin'
const modelFile = 'model.json'

/** A generator as people and other programs find it: two TF.js layers models, and what they are, which is written last. */
export async function writeGenerator(files: Files, folder: string, generator: GeneratorFiles): Promise<void> {
  for (const name of networks) {
    const place = path.join(folder, name)
    await files.makeFolder(place)
    await files.write(path.join(place, weightsFile), generator[name].weights)
    await files.write(path.join(place, modelFile), generator[name].json)
  }
  await files.write(path.join(folder, descriptionFile), formatJson(generator.description))
}

/** @param folder the generator's own, or that of its reconstruction. @throws MaskscopeError 'input' where there is none, 'storage' where it is damaged */
export async function readGenerator(folder: string): Promise<GeneratorFiles> {
  const own = (await readText(path.join(folder, descriptionFile))) === null ? path.join(folder, reconstructionFiles.generator) : folder
  const text = await readText(path.join(own, descriptionFile))
  if (text === null) {
    throw new MaskscopeError('input', `The folder ${folder} holds no generator (generator.json with the folders encoder and decoder); "maskscope reconstruct" makes one.`, { subject: folder })
  }
  let description: GeneratorDescription
  try {
    const stored = JSON.parse(text) as GeneratorDescription
    // Those of the first generators were trained without.
    description = { ...stored, settings: { ...stored.settings, spatial: stored.settings.spatial ?? false, recognition: stored.settings.recognition ?? false, floor: stored.settings.floor ?? 0 } }
  } catch (cause) {
    throw new MaskscopeError('storage', `${path.join(own, descriptionFile)} is not whole JSON; the generator must be trained again.`, { subject: own, cause })
  }
  const [encoder, decoder] = await Promise.all(networks.map((name) => readNetwork(path.join(own, name))))
  return { encoder: encoder!, decoder: decoder!, description }
}

async function readNetwork(folder: string): Promise<LayersModelFiles> {
  try {
    const [json, weights] = await Promise.all([readFile(path.join(folder, modelFile), 'utf8'), readFile(path.join(folder, weightsFile))])
    return { json, weights: new Uint8Array(weights) }
  } catch (error) {
    throw storageError(error, folder, 'read')
  }
}

/** Arrays first; the file that names them last, so that it leads to a whole training at every instant. */
export async function writeCheckpoint(files: Files, folder: string, { epoch, steps, fingerprint, weights, mean, square }: TrainingCheckpoint): Promise<void> {
  const name = `epoch-${String(epoch).padStart(4, '0')}.npy`
  const data = new Float32Array(3 * weights.length)
  for (const [i, part] of [weights, mean, square].entries()) data.set(part, i * weights.length)
  await files.makeFolder(folder)
  await files.write(path.join(folder, name), ...encodeNpy({ shape: [3, weights.length], data }))
  await files.write(path.join(folder, 'checkpoint.json'), formatJson({ epoch, steps, fingerprint, arrays: name }))
  for (const old of await readdir(folder)) if (/^epoch-\d+\.npy$/.test(old) && old !== name) await files.remove(path.join(folder, old))
}

/** null where training has not come through an epoch. @throws MaskscopeError 'storage' */
export async function readCheckpoint(folder: string): Promise<TrainingCheckpoint | null> {
  const file = path.join(folder, 'checkpoint.json')
  const text = await readText(file)
  if (text === null) return null
  let named: { epoch: number; steps: number; fingerprint: string; arrays: string }
  try {
    named = JSON.parse(text) as typeof named
  } catch (cause) {
    throw new MaskscopeError('storage', `${file} is not whole JSON; without it training begins anew.`, { subject: file, cause })
  }
  const { epoch, steps, fingerprint, arrays } = named
  if (!/^epoch-\d+\.npy$/.test(arrays)) throw new MaskscopeError('storage', `${file} names the arrays "${arrays}", which is no file of a checkpoint.`, { subject: file })
  const { shape: [rows, length], data } = await readNpy(path.join(folder, arrays))
  if (rows !== 3 || length === undefined || !(data instanceof Float32Array)) throw new MaskscopeError('storage', `${path.join(folder, arrays)} does not hold weights and the two moments of Adam.`, { subject: file })
  return { epoch, steps, fingerprint, weights: data.subarray(0, length), mean: data.subarray(length, 2 * length), square: data.subarray(2 * length) }
}

/** A finished epoch. */
export interface CurveRow {
  epoch: number
  training: GeneratorLosses
  validation: GeneratorLosses | null
}

const terms = ['reconstruction', 'kl', 'classifier', 'total'] as const

export async function writeCurves(files: Files, file: string, rows: readonly CurveRow[]): Promise<void> {
  const cells = (losses: GeneratorLosses | null): string[] => terms.map((term) => (losses?.[term] === undefined ? '' : String(losses[term])))
  const head = ['epoch', ...terms, ...terms.map((term) => `validation-${term}`)]
  await files.write(file, `${[head, ...rows.map(({ epoch, training, validation }) => [String(epoch), ...cells(training), ...cells(validation)])].map((row) => row.join(',')).join('\n')}\n`)
}

/** Empty where no epoch has ended. */
export async function readCurves(file: string): Promise<CurveRow[]> {
  const lines = ((await readText(file)) ?? '').split('\n').slice(1).filter((line) => line !== '')
  const losses = (cells: readonly string[]): GeneratorLosses | null => {
    if (cells[0] === undefined || cells[0] === '') return null
    const [reconstruction, kl, classifier, total] = cells.map(Number) as [number, number, number, number]
    return { reconstruction, kl, total, ...(cells[2] === '' ? {} : { classifier }) }
  }
  return lines.map((line) => {
    const cells = line.split(',')
    return { epoch: Number(cells[0]), training: losses(cells.slice(1, 5))!, validation: losses(cells.slice(5, 9)) }
  })
}

const shown = ['images', 'salient', 'reconstructions', 'drawn'] as const

/** As bytes, [4, n, height, width, channels]: images, salient inputs, reconstructions, drawn from the prior. */
export async function writeSamples(files: Files, folder: string, epoch: number, samples: TrainingSamples): Promise<void> {
  const { count, height, width, channels } = samples.images
  const length = count * height * width * channels
  const data = new Uint8Array(shown.length * length)
  shown.forEach((name, i) => data.set(Uint8Array.from(samples[name].data.subarray(0, length), (value) => Math.round(255 * Math.min(1, Math.max(0, value)))), i * length))
  await mkdir(folder, { recursive: true })
  await files.write(path.join(folder, samplesName(epoch)), ...encodeNpy({ shape: [shown.length, count, height, width, channels], data }))
}

/** @throws MaskscopeError 'storage' where there are none of this epoch */
export async function readSamples(folder: string, epoch: number): Promise<TrainingSamples> {
  const { shape: [, count, height, width, channels], data } = await readNpy(path.join(folder, samplesName(epoch)))
  const length = data.length / shown.length
  const stack = (i: number): PictureStack => ({
    count: count!, height: height!, width: width!, channels: channels!, data: Float32Array.from(data.subarray(i * length, (i + 1) * length), (byte) => byte / 255),
  })
  return { images: stack(0), salient: stack(1), reconstructions: stack(2), drawn: stack(3) }
}

/** Epochs of which there are samples. */
export async function sampledEpochs(folder: string): Promise<number[]> {
  const names = await readdir(folder).catch((): string[] => [])
  return names.flatMap((name) => /^epoch-(\d+)\.npy$/.exec(name)?.[1] ?? []).map(Number).sort((a, b) => a - b)
}

function samplesName(epoch: number): string {
  return `epoch-${String(epoch).padStart(3, '0')}.npy`
}

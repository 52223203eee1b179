import { readFile } from 'node:fs/promises'
import path from 'node:path'
import { zip } from 'fflate'
import { findMethod } from '#engine/methods/registry.ts'
import type { Output } from '#shared/contract/define.ts'
import type { reconstructions as contract, TrainingPoint, WindowReport, WindowSamples } from '#shared/contract/reconstruction.ts'
import { MaskscopeError } from '#shared/domain/errors.ts'
import { generatorSchema, valuesOf } from '#shared/domain/reconstruction.ts'
import { readCurves, readSamples, sampledEpochs } from '#storage/generator-files.ts'
import { reconstructionFiles } from '#storage/reconstructions.ts'
import type { StoredReconstruction } from './reconstructions.ts'
import { lossesOf, samplesOf } from './window-pictures.ts'

type Detail = Output<(typeof contract.calls)['reconstructions.read']>

/** All that the window shows of one but its samples. @param live steps of this session @param folder absolute */
export async function readDetail(stored: StoredReconstruction, folder: string, live: readonly TrainingPoint[]): Promise<Detail> {
  const { manifest, generator, report } = stored
  const [curves, samples] = await Promise.all([readCurves(path.join(folder, reconstructionFiles.curves)), sampledEpochs(path.join(folder, reconstructionFiles.samples))])
  const first = live[0]?.at ?? Infinity
  const earlier = curves.filter(({ epoch }) => epoch < first).map(({ epoch, training, validation }): TrainingPoint => ({
    at: epoch, losses: lossesOf(training), epoch: { training: lossesOf(training), validation: validation && lossesOf(validation) },
  }))
  return {
    labels: Array.from({ length: manifest.classes }, (_, i) => manifest.labels?.[i] ?? `class ${i}`),
    points: [...earlier, ...live], samples, report: report as WindowReport | null, test: generator ? manifest.images.test : 0, conditional: manifest.settings.conditional,
    provenance: provenanceOf(stored),
  }
}

export async function samplesOfEpoch(folder: string, epoch: number): Promise<WindowSamples> {
  return samplesOf(await readSamples(path.join(folder, reconstructionFiles.samples), epoch))
}

function provenanceOf({ manifest, record }: StoredReconstruction): Detail['provenance'] {
  const { data, images, model, judge, method, parameters, settings, seed, backend, executor, program } = manifest
  const group = (name: string, facts: readonly (readonly [string, string])[]): Detail['provenance'] => facts.map(([label, value]) => ({ name: label, value, group: name }))
  const titles = new Map(generatorSchema(settings.size).parameters.map(({ name, label }) => [name, label]))
  return [
    ...group('Data', [['Data', data], ['Learned from', `${images.seen} images`], ['Never seen', `${images.unseen} images`], ['Tested on', `${images.test} images`]]),
    ...group('Classifiers', [
      ['Explained', `${model.name}, ${model.place}`], ['sha256', model.sha256], ['Judge', judge === null ? 'none' : `${judge.name}, ${judge.place}`], ...(judge ? [['sha256 of the judge', judge.sha256] as const] : []),
    ]),
    ...group('Salient inputs', [['Method', findMethod(method).title], ['Parameters', Object.entries(parameters).map(([name, value]) => `${name} ${String(value)}`).join(', ')]]),
    ...group('Generator', [
      ['Pictures', `${settings.size.width} × ${settings.size.height} × ${settings.size.channels}`],
      ...Object.entries(valuesOf(settings)).map(([name, value]) => [titles.get(name) ?? name, String(value)] as const),
    ]),
    ...group('Computed by', [
      ['Seed', String(seed)], ['Backend', backend], ['Executor', executor], ['Maskscope', program], ['Begun', record.created], ['Ended', record.ended ?? 'not yet'],
      ...Object.entries(record.seconds).map(([phase, seconds]) => [`Seconds of ${phase}`, seconds.toFixed(1)] as const),
    ]),
  ]
}

/** The generator's folder as one file. @throws MaskscopeError 'input' where there is none yet */
export async function zippedGenerator(stored: StoredReconstruction, folder: string): Promise<{ name: string; bytes: Uint8Array<ArrayBuffer> }> {
  if (!stored.generator) throw new MaskscopeError('input', 'There is no trained generator yet.', { subject: stored.id })
  const parts = ['generator.json', 'encoder/model.json', 'encoder/weights.bin', 'decoder/model.json', 'decoder/weights.bin']
  const files = await Promise.all(parts.map(async (part) => [part, new Uint8Array(await readFile(path.join(folder, reconstructionFiles.generator, part)))] as const))
  const bytes = await new Promise<Uint8Array>((resolve, reject) => {
    // One date, so that the same generator gives the same bytes.
    zip(Object.fromEntries(files), { mtime: '1980-01-01T12:00:00' }, (error, data) => (error ? reject(error) : resolve(data)))
  })
  return { name: `${stored.id}-generator.zip`, bytes: Uint8Array.from(bytes) }
}
